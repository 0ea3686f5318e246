// The opening handshake of RFC 6455 section 4, server and client; extensions only pass through.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/digest.hpp>
#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/view_of.hpp>

namespace hawser::inline HAWSER_ABI {
namespace ws {

/// Limits of an offer of subprotocols; beyond them it is refused with `errc::bad_subprotocol`.
inline constexpr std::size_t max_subprotocols = 32;
inline constexpr std::size_t max_subprotocol_bytes = 2048;  ///< of all field values together

/// The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key.
inline std::string accept_key(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return codec::base64_encode(codec::sha1(as_bytes(text)));
}

/// Base64 of 16 bytes, in its only spelling.
inline bool is_valid_key(std::string_view key) {
  if (key.size() != 24) return false;
  auto const decoded = codec::base64_decode(key);
  return decoded && decoded->size() == 16;
}

/// What a client asks for.
struct upgrade_request {
  std::string key{};                           ///< Sec-WebSocket-Key
  std::vector<std::string> subprotocols{};     ///< as offered, best first
  std::vector<std::string_view> extensions{};  ///< field values: views of the request
};

/// The subprotocols in all values of Sec-WebSocket-Protocol: tokens, each at most once, compared
/// with regard to case. Error: `errc::bad_subprotocol`.
inline result<std::vector<std::string>> read_subprotocols(
    std::span<std::string_view const> values) {
  std::vector<std::string> names;
  std::size_t total = 0;
  for (std::string_view const value : values) {
    total += value.size();
    if (value.empty() || total > max_subprotocol_bytes) return errc::bad_subprotocol;
    for (http::list_reader list(value); list.next();) {
      std::string_view const name = list.element();
      if (!http::is_token(name) || names.size() == max_subprotocols) return errc::bad_subprotocol;
      for (std::string const& known : names) {
        if (known == name) return errc::bad_subprotocol;
      }
      names.emplace_back(name);
    }
  }
  return names;
}

/// Server: reads the opening handshake (RFC 6455 4.2.1). The views in the outcome need `from`.
///
/// Errors: `errc::not_an_upgrade` when no websocket upgrade is asked for; else
/// `bad_request_line` for another method than GET, `unsupported_http_version`, `bad_field` without
/// `Connection: upgrade` or with a missing or doubled Sec-WebSocket-Version or a body,
/// `bad_websocket_version`, `bad_websocket_key`, `bad_subprotocol`, `bad_extension`.
inline result<upgrade_request> read_upgrade(http::request const& from) {
  if (!from.has_token("Upgrade", "websocket")) return errc::not_an_upgrade;
  if (from.method() != "GET") return errc::bad_request_line;
  if (from.version_minor() != 1) return errc::unsupported_http_version;
  if (!from.has_token("Connection", "upgrade")) return errc::bad_field;
  // A body would be taken for frames: the two ends of a proxy must not disagree on that.
  if (from.chunked() || from.content_length().value_or(0) != 0) return errc::bad_field;
  if (from.count("Sec-WebSocket-Version") != 1) return errc::bad_field;
  if (*from.get("Sec-WebSocket-Version") != "13") return errc::bad_websocket_version;
  if (from.count("Sec-WebSocket-Key") != 1) return errc::bad_websocket_key;
  std::string_view const key = *from.get("Sec-WebSocket-Key");
  if (!is_valid_key(key)) return errc::bad_websocket_key;
  auto subprotocols = read_subprotocols(view_of(from.get_all("Sec-WebSocket-Protocol")));
  if (!subprotocols) return subprotocols.error();
  auto extensions = from.get_all("Sec-WebSocket-Extensions");
  for (std::string_view const value : extensions) {
    if (value.empty()) return errc::bad_extension;
  }
  return upgrade_request{std::string(key), std::move(*subprotocols), std::move(extensions)};
}

/// The outcome would hold views of a request that is gone.
result<upgrade_request> read_upgrade(http::request&&) = delete;

/// Server: the 101 response. `chosen_subprotocol` and `extensions` (the value that
/// `answer(agreement)` gives) are left out when empty. Errors: `errc::bad_subprotocol` for one
/// that was not offered, `bad_field` for an extension value with control bytes.
inline result<std::string> write_switching(upgrade_request const& asked,
                                           std::string_view chosen_subprotocol = {},
                                           std::string_view extensions = {},
                                           std::span<http::header const> headers = {}) {
  auto writer = http::head_writer::response(101);
  writer.add("Upgrade", "websocket").add("Connection", "Upgrade");
  writer.add("Sec-WebSocket-Accept", accept_key(asked.key));
  if (!chosen_subprotocol.empty()) {
    bool offered = false;
    for (std::string const& name : asked.subprotocols) offered |= name == chosen_subprotocol;
    if (!offered) return errc::bad_subprotocol;
    writer.add("Sec-WebSocket-Protocol", chosen_subprotocol);
  }
  if (!extensions.empty()) writer.add("Sec-WebSocket-Extensions", extensions);
  writer.add(headers);
  return std::move(writer).finish();
}

/// Server: a refusal, after which the connection is closed. `status` outside 200 to 599 becomes
/// 500; 204 and 304 too, which may have no body. `body` is plain text unless `headers` says else;
/// empty means the usual reason. 426 says what would be understood.
inline std::string write_rejection(int status, std::string_view body = {},
                                   std::span<http::header const> headers = {}) {
  if (status < 200 || status > 599 || status == 204 || status == 304) status = 500;
  if (body.empty()) body = http::reason_phrase(status);
  auto writer = http::head_writer::response(status);
  writer.add("Connection", status == 426 ? "Upgrade, close" : "close");
  if (status == 426) writer.add("Upgrade", "websocket").add("Sec-WebSocket-Version", "13");
  if (!http::has_header(headers, "Content-Type")) {
    writer.add("Content-Type", "text/plain; charset=utf-8");
  }
  writer.add("Content-Length", std::to_string(body.size())).add(headers);
  std::string text = std::move(*std::move(writer).finish());  // nothing in it can be refused
  return text.append(body);
}

/// Client: the request (RFC 6455 4.1). `key` is base64 of 16 random bytes. Host comes from the URL
/// unless `headers` has one; `extensions` is left out when empty. Errors:
/// `errc::bad_websocket_key`, `bad_subprotocol`, `bad_target`, `bad_field`.
inline result<std::string> write_upgrade(http::url const& to, std::string_view key,
                                         std::span<std::string const> subprotocols = {},
                                         std::string_view extensions = {},
                                         std::span<http::header const> headers = {}) {
  if (!is_valid_key(key)) return errc::bad_websocket_key;
  auto writer = http::head_writer::request("GET", to.target);
  if (!http::has_header(headers, "Host")) writer.add("Host", to.host_field());
  writer.add("Upgrade", "websocket").add("Connection", "Upgrade");
  writer.add("Sec-WebSocket-Key", key).add("Sec-WebSocket-Version", "13");
  if (!subprotocols.empty()) {
    std::string list;
    for (std::string const& name : subprotocols) list.append(list.empty() ? "" : ", ").append(name);
    std::string_view const value = list;
    auto const read = read_subprotocols({&value, 1});
    if (!read || read->size() != subprotocols.size()) return errc::bad_subprotocol;
    writer.add("Sec-WebSocket-Protocol", list);
  }
  if (!extensions.empty()) writer.add("Sec-WebSocket-Extensions", extensions);
  writer.add(headers);
  return std::move(writer).finish();
}

/// Client: whether the server agreed (RFC 6455 4.1, second list). `subprotocols` and `key` are
/// those of `write_upgrade`. No answer to the offer of subprotocols is an agreement to use none.
/// Extensions are for `check_answer`. Errors: `errc::unexpected_status`,
/// `unsupported_http_version`, `bad_field` for Upgrade or Connection, `bad_websocket_accept`,
/// `bad_subprotocol`.
inline std::error_code check_switching(http::response const& answer, std::string_view key,
                                       std::span<std::string const> subprotocols = {}) {
  if (answer.status() != 101) return errc::unexpected_status;
  if (answer.version_minor() != 1) return errc::unsupported_http_version;
  if (answer.count("Upgrade") != 1 || !http::iequals(*answer.get("Upgrade"), "websocket")) {
    return errc::bad_field;
  }
  if (!answer.has_token("Connection", "upgrade")) return errc::bad_field;
  if (answer.count("Sec-WebSocket-Accept") != 1 ||
      *answer.get("Sec-WebSocket-Accept") != accept_key(key)) {
    return errc::bad_websocket_accept;
  }
  std::size_t const answers = answer.count("Sec-WebSocket-Protocol");
  if (answers == 0) return {};
  if (answers > 1) return errc::bad_subprotocol;
  for (std::string const& name : subprotocols) {
    if (!name.empty() && name == *answer.get("Sec-WebSocket-Protocol")) return {};
  }
  return errc::bad_subprotocol;
}

/// Client: the subprotocol of a response that `check_switching` let through, or nothing.
inline std::string_view chosen_subprotocol(http::response const& answer) noexcept {
  return answer.get("Sec-WebSocket-Protocol").value_or(std::string_view{});
}

}  // namespace ws
}  // namespace hawser::inline HAWSER_ABI
