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
  connection_pool(options const& chosen, target const& where)
      : target_(where),
        dialer_(target_),
        ramp_ns_(static_cast<std::uint64_t>(chosen.ramp_up * 1e9)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        connections_(chosen.connections),
        inbox_(inbox_size) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (chosen.connections + 16 > files.rlim_max) {
      throw failure("only " + std::to_string(files.rlim_max) +
                    " open files are allowed (ulimit -Hn)");
    }
  }

  std::span<connection> all() noexcept { return connections_; }
  std::size_t open_count() const noexcept { return open_count_; }
  int epoll() const noexcept { return epoll_.get(); }

  std::size_t index_of(connection const& c) const noexcept {
    return static_cast<std::size_t>(&c - connections_.data());
  }

  /// Opens all connections, spread over the ramp-up. Throws `failure` at the first that fails.
  /// Those that are open already have `handler.handle(connection, events)` called meanwhile, and
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

  /// What the last `wait` saw; `data.u64` is the index of the connection.
  std::span<epoll_event const> ready() const noexcept {
    return {events_, static_cast<std::size_t>(std::max(ready_, 0))};
  }

  void watch(connection& c, std::uint32_t events) {
    epoll_event event{events, {.u64 = index_of(c)}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.socket.get(), &event);
  }

  /// One recv into the shared buffer. Empty with `errno` 0 at the end of the stream.
  bytes_view receive(connection const& c) {
    errno = 0;
    ssize_t const got = ::recv(c.socket.get(), inbox_.data(), inbox_.size(), MSG_DONTWAIT);
    return {inbox_.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

  void forget(connection& c) noexcept {
    c.state = phase::lost;
    c.socket.reset();
    --open_count_;
  }

 private:
  static constexpr std::size_t inbox_size = 512 * 1024;
  static constexpr std::size_t max_dialling = 64;
  static constexpr int max_events = 1024;

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
    auto const index = static_cast<std::size_t>(event.data.u64);
    connection& c = connections_[index];
    if (c.state == phase::open) return handler.handle(c, event.events);
    if (c.state == phase::connecting) return connected(index, c);
    if (c.state != phase::handshake) return;
    bytes_view const bytes = receive(c);
    if (bytes.empty() && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes.empty()) {
      fail_opening(index, errno == 0 ? "closed during the handshake" : std::strerror(errno));
    }
    auto const read = c.opening->parser.parse(hawser::as_text(bytes));
    if (read.error) fail_opening(index, read.error.message());
    if (!read.done) return;
    auto const answer = c.opening->parser.take();
    if (auto const error = ws::check_switching(answer, c.opening->key)) {
      fail_opening(index, error.message() + " (status " + std::to_string(answer.status()) + ")");
    }
    c.opening.reset();
    c.state = phase::open;
    ++open_count_;
    bytes_view const early = bytes.subspan(read.consumed);
    if (!early.empty()) handler.received(c, early, now_ns());
  }

  void connected(std::size_t index, connection& c) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail_opening(index, std::strerror(error));
    watch(c, EPOLLIN);
    if (target_.raw) {
      c.state = phase::open;
      ++open_count_;
      return;
    }
    c.state = phase::handshake;
    c.opening = std::make_unique<handshake>();
    c.opening->key = fresh_key();
    std::string const request = *ws::write_upgrade(target_.url, c.opening->key);
    ssize_t const sent = ::send(c.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) fail_opening(index, std::strerror(errno));
  }

  static std::string fresh_key() {
    static std::mt19937 random(std::random_device{}());
    std::array<std::byte, 16> nonce;
    for (auto& byte : nonce) byte = static_cast<std::byte>(random() & 0xff);
    return hawser::codec::base64_encode(nonce);
  }

  target const& target_;
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
