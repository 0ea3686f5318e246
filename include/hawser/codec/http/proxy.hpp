// A tunnel through an HTTP proxy: the request for it, and what the answer means (RFC 9110 9.3.6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/http/authority.hpp>
#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// What the Basic scheme asks for (RFC 7617). Both empty: nobody identifies himself.
struct credentials {
  std::string_view user{};
  std::string_view password{};

  bool empty() const noexcept { return user.empty() && password.empty(); }
};

/// The value of an Authorization or Proxy-Authorization field; the texts are UTF-8. Error:
/// `errc::bad_argument` for a colon in the user's name, which would end it, and for control
/// characters.
inline result<std::string> write_basic(credentials const& of) {
  auto const has_control = [](std::string_view text) {
    for (char const c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
    }
    return false;
  };
  if (of.user.find(':') != std::string_view::npos || has_control(of.user) ||
      has_control(of.password)) {
    return errc::bad_argument;
  }
  std::string pair(of.user);
  pair.append(":").append(of.password);
  return "Basic " + codec::base64_encode(as_bytes(pair));
}

/// The whole request that asks a proxy for a tunnel to `host`, a name or an address, an IPv6 one
/// without brackets. Error: `errc::bad_argument` for what can't be a host or a port, and for
/// credentials that `write_basic` refuses.
inline result<std::string> write_connect(std::string_view host, std::uint16_t port,
                                         credentials const& as = {}) {
  bool const v6 = is_ipv6(host);
  if ((!v6 && !is_host_name(host)) || port == 0) return errc::bad_argument;
  std::string at = v6 ? "[" + std::string(host) + "]" : std::string(host);
  at += ":" + std::to_string(port);
  std::string text = "CONNECT " + at + " HTTP/1.1\r\nHost: " + at + "\r\n";
  if (!as.empty()) {
    auto const basic = write_basic(as);
    if (!basic) return basic.error();
    text += "Proxy-Authorization: " + *basic + "\r\n";
  }
  text += "\r\n";
  return text;
}

/// What a proxy's answer to CONNECT means. Zero for 2xx: behind this head begins the tunnel,
/// whatever Content-Length and Transfer-Encoding say. `errc::proxy_auth_required` for 407, else
/// `errc::proxy_refused`.
inline std::error_code check_connect(response const& answer) noexcept {
  if (answer.status() >= 200 && answer.status() < 300) return {};
  if (answer.status() == 407) return make_error_code(errc::proxy_auth_required);
  return make_error_code(errc::proxy_refused);
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
