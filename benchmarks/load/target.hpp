// Where the server is, and how a connection to it is opened.
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "connection.hpp"

namespace load {

struct target {
  bool raw = false;
  std::string authority;  ///< host:port, for the Host field
  std::string host;
  std::string port;
  std::string path = "/";
  sockaddr_storage address{};
  socklen_t address_size = 0;
};

/// Splits ws://host[:port][/path] or tcp://host:port; false when it is neither.
inline bool parse_target(std::string_view url, target& out) {
  constexpr std::string_view ws_scheme = "ws://";
  constexpr std::string_view tcp_scheme = "tcp://";
  out.raw = url.starts_with(tcp_scheme);
  if (!out.raw && !url.starts_with(ws_scheme)) return false;
  url.remove_prefix(out.raw ? tcp_scheme.size() : ws_scheme.size());
  std::size_t const slash = url.find('/');
  if (slash != url.npos) out.path = url.substr(slash);
  out.authority = url.substr(0, slash);
  std::string_view host = out.authority;
  std::size_t const colon = host.rfind(':');
  bool const has_port = colon != host.npos && host.find(']', colon) == host.npos;
  out.port = has_port ? host.substr(colon + 1) : "80";
  if (has_port) host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  out.host = host;
  return !out.host.empty() && !out.port.empty();
}

/// Looks the host up; the reason when that fails.
inline char const* resolve(target& where) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int const error = ::getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found);
  if (error != 0) return ::gai_strerror(error);
  std::memcpy(&where.address, found->ai_addr, found->ai_addrlen);
  where.address_size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return nullptr;
}

/// Opens sockets, from 127.0.0.2, .3, ... when the ports of one source address run out.
class dialer {
 public:
  explicit dialer(target const& where) : where_(where) {}

  /// A socket that is connecting; on failure an empty one, with `errno` set.
  unique_fd dial() {
    for (;;) {
      unique_fd fd(::socket(where_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (fd.get() < 0) return fd;
      int const on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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
