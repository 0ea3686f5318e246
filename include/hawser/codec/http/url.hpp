// URLs that a client can dial, percent-decoding, and query parameters.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/codec/http/authority.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Where a client connects to, and what it asks for there. Made by `parse_url`.
struct url {
  std::string scheme;      ///< ws, wss, http or https
  std::string host;        ///< lower case, an IPv6 address without brackets; empty for a unix path
  std::uint16_t port = 0;  ///< the default of the scheme when none was written; 0 for a unix path
  std::string target;      ///< path and query as written, at least `/`
  std::string unix_path;   ///< the socket's path, when `is_unix`
  bool secure = false;     ///< TLS: wss or https
  bool is_unix = false;    ///< a unix domain socket
  bool is_ipv6 = false;    ///< `host` is an IPv6 address

  std::uint16_t default_port() const noexcept { return secure ? 443 : 80; }

  /// What belongs into the Host field: the port is left out where it is the default.
  std::string host_field() const {
    if (is_unix) return "localhost";
    std::string text = is_ipv6 ? "[" + host + "]" : host;
    if (port != default_port()) text += ":" + std::to_string(port);
    return text;
  }
};

/// Reads `scheme://host[:port][/path][?query]` with scheme ws, wss, http or https; or
/// `scheme+unix:/absolute/path[:/target]`, scheme ws or http, whose socket path has no colon in it.
/// At most 8 KiB; visible ASCII only; percent escapes stay as they are; userinfo and fragments are
/// refused. Error: `errc::bad_url`.
inline result<url> parse_url(std::string_view text) {
  if (text.size() > 8 * 1024 || !all_of(target_char, text)) return errc::bad_url;
  std::size_t const colon = text.find(':');
  if (colon == std::string_view::npos) return errc::bad_url;
  url parsed;
  for (char const c : text.substr(0, colon)) parsed.scheme += lower(c);
  text.remove_prefix(colon + 1);
  if (parsed.scheme == "ws+unix" || parsed.scheme == "http+unix") {
    std::size_t const end = std::min(text.find(':'), text.size());
    parsed.scheme.resize(parsed.scheme.find('+'));
    parsed.is_unix = true;
    parsed.unix_path = text.substr(0, end);
    parsed.target = end < text.size() ? text.substr(end + 1) : std::string_view("/");
    if (!parsed.unix_path.starts_with('/') || parsed.unix_path.starts_with("//")) {
      return errc::bad_url;
    }
    if (!parsed.target.starts_with('/')) return errc::bad_url;
    return parsed;
  }
  parsed.secure = parsed.scheme == "wss" || parsed.scheme == "https";
  if (!parsed.secure && parsed.scheme != "ws" && parsed.scheme != "http") return errc::bad_url;
  if (!text.starts_with("//")) return errc::bad_url;
  text.remove_prefix(2);
  std::string_view const named = text.substr(0, text.find_first_of("/?"));
  auto const parts = parse_authority(named);
  if (!parts) return errc::bad_url;
  for (char const c : parts->host) parsed.host += lower(c);
  parsed.is_ipv6 = parts->ipv6;
  parsed.port = parts->port_or(parsed.default_port());
  parsed.target = text.substr(named.size());
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, 1, '/');
  return parsed;
}

/// Replaces each `%HH` by its octet; nothing when a `%` is not followed by two hexadecimal digits.
/// The outcome may hold any octet, NUL included.
inline std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    int const high = hex_value(text[at + 1]);
    int const low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return decoded;
}

/// As `percent_decode`, with `+` for a space, as forms and query strings have it.
inline std::optional<std::string> form_decode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

/// Text as it may stand in a query: everything but letters, digits and `-._~` becomes `%HH`.
inline std::string form_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return encoded;
}

/// The decoded value of the first parameter of that name in `a=1&b=2`; a parameter without `=` has
/// an empty one. Nothing when there is none, or when that first one is not well encoded.
inline std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  if (query.starts_with('?')) query.remove_prefix(1);
  while (!query.empty()) {
    std::string_view const pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    std::string_view const key = pair.substr(0, pair.find('='));
    bool const encoded = key.find_first_of("%+") != std::string_view::npos;
    if (encoded ? form_decode(key) != name : key != name) continue;
    if (pair.empty()) continue;
    return form_decode(pair.substr(std::min(key.size() + 1, pair.size())));
  }
  return std::nullopt;
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
