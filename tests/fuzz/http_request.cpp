// Fuzzes request heads and bodies: cutting changes nothing, and the limits hold.
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/http/body.hpp>
#include <hawser/codec/http/origin.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/url.hpp>

#include "http_head.hpp"

using namespace hawser_fuzz;
namespace http = hawser::http;

namespace {

constexpr std::uint64_t body_limit = 4096;

/// A chunked body decoded at once, independently of the reader: nothing when refused or unfinished.
std::optional<std::string> decode_chunks(std::string_view bytes) {
  std::string body;
  while (true) {
    std::size_t const line = bytes.find("\r\n");
    if (line == 0 || line == std::string_view::npos || line > 16) return std::nullopt;
    std::uint64_t size = 0;
    for (char const c : bytes.substr(0, line)) {
      if (http::hex_value(c) < 0) return std::nullopt;
      size = size * 16 + static_cast<unsigned>(http::hex_value(c));
    }
    bytes.remove_prefix(line + 2);
    if (size == 0) return bytes.starts_with("\r\n") ? std::optional(body) : std::nullopt;
    if (size > body_limit - body.size()) return std::nullopt;
    if (bytes.size() < size + 2 || bytes.substr(size, 2) != "\r\n") return std::nullopt;
    body += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
}

void check_body(http::request const& head, std::string_view bytes, std::uint8_t seed) {
  std::string bodies[2];
  outcome seen[2];
  for (int cut = 0; cut < 2; ++cut) {
    http::body_reader reader(head, body_limit);
    hawser::byte_buffer body;
    if (reader.done()) return;
    seen[cut] = feed([&](std::string_view piece) { return reader.parse(piece, body); }, bytes,
                     cutter(cut == 0 ? 1 : seed));
    require(body.size() <= body_limit);
    bodies[cut] = hawser::as_text(body.view());
  }
  require(seen[0] == seen[1] && bodies[0] == bodies[1]);
  if (!head.chunked()) return;
  auto const expected = decode_chunks(bytes);
  require(expected.has_value() == seen[0].done);
  if (expected) require(*expected == bodies[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::uint8_t const seed = data[0];
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const limits = limits_for(seed);
  http::request_parser whole(limits), cut(limits);
  outcome const a =
      feed([&](std::string_view piece) { return whole.parse(piece); }, bytes, cutter(1));
  outcome const b =
      feed([&](std::string_view piece) { return cut.parse(piece); }, bytes, cutter(seed));
  require(a == b);
  require(a.consumed <= limits.max_head_size);
  http::parse_url(bytes);
  http::query_value(bytes, "a");
  if (!a.done) return 0;
  require(bytes.substr(0, a.consumed).ends_with("\r\n\r\n"));

  http::request const head = whole.take();
  require_same(head, cut.take());
  require_sound(head, limits);
  require(head.target().starts_with('/') && http::all_of(http::target_char, head.target()));
  require(head.target().size() <= limits.max_uri_size + 1);
  require(http::request::valid_method(head.method()));
  require(head.version_minor() == 0 || http::parse_authority(head.host()).has_value());
  http::query_value(head.query(), "a");
  http::origin_allowed(head, true, {.allowed = {"https://*.example.com", "null"}});

  // What was read can be made by hand, and is the same.
  std::vector<http::field> fields;
  for (http::field const f : head.fields()) fields.push_back(f);
  auto const made = http::request::make(head.method(), head.target(), fields, head.version_minor());
  require(made.has_value());
  require_same(head, *made);
  check_body(head, bytes.substr(a.consumed), seed);
  return 0;
}
