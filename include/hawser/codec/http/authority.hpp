// Host and port as they stand in Host, Origin and URLs (RFC 3986 3.2), without userinfo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/codec/http/token.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// `host` is a view of the parsed text, an IPv6 address without its brackets.
struct authority {
  std::string_view host;
  std::optional<std::uint16_t> port;
  bool ipv6 = false;

  std::uint16_t port_or(std::uint16_t default_port) const noexcept {
    return port.value_or(default_port);
  }
};

/// 1 to 65535 in at most five digits.
constexpr std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept {
  if (digits.empty() || digits.size() > 5 || !all_digits(digits)) return std::nullopt;
  std::uint32_t port = 0;
  for (char const c : digits) port = port * 10 + static_cast<std::uint32_t>(c - '0');
  if (port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

/// Four decimal numbers up to 255, without leading zeros.
constexpr bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    std::size_t length = 0;
    int value = 0;
    while (length < text.size() && length < 4 && is_digit(text[length])) {
      value = value * 10 + (text[length++] - '0');
    }
    if (length == 0 || value > 255 || (length > 1 && text[0] == '0')) return false;
    text.remove_prefix(length);
    if (part == 3) break;
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

/// An IPv6 address without brackets (RFC 4291 2.2); zone identifiers are refused.
constexpr bool is_ipv6(std::string_view text) noexcept {
  int groups = 0;
  bool shortened = false;
  if (text.starts_with("::")) {
    shortened = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (true) {
    if (groups <= 6 && is_ipv4(text)) {
      groups += 2;
      break;
    }
    std::size_t length = 0;
    while (length < text.size() && hex_value(text[length]) >= 0) ++length;
    if (length == 0 || length > 4 || ++groups > 8) return false;
    text.remove_prefix(length);
    if (text.empty()) break;
    if (text.starts_with("::")) {
      if (shortened) return false;
      shortened = true;
      text.remove_prefix(2);
      if (text.empty()) break;
    } else if (text.front() == ':') {
      text.remove_prefix(1);
    } else {
      return false;
    }
  }
  return shortened ? groups < 8 : groups == 8;
}

/// Letters, digits, `-`, `_`, `~` in labels parted by single dots, one dot at the end allowed; at
/// most 255 characters. RFC 3986 would also allow percent escapes and sub-delimiters in a name:
/// DNS has no use for them, and what compares or logs a host is easily misled by them.
constexpr bool is_host_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 255 || text.front() == '.') return false;
  return all_of(host_char, text) && text.find("..") == std::string_view::npos;
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`; nothing for all else, an empty port included.
constexpr std::optional<authority> parse_authority(std::string_view text) noexcept {
  authority parsed;
  if (text.starts_with('[')) {
    std::size_t const end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parsed.host = text.substr(1, end - 1);
    parsed.ipv6 = true;
    if (!is_ipv6(parsed.host)) return std::nullopt;
    text.remove_prefix(end + 1);
  } else {
    std::size_t const end = text.find(':');
    parsed.host = text.substr(0, end);
    if (!is_host_name(parsed.host)) return std::nullopt;
    text.remove_prefix(parsed.host.size());
  }
  if (text.empty()) return parsed;
  if (text.front() != ':') return std::nullopt;
  parsed.port = parse_port(text.substr(1));
  if (!parsed.port) return std::nullopt;
  return parsed;
}

/// The same host in whatever case, and the same port once the default is put in.
constexpr bool same_authority(authority const& a, authority const& b,
                              std::uint16_t default_port) noexcept {
  return a.ipv6 == b.ipv6 && iequals(a.host, b.host) &&
         a.port.value_or(default_port) == b.port.value_or(default_port);
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
