// Where the server is, and how a connection to it is opened.
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/codec/http/url.hpp>

#include "unique_fd.hpp"

namespace load {

/// Ends the program's work with a message for the user.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct target {
  bool raw = false;  ///< a bare echo, without handshake and frames
  bool tls = false;
  hawser::http::url url;  ///< raw: as if it were ws://, or wss://
  sockaddr_storage address{};
  socklen_t address_size = 0;
};

/// Reads ws://host[:port][/path], wss://, ws+unix:/path, tcp://host:port, or tls://host:port, and
/// looks the host up.
/// Throws `failure`.
inline target find_target(std::string_view text) {
  constexpr std::string_view tcp_scheme = "tcp://";
  constexpr std::string_view tls_scheme = "tls://";
  target found;
  found.raw = text.starts_with(tcp_scheme) || text.starts_with(tls_scheme);
  std::string url(text);
  if (found.raw) url.replace(0, tcp_scheme.size(), text.starts_with("tls") ? "wss://" : "ws://");
  auto const parsed = hawser::http::parse_url(url);
  if (!parsed) throw failure("the URL has to be ws://, wss://, tcp://host:port or tls://host:port");
  found.url = *parsed;
  found.tls = found.url.secure;
  if (found.url.is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string const& path = found.url.unix_path;
    if (path.size() >= sizeof address.sun_path) throw failure("the path of the socket is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    std::memcpy(&found.address, &address, sizeof address);
    found.address_size = sizeof address;
    return found;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  std::string const& host = found.url.host;
  int const error =
      ::getaddrinfo(host.c_str(), std::to_string(found.url.port).c_str(), &hints, &addresses);
  if (error != 0) throw failure("can't look up " + host + ": " + ::gai_strerror(error));
  std::memcpy(&found.address, addresses->ai_addr, addresses->ai_addrlen);
  found.address_size = addresses->ai_addrlen;
  ::freeaddrinfo(addresses);
  return found;
}

/// Opens sockets, from 127.0.0.2, .3, ... when the ports of one source address run out.
class dialer {
 public:
  explicit dialer(target const& where) : where_(where) {}

  /// A socket that is connecting; on failure an empty one, with `errno` set.
  unique_fd dial() {
    for (;;) {
      unique_fd fd(
          ::socket(where_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (fd.get() < 0) return fd;
      int const on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on AF_UNIX
      if (source_ > 0) bind_source(fd.get());
      auto const* address = reinterpret_cast<sockaddr const*>(&where_.address);
      if (::connect(fd.get(), address, where_.address_size) == 0 || errno == EINPROGRESS) return fd;
      if (errno != EADDRNOTAVAIL || !is_loopback() || source_ == 200) return unique_fd();
      ++source_;
    }
  }

 private:
  bool is_loopback() const noexcept {
    if (where_.address.ss_family != AF_INET) return false;
    auto const* v4 = reinterpret_cast<sockaddr_in const*>(&where_.address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }

  void bind_source(int fd) const noexcept {
    int const on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl((127u << 24) + 1 + source_);
    ::bind(fd, reinterpret_cast<sockaddr const*>(&source), sizeof source);
  }

  target const& where_;
  std::uint32_t source_ = 0;
};

}  // namespace load
