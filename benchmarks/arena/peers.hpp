// The load's connections: how they are opened, and the frames that arrive on them.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <hawser/codec/ws/frame.hpp>
#include <hawser/codec/ws/handshake.hpp>

#include "../load/connection.hpp"
#include "../load/target.hpp"
#include "protocol.hpp"

namespace arena {

namespace ws = hawser::ws;
using hawser::bytes_view;

/// One connection, blocking until it is open.
class peer {
 public:
  /// Connects and asks for the upgrade. `receive_buffer`: 0 as the system has it.
  void dial(std::uint16_t port, bool socketio, int receive_buffer) {
    socket_ = load::unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
      // Segments as on a real network: those of the loopback never fit into so small a buffer, and
      // its peer's kernel would take the connection for dead.
      option(SOL_SOCKET, SO_RCVBUF, receive_buffer);
      option(IPPROTO_TCP, TCP_MAXSEG, 1400);
    }
    option(IPPROTO_TCP, TCP_NODELAY, 1);
    timeval const patience{10, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) broken("connect");
    say_raw("GET " + std::string(socketio ? load::socketio::endpoint("/", false) : "/") +
            " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }

  /// Reads the answer, and greets; from then on nothing blocks.
  void open(bool socketio) {
    hawser::http::response_parser parser;
    for (bool done = false; !done;) {
      std::string arrived = hear();
      auto const read = parser.parse(arrived);
      if (read.error) throw load::failure("bad handshake: " + read.error.message());
      done = read.done;
      if (done) rest_ = arrived.substr(read.consumed);
    }
    auto const answer = parser.take();
    if (ws::check_switching(answer, "dGhlIHNhbXBsZSBub25jZQ==")) {
      throw load::failure("the server refused with status " + std::to_string(answer.status()));
    }
    if (socketio) greet();
    ::fcntl(fd(), F_SETFL, ::fcntl(fd(), F_GETFL) | O_NONBLOCK);
  }

  int fd() const noexcept { return socket_.get(); }

  /// Small frames: the socket takes them in one piece, or the server reads nothing.
  void say(ws::opcode code, std::string_view content) {
    say_raw(load::client_frame(code, hawser::as_bytes(content)));
  }
  void say_raw(std::string_view bytes) {
    auto const sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(bytes.size())) broken("send");
  }

  /// Calls `heard(opcode, content)` for every whole frame that has arrived with these bytes.
  template <class Heard>
  void read(bytes_view in, Heard&& heard) {
    if (rest_.empty()) return keep(frames(in, heard));
    rest_.append(hawser::as_text(in));
    std::string const whole = std::exchange(rest_, {});
    keep(frames(hawser::as_bytes(whole), heard));
  }

  [[noreturn]] static void broken(char const* what) {
    throw load::failure(std::string("could not ") + what + ": " +
                        (errno == 0 ? "the server closed the connection" : std::strerror(errno)));
  }

 private:
  void option(int level, int name, int value) {
    ::setsockopt(fd(), level, name, &value, sizeof value);
  }

  std::string hear() {
    std::string arrived(4096, '\0');
    errno = 0;
    auto const got = ::recv(fd(), arrived.data(), arrived.size(), 0);
    if (got <= 0) broken("open a connection");
    arrived.resize(static_cast<std::size_t>(got));
    return arrived;
  }

  void greet() {
    load::socketio::greeting greeting;
    auto const heard = [&](ws::opcode, bytes_view content) {
      if (greeting.done) throw load::failure("the server speaks before it is spoken to");
      auto const reply = greeting.answer(hawser::as_text(content));
      if (greeting.failure) throw load::failure(greeting.failure);
      if (!reply.empty()) say(ws::opcode::text, reply);
    };
    for (read({}, heard); !greeting.done;) {
      std::string const arrived = hear();
      read(hawser::as_bytes(arrived), heard);
    }
  }

  void keep(bytes_view unfinished) { rest_.append(hawser::as_text(unfinished)); }

  /// Answers what is left.
  template <class Heard>
  static bytes_view frames(bytes_view in, Heard&& heard) {
    for (;;) {
      ws::frame_header frame;
      auto const head = ws::read_header(in, ws::role::client, false, frame);
      if (head.error != hawser::errc{}) throw load::failure(hawser::describe(head.error));
      if (head.size == 0 || in.size() - head.size < frame.length) return in;
      if (!frame.fin) throw load::failure("a fragment");
      auto const size = static_cast<std::size_t>(frame.length);
      heard(frame.code, in.subspan(head.size, size));
      in = in.subspan(head.size + size);
    }
  }

  load::unique_fd socket_;
  std::string rest_;  // of a frame that hasn't arrived as a whole
};

/// Reads megabytes and throws them away without a copy, so that the load's own core has time.
class big_reader {
 public:
  /// One read. True when the last byte of a message has arrived; `heard` gets small frames.
  template <class Heard>
  bool read(peer& from, Heard&& heard) {
    if (left_ == 0) {
      std::array<std::byte, ws::max_header_size> head;
      errno = 0;
      auto const got = ::recv(from.fd(), head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) return false;
      if (got <= 0) peer::broken("read a big message");
      bytes_view const arrived{head.data(), static_cast<std::size_t>(got)};
      auto const read = ws::read_header(arrived, ws::role::client, false, frame_);
      if (read.error != hawser::errc{}) throw load::failure(hawser::describe(read.error));
      if (read.size == 0) return false;
      (void)::recv(from.fd(), head.data(), read.size, 0);
      left_ = static_cast<std::size_t>(frame_.length);
      small_.clear();
      return false;
    }
    std::array<char, 4096> piece;
    bool const big = frame_.length > piece.size();
    std::size_t const wanted = std::min(left_, big ? most_at_once : piece.size());
    errno = 0;
    auto const got = ::recv(from.fd(), piece.data(), wanted, MSG_DONTWAIT | (big ? MSG_TRUNC : 0));
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) peer::broken("read a big message");
    left_ -= static_cast<std::size_t>(got);
    if (!big) small_.append(piece.data(), static_cast<std::size_t>(got));
    if (left_ > 0) return false;
    if (!big) heard(frame_.code, hawser::as_bytes(small_));
    return frame_.length == big_message_size;
  }

 private:
  static constexpr std::size_t most_at_once = 128 * 1024;

  ws::frame_header frame_{};
  std::size_t left_ = 0;
  std::string small_;
};

}  // namespace arena
