// One connection to the server under load: its socket, what it still has to send, what it reads.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include <hawser/codec/http/parse.hpp>

#include "echo_reader.hpp"
#include "polling.hpp"
#include "socketio.hpp"
#include "tls_line.hpp"
#include "traffic.hpp"
#include "unique_fd.hpp"

namespace load {

enum class phase : std::uint8_t { idle, connecting, handshake, open, lost };

/// What is known of an opening handshake that is under way.
struct handshake {
  std::string key;
  hawser::http::response_parser parser;
  bool upgraded = false;  ///< what is left is the greeting of Socket.IO
  socketio::greeting greeting;
  std::string unread;  ///< frames of the greeting
};

/// A masked frame.
inline std::string client_frame(ws::opcode code, bytes_view payload) {
  std::array<std::byte, ws::max_header_size> header;
  auto const word = static_cast<std::uint32_t>(std::random_device{}());
  ws::mask_key key;
  std::memcpy(key.data(), &word, key.size());
  std::size_t const size = ws::write_header(header.data(), code, payload.size(), key);
  std::string frame(hawser::as_text({header.data(), size}));
  frame.append(hawser::as_text(payload));
  auto* const bytes = reinterpret_cast<std::byte*>(frame.data());
  ws::apply_mask(mutable_bytes{bytes + size, payload.size()}, key);
  return frame;
}

struct connection {
  unique_fd socket;
  std::unique_ptr<tls_line> tls;  ///< between the socket and all else
  phase state = phase::idle;
  bool write_armed = false;            ///< epoll watches for writability
  std::unique_ptr<handshake> opening;  ///< until it is answered
  echo_reader reader;
  std::unique_ptr<polling_session> polling;  ///< instead of frames and their reader

  std::uint64_t outstanding = 0;  ///< sent (or queued to be) and not answered
  std::uint64_t due = 0;          ///< scheduled by now and not sent, in an open loop
  std::uint64_t answered = 0;     ///< in this window
  std::size_t times_at = 0;       ///< ring position of the oldest unanswered message's time

  bool all_sent() const noexcept { return unsent_ == 0 && control_.empty(); }

  void queue(traffic const& plan, std::size_t messages) {
    if (polling) return polling->queue_events(plan, messages);
    unsent_ += messages * plan.frame_size();
  }

  /// Queues a frame behind the message that is being sent.
  void queue_frame(ws::opcode code, bytes_view payload) { control_ += client_frame(code, payload); }

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
      ssize_t const sent = put(from, count);
      if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
      advance(plan, control_first, static_cast<std::size_t>(sent));
      if (static_cast<std::size_t>(sent) < count) return true;
    }
    return true;
  }

 private:
  ssize_t put(void const* from, std::size_t count) noexcept {
    if (tls) return tls->send(from, count);
    return ::send(socket.get(), from, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

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
