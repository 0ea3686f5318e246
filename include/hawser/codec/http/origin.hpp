// Which web pages may connect: the Origin rule against cross-site WebSocket hijacking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/http/authority.hpp>
#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/token.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Browsers send the Origin of the page (RFC 6454); other clients send none, or whatever they
/// like: this protects users of browsers, it does not authenticate anybody.
struct origin_rule {
  /// Allowed beside the origin of the request itself: `https://example.com`, with a port when it
  /// isn't the default; `https://*.example.com` for every name below, not for `example.com`; or a
  /// literal such as `null`. An entry that can't be understood is compared byte by byte.
  std::vector<std::string> allowed{};
  bool any = false;      ///< every well-meant or ill-meant page
  bool require = false;  ///< refuse requests without Origin; set it when cookies authenticate
};

/// `scheme://host[:port]`, with nothing before or behind the authority.
struct web_origin {
  std::string_view scheme;
  authority where;

  /// Nothing when it is not the origin of an http or https page.
  static constexpr std::optional<web_origin> parse(std::string_view text) noexcept {
    std::string_view const scheme = text.substr(0, text.find("://"));
    if (!iequals(scheme, "http") && !iequals(scheme, "https")) return std::nullopt;
    if (scheme.size() == text.size()) return std::nullopt;
    auto const where = parse_authority(text.substr(scheme.size() + 3));
    if (!where) return std::nullopt;
    return web_origin{scheme, *where};
  }

  constexpr bool secure() const noexcept { return scheme.size() == 5; }
  constexpr std::uint16_t default_port() const noexcept { return secure() ? 443 : 80; }
};

/// Whether an Origin value matches an entry of `origin_rule::allowed`.
constexpr bool origin_matches(std::string_view origin, std::string_view entry) noexcept {
  auto const from = web_origin::parse(origin);
  std::size_t const star = entry.find("://*.");
  if (star == std::string_view::npos) {
    auto const wanted = web_origin::parse(entry);
    if (!from || !wanted) return origin == entry;
    return from->secure() == wanted->secure() &&
           same_authority(from->where, wanted->where, from->default_port());
  }
  // `*` is no host: the entry is read without its first label.
  if (!from || from->where.ipv6 || !iequals(entry.substr(0, star), from->scheme)) return false;
  auto const parent = parse_authority(entry.substr(star + 5));
  if (!parent || parent->ipv6) return false;
  if (parent->port_or(from->default_port()) != from->where.port_or(from->default_port())) {
    return false;
  }
  std::string_view const host = from->where.host;
  if (host.size() < parent->host.size() + 2) return false;
  std::size_t const cut = host.size() - parent->host.size();
  return host[cut - 1] == '.' && iequals(host.substr(cut), parent->host);
}

/// Whether the request may go on. `secure` says how the client reached the site: behind a proxy
/// that ends TLS it is what the proxy saw. Without an Origin: unless `require`. With one: the
/// scheme, host and port of the request itself, or an entry of the list. With two: never.
inline bool origin_allowed(request const& from, bool secure, origin_rule const& rule) noexcept {
  std::size_t const origins = from.count("Origin");
  if (origins == 0) return !rule.require;
  if (origins > 1) return false;
  if (rule.any) return true;
  std::string_view const origin = *from.get("Origin");
  auto const page = web_origin::parse(origin);
  auto const site = parse_authority(from.host());
  if (page && site && page->secure() == secure &&
      same_authority(page->where, *site, page->default_port())) {
    return true;
  }
  for (std::string const& entry : rule.allowed) {
    if (!origin.empty() && origin_matches(origin, entry)) return true;
  }
  return false;
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
