// Files of a directory as a route, for demos.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/http/url.hpp>
#include <hawser/endpoint/routes.hpp>

namespace hawser::inline HAWSER_ABI {

/// The media type that a file name's ending stands for.
inline std::string_view media_type(std::string_view path) noexcept {
  auto const ends = [&](std::string_view ending) { return path.ends_with(ending); };
  if (ends(".html")) return "text/html; charset=utf-8";
  if (ends(".js") || ends(".mjs")) return "text/javascript; charset=utf-8";
  if (ends(".css")) return "text/css; charset=utf-8";
  if (ends(".json")) return "application/json";
  if (ends(".svg")) return "image/svg+xml";
  if (ends(".png")) return "image/png";
  if (ends(".ico")) return "image/x-icon";
  if (ends(".wasm")) return "application/wasm";
  if (ends(".txt")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

/// Answers with regular files below `directory`, each read whole (up to 16 MiB) for every request;
/// a path that ends in `/` means its `index.html`. Nothing outside the directory can be named:
/// segments that begin with a dot, and links that lead out, are not found.
/// Use: `server.get_prefix("/", static_files("/", "public"))`.
inline http_handler static_files(std::string prefix, std::string directory) {
  return [prefix = std::move(prefix), root = std::filesystem::path(std::move(directory))](
             http_request const& request, http_reply reply) {
    constexpr std::uintmax_t max_size = std::uintmax_t{16} << 20;
    auto const not_found = [&] { reply.send(404, "Not Found"); };
    auto name = http::percent_decode(request.head.path().substr(prefix.size()));
    if (!name || name->find_first_of(std::string_view("\\\0", 2)) != std::string::npos) {
      return not_found();
    }
    if (name->empty() || name->ends_with('/')) *name += "index.html";
    if (name->starts_with('.') || name->starts_with('/') || name->find("/.") != std::string::npos) {
      return not_found();
    }
    std::error_code error;
    auto const base = std::filesystem::canonical(root, error);
    auto const path = error ? base : std::filesystem::canonical(base / *name, error);
    bool const inside = !error && path.native().starts_with(base.native());
    if (!inside || !std::filesystem::is_regular_file(path, error)) return not_found();
    if (std::filesystem::file_size(path, error) > max_size || error) return not_found();
    std::ifstream file(path, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    (void)reply.header("X-Content-Type-Options", "nosniff");
    (void)reply.header("Cache-Control", "no-cache");
    reply.send(200, std::move(content), media_type(*name));
  };
}

}  // namespace hawser::inline HAWSER_ABI
