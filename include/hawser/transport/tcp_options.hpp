// What a client over TCP can be told: how it looks for the peer, and through which proxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <hawser/codec/http/parse.hpp>
#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// An HTTP proxy that makes tunnels (CONNECT), and is spoken to in the clear. It resolves the
/// URL's host itself, and its own address is the stream's `remote_address`. A password can be read
/// by whoever listens between here and the proxy.
struct proxy_options {
  std::string host{};      ///< a name, or an address without brackets; empty: no proxy
  std::uint16_t port = 0;  ///< must be set, there is no default
  std::string user{};      ///< without a colon; with the password empty too: no credentials
  std::string password{};
  http::head_limits head{};  ///< of its answer
};

/// Options of the transport `tcp`, part of those of `tls` and `tcp_or_tls`. They are for clients:
/// a server has no use for them. The client's `connect_timeout` is for all steps together; each
/// step has a time of its own, up to a day, and an error that tells which one it was.
struct tcp_options {
  /// Where a name has several addresses, both families in turns: how long one has before the next
  /// one is tried beside it (RFC 8305 section 5). The first to connect is taken. Zero: all at once.
  std::chrono::milliseconds attempt_delay{250};

  /// At most so many addresses are tried; further ones are overlooked.
  std::size_t max_addresses = 16;

  /// To resolve a name: `asio::error::host_not_found_try_again`. The system's resolver can't be
  /// interrupted; its thread, and with it the loop's work, may last longer.
  std::chrono::milliseconds resolve_timeout{5'000};

  /// To reach one of the addresses: `asio::error::timed_out`.
  std::chrono::milliseconds dial_timeout{8'000};

  /// For the proxy to make the tunnel: `errc::handshake_timeout`.
  std::chrono::milliseconds proxy_timeout{5'000};

  proxy_options proxy{};  ///< unix paths are reached without it
};

}  // namespace hawser::inline HAWSER_ABI
