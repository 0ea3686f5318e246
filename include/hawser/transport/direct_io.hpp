// Receiving and sending on a socket's descriptor, past the library that waits for it.
#pragma once

#if !defined(_WIN32)
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// How many pieces one call sends at most.
inline constexpr std::size_t max_gather = 64;

/// What the last call on a descriptor failed of.
[[gnu::noinline]] inline io_result failed_io() noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, would_block()};
  return {0, std::error_code(errno, asio::error::get_system_category())};
}

/// `byte_stream::read_some` for a descriptor that doesn't block.
inline io_result receive_now(int descriptor, mutable_bytes in) noexcept {
  for (;;) {
    ssize_t const got = ::recv(descriptor, in.data(), in.size(), 0);
    if (got > 0 || in.empty()) [[likely]]
      return {static_cast<std::size_t>(got > 0 ? got : 0)};
    if (got == 0) return {0, make_error_code(asio::error::eof)};
    if (errno != EINTR) return failed_io();
  }
}

#if defined(MSG_NOSIGNAL)
inline constexpr int send_flags = MSG_NOSIGNAL;
#else
inline constexpr int send_flags = 0;  // Asio has set SO_NOSIGPIPE
#endif

// Several pieces in one call; out of line, as mostly there is one.
[[gnu::noinline]] inline ssize_t send_gathered(int descriptor,
                                               std::span<bytes_view const> out) noexcept {
  std::array<iovec, max_gather> pieces;
  std::size_t const count = std::min(out.size(), max_gather);
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = {const_cast<std::byte*>(out[i].data()), out[i].size()};
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return ::sendmsg(descriptor, &message, send_flags);
}

/// `byte_stream::write_some` likewise. A peer that has gone is told by the error, not by a signal.
inline io_result send_now(int descriptor, std::span<bytes_view const> out) noexcept {
  if (out.empty()) return {};
  for (;;) {
    ssize_t const sent = out.size() == 1
                             ? ::send(descriptor, out[0].data(), out[0].size(), send_flags)
                             : send_gathered(descriptor, out);
    if (sent >= 0) [[likely]]
      return {static_cast<std::size_t>(sent)};
    if (errno != EINTR) return failed_io();
  }
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
#endif
