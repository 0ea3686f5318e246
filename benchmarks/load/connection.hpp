// One connection to the server under load: its socket, what it still has to send, what it reads.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <hawser/codec/http/parse.hpp>

#include "echo_reader.hpp"
#include "traffic.hpp"

namespace load {

enum class phase : std::uint8_t { idle, connecting, handshake, open, lost };

/// Owns a file descriptor.
class unique_fd {
 public:
  explicit unique_fd(int fd = -1) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  void reset() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// What is known of an opening handshake that is under way.
struct handshake {
  std::string key;
  hawser::http::response_parser parser;
};

struct connection {
  unique_fd socket;
  phase state = phase::idle;
  bool write_armed = false;            ///< epoll watches for writability
  std::unique_ptr<handshake> opening;  ///< until it is answered
  echo_reader reader;

  std::uint64_t outstanding = 0;  ///< sent (or queued to be) and not answered
  std::uint64_t due = 0;          ///< scheduled by now and not sent, in an open loop
  std::uint64_t answered = 0;     ///< in this window
  std::size_t times_at = 0;       ///< ring position of the oldest unanswered message's time

  bool all_sent() const noexcept { return unsent_ == 0 && control_.empty(); }

  void queue(traffic const& plan, std::size_t messages) noexcept {
    unsent_ += messages * plan.frame_size();
  }

  /// Queues a control frame behind the message that is being sent.
  void queue_control(ws::opcode code, bytes_view payload) {
    std::array<std::byte, ws::max_header_size> header;
    auto const word = static_cast<std::uint32_t>(std::random_device{}());
    ws::mask_key key_bytes;
    std::memcpy(key_bytes.data(), &word, key_bytes.size());
    std::size_t const size = ws::write_header(header.data(), code, payload.size(), key_bytes);
    control_.append(hawser::as_text({header.data(), size}));
    std::size_t const body = control_.size();
    control_.append(hawser::as_text(payload));
    auto* const bytes = reinterpret_cast<std::byte*>(control_.data());
    ws::apply_mask(mutable_bytes{bytes + body, payload.size()}, key_bytes);
  }

  /// Sends what the socket takes; false when the connection is broken.
  bool flush(traffic const& plan) {
    while (!all_sent()) {
      std::size_t const into_frame = send_at_ % plan.frame_size();
      bool const control_first = !control_.empty() && (control_begun_ || into_frame == 0);
      // Only a waiting control frame forbids sending all that there is at once.
      std::size_t const up_to = control_.empty() ? unsent_ : plan.frame_size() - into_frame;
      void const* const from = control_first ? static_cast<void const*>(control_.data())
                                             : static_cast<void const*>(plan.block() + send_at_);
      std::size_t const count = control_first ? control_.size() : up_to;
      ssize_t const sent = ::send(socket.get(), from, count, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
      advance(plan, control_first, static_cast<std::size_t>(sent));
      if (static_cast<std::size_t>(sent) < count) return true;
    }
    return true;
  }

 private:
  void advance(traffic const& plan, bool control, std::size_t sent) {
    if (control) {
      control_.erase(0, sent);
      control_begun_ = !control_.empty();
      return;
    }
    unsent_ -= sent;
    send_at_ += sent;
    if (send_at_ >= plan.cycle_size()) send_at_ -= plan.cycle_size();
  }

  std::size_t send_at_ = 0;  // into the block
  std::size_t unsent_ = 0;   // bytes of the block from there
  std::string control_;
  bool control_begun_ = false;
};

}  // namespace load
