// The connections to the server, the epoll set that watches them, and how they are opened.
#pragma once

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/ws/handshake.hpp>

#include "connection.hpp"
#include "options.hpp"
#include "target.hpp"

namespace load {

/// A monotonic clock in nanoseconds.
inline std::uint64_t now_ns() noexcept {
  auto const since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

inline constexpr std::uint64_t second_ns = 1'000'000'000;

/// Told now and then how far the work is.
using progress = std::function<void(double fraction, std::uint64_t done, char const* what)>;

class connection_pool {
 public:
  connection_pool(options const& chosen, traffic const& plan, target const& where)
      : target_(where),
        plan_(plan),
        polling_(chosen.polling),
        dialer_(target_),
        ramp_ns_(static_cast<std::uint64_t>(chosen.ramp_up * 1e9)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        connections_(chosen.connections),
        inbox_(inbox_size) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (chosen.connections * (polling_ ? 2 : 1) + 16 > files.rlim_max) {
      throw failure("only " + std::to_string(files.rlim_max) +
                    " open files are allowed (ulimit -Hn)");
    }
  }

  std::span<connection> all() noexcept { return connections_; }
  std::size_t open_count() const noexcept { return open_count_; }
  int epoll() const noexcept { return epoll_.get(); }

  /// The connection of an event that `ready` gave.
  connection& of(epoll_event const& event) noexcept {
    return connections_[event.data.u64 & ~post_bit];
  }
  /// Whether the event is of the second connection that polling has for its POSTs.
  static bool is_post(epoll_event const& event) noexcept {
    return (event.data.u64 & post_bit) != 0;
  }

  std::size_t index_of(connection const& c) const noexcept {
    return static_cast<std::size_t>(&c - connections_.data());
  }

  /// Opens all connections, spread over the ramp-up. Throws `failure` at the first that fails.
  /// Those that are open already have `handler.handle(connection, event)` called meanwhile, and
  /// `handler.received(connection, bytes, now)` for bytes right behind a handshake.
  template <class Handler>
  void open_all(progress const& show, Handler& handler) {
    std::uint64_t const start = now_ns();
    std::uint64_t last_success = start;
    std::size_t dialled = 0;
    std::size_t opened = 0;
    while (opened < connections_.size()) {
      std::uint64_t const now = now_ns();
      while (dialled < connections_.size() && dialled - opened < max_dialling &&
             now - start >= ramp_ns_ / connections_.size() * dialled) {
        dial(dialled++);
        last_success = now;
      }
      std::size_t const before = open_count_;
      wait(10'000'000);
      for (epoll_event const& event : ready()) continue_opening(event, handler);
      opened = open_count_;
      if (opened > before) last_success = now_ns();
      if (dialled > opened && now_ns() - last_success > 10 * second_ns) {
        throw failure("the server answered no handshake for 10 s (" + std::to_string(opened) +
                      " connections are open)");
      }
      show(static_cast<double>(opened) / static_cast<double>(connections_.size()), opened,
           "opened");
    }
  }

  /// Waits for events; without end when `timeout_ns` is negative.
  void wait(std::int64_t timeout_ns) {
    timespec const timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    ready_ = ::epoll_pwait2(epoll_.get(), events_, max_events, timeout_ns < 0 ? nullptr : &timeout,
                            nullptr);
  }

  /// What the last `wait` saw.
  std::span<epoll_event const> ready() const noexcept {
    return {events_, static_cast<std::size_t>(std::max(ready_, 0))};
  }

  void watch(connection& c, std::uint32_t events) {
    epoll_event event{events, {.u64 = index_of(c)}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.socket.get(), &event);
  }

  /// One recv into the shared buffer. Empty with `errno` 0 at the end of the stream.
  bytes_view receive(connection const& c) {
    if (!c.tls) return receive(c.socket.get());
    errno = 0;
    ssize_t const got = c.tls->receive(inbox_.data(), inbox_.size());
    return {inbox_.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  bytes_view receive(int fd) {
    errno = 0;
    ssize_t const got = ::recv(fd, inbox_.data(), inbox_.size(), MSG_DONTWAIT);
    return {inbox_.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

  /// Polling: one recv from either connection; false at an end or error that breaks the session.
  /// A server may close the connection of the POSTs while it is not in use.
  bool receive_polling(connection& c, epoll_event const& event, bytes_view& bytes) {
    polling_session& session = *c.polling;
    bytes = receive(is_post(event) ? session.post_socket.get() : c.socket.get());
    if (!bytes.empty() || errno == EAGAIN || errno == EINTR) return true;
    if (!is_post(event) || session.post.waiting()) return false;
    session.post_socket.reset();
    session.post.write_armed = false;
    return true;
  }

  /// Polling: sends what there is to send; false when a connection is broken.
  bool pump(connection& c) {
    polling_session& session = *c.polling;
    session.post_queue();
    if (!session.post.all_sent() && session.post_socket.get() < 0) {
      session.post_socket = dialer_.dial();
      if (session.post_socket.get() < 0) return false;
      session.post.write_armed = true;
      epoll_event event{EPOLLIN | EPOLLOUT, {.u64 = index_of(c) | post_bit}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, session.post_socket.get(), &event);
    }
    return push(session.get, c.socket.get(), index_of(c)) &&
           push(session.post, session.post_socket.get(), index_of(c) | post_bit);
  }

  void forget(connection& c) noexcept {
    c.state = phase::lost;
    c.tls.reset();
    if (c.polling) c.polling->post_socket.reset();
    c.socket.reset();
    --open_count_;
  }

 private:
  static constexpr std::size_t inbox_size = 512 * 1024;
  static constexpr std::size_t max_dialling = 64;
  static constexpr std::string_view deflate_offer =
      "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
  static constexpr int max_events = 1024;
  static constexpr std::uint64_t post_bit = std::uint64_t{1} << 62;

  void dial(std::size_t index) {
    connection& c = connections_[index];
    c.socket = dialer_.dial();
    if (c.socket.get() < 0) fail_opening(index, std::strerror(errno));
    c.state = phase::connecting;
    epoll_event event{EPOLLOUT, {.u64 = index}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, c.socket.get(), &event);
  }

  [[noreturn]] void fail_opening(std::size_t index, std::string const& why) {
    throw failure("connection " + std::to_string(index + 1) + " to " + target_.url.host_field() +
                  " failed: " + why);
  }

  template <class Handler>
  void continue_opening(epoll_event const& event, Handler& handler) {
    connection& c = of(event);
    std::size_t const index = index_of(c);
    if (c.state == phase::open) return handler.handle(c, event);
    if (c.state == phase::connecting) return connected(index, c);
    if (c.state != phase::handshake) return;
    if (c.polling) return continue_polling(event, c);
    bytes_view bytes = receive(c);
    if (bytes.empty() && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes.empty()) {
      fail_opening(index, errno == 0 ? "closed during the handshake" : std::strerror(errno));
    }
    if (!c.opening->upgraded) {
      std::size_t const head = read_switching(index, c, bytes);
      if (!c.opening->upgraded) return;
      bytes = bytes.subspan(head);
    }
    std::string left;
    if (plan_.socketio()) {
      c.opening->unread.append(hawser::as_text(bytes));
      if (!greet(index, c)) return;
      left = std::move(c.opening->unread);
      bytes = hawser::as_bytes(left);
    }
    c.opening.reset();
    opened(c);
    if (!bytes.empty()) handler.received(c, bytes, now_ns());
  }

  void opened(connection& c) noexcept {
    c.state = phase::open;
    ++open_count_;
  }

  /// Returns the bytes of the answer's head.
  std::size_t read_switching(std::size_t index, connection& c, bytes_view bytes) {
    auto const read = c.opening->parser.parse(hawser::as_text(bytes));
    if (read.error) fail_opening(index, read.error.message());
    if (!read.done) return read.consumed;
    auto const answer = c.opening->parser.take();
    if (auto const error = ws::check_switching(answer, c.opening->key)) {
      fail_opening(index, error.message() + " (status " + std::to_string(answer.status()) + ")");
    }
    if (plan_.deflated() && !answer.get("Sec-WebSocket-Extensions")) {
      fail_opening(index, "the server agreed to no compression");
    }
    c.opening->upgraded = true;
    return read.consumed;
  }

  /// Answers the packets that have arrived; true when they were the last of the greeting.
  bool greet(std::size_t index, connection& c) {
    auto& [key, parser, upgraded, greeting, unread] = *c.opening;
    while (!greeting.done) {
      ws::frame_header frame;
      bytes_view const bytes = hawser::as_bytes(unread);
      auto const head = ws::read_header(bytes, ws::role::client, false, frame);
      if (head.error != hawser::errc{}) fail_opening(index, hawser::describe(head.error));
      if (head.size == 0 || bytes.size() - head.size < frame.length) return false;
      if (frame.code != ws::opcode::text || !frame.fin) fail_opening(index, "no text to greet");
      auto const size = static_cast<std::size_t>(frame.length);
      std::string_view const reply =
          greeting.answer(hawser::as_text(bytes.subspan(head.size, size)));
      if (greeting.failure) fail_opening(index, greeting.failure);
      unread.erase(0, head.size + size);
      if (!reply.empty()) {
        send_opening(index, c, client_frame(ws::opcode::text, hawser::as_bytes(reply)));
      }
    }
    return true;
  }

  void continue_polling(epoll_event const& event, connection& c) {
    std::size_t const index = index_of(c);
    bytes_view bytes;
    if (!receive_polling(c, event, bytes)) fail_opening(index, "closed during the greeting");
    if (!bytes.empty()) c.polling->read(plan_, hawser::as_text(bytes), is_post(event));
    if (c.polling->failure) fail_opening(index, c.polling->failure);
    if (!pump(c)) fail_opening(index, std::strerror(errno));
    if (c.polling->greeted() && c.polling->all_posted()) opened(c);
  }

  bool push(http_exchange& exchange, int fd, std::uint64_t id) {
    if (fd < 0) return true;
    if (!exchange.flush(fd)) return false;
    if (exchange.all_sent() == exchange.write_armed) {
      exchange.write_armed = !exchange.write_armed;
      epoll_event event{exchange.write_armed ? EPOLLIN | EPOLLOUT : EPOLLIN, {.u64 = id}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    }
    return true;
  }

  void send_opening(std::size_t index, connection const& c, std::string_view text) {
    ssize_t const sent = c.tls ? c.tls->send(text.data(), text.size())
                               : ::send(c.socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(text.size())) fail_opening(index, std::strerror(errno));
  }

  void connected(std::size_t index, connection& c) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail_opening(index, std::strerror(error));
    if (target_.tls) c.tls = std::make_unique<tls_line>(c.socket.get());
    watch(c, EPOLLIN);
    if (target_.raw) return opened(c);
    c.state = phase::handshake;
    if (polling_) {
      c.polling = std::make_unique<polling_session>(target_.url);
      if (!pump(c)) fail_opening(index, std::strerror(errno));
      return;
    }
    c.opening = std::make_unique<handshake>();
    c.opening->key = fresh_key();
    std::string_view const offer = plan_.deflated() ? deflate_offer : std::string_view();
    send_opening(index, c, *ws::write_upgrade(target_.url, c.opening->key, {}, offer));
  }

  static std::string fresh_key() {
    static std::mt19937 random(std::random_device{}());
    std::array<std::byte, 16> nonce;
    for (auto& byte : nonce) byte = static_cast<std::byte>(random() & 0xff);
    return hawser::codec::base64_encode(nonce);
  }

  target const& target_;
  traffic const& plan_;
  bool polling_;
  dialer dialer_;
  std::uint64_t ramp_ns_;
  unique_fd epoll_;
  std::vector<connection> connections_;
  std::vector<std::byte> inbox_;
  epoll_event events_[max_events];
  int ready_ = 0;
  std::size_t open_count_ = 0;
};

}  // namespace load
