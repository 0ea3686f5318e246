// Heartbeats: when to probe a silent peer, and when it counts as dead.
#pragma once

#include <chrono>
#include <concepts>

#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a heartbeat wants done now, and when it wants to be asked again.
struct beat {
  enum class action { wait, ping, expired };
  action what = action::wait;
  time_point next = time_point::max();  ///< `time_point::max()`: never
};

/// Decides the life and death of one connection. One object per connection, so keep it small;
/// numbers are in `options`, shared by all.
///
/// *Semantics*: `start` is called when the connection opens, `on_received` when any bytes arrive
/// (often: it must not read a clock), `poll` at or after the time last asked for. Answer `expired`
/// only after a `ping`. Before a peer is given up, what it has sent is read and `poll` is
/// asked again, so that a process that stalled loses nobody.
/// *Exemplar*: `no_heartbeat`. *Models*: `server_ping`, `websocket_ping`, `no_heartbeat`.
template <class H>
concept heartbeat_policy = std::movable<H> && std::default_initializable<H> &&
                           requires(H h, typename H::options const& numbers, time_point now) {
                             { h.start(numbers, now) } noexcept -> std::same_as<beat>;
                             { h.on_received() } noexcept -> std::same_as<void>;
                             { h.poll(numbers, now) } noexcept -> std::same_as<beat>;
                           };

/// What an Engine.IO client is told: it gives the connection up after both without a ping.
struct announced_heartbeat {
  std::chrono::milliseconds interval;
  std::chrono::milliseconds timeout;
};

/// A heartbeat that Engine.IO sessions can have: it pings at a known pace. *Models*: `server_ping`,
/// `no_heartbeat`.
template <class H>
concept session_heartbeat_policy =
    heartbeat_policy<H> && requires(typename H::options const& numbers) {
      { H::announced(numbers) } noexcept -> std::same_as<announced_heartbeat>;
    };

/// Pings a peer that was silent, with a WebSocket Ping frame; any byte counts as life (RFC 6455
/// section 5.5.2). Silence is noticed to the half of `ping_after`.
class websocket_ping {
 public:
  struct options {
    std::chrono::milliseconds ping_after{60'000};  ///< silence before a ping
    std::chrono::milliseconds timeout{60'000};     ///< silence after it that is the end
  };

  beat start(options const& numbers, time_point now) noexcept {
    since_ = now;
    heard_ = pinged_ = false;
    return {beat::action::wait, now + numbers.ping_after / 2};
  }

  void on_received() noexcept { heard_ = true; }

  beat poll(options const& numbers, time_point now) noexcept {
    if (heard_) return start(numbers, now);
    if (pinged_) {
      if (now >= since_ + numbers.timeout) return {beat::action::expired, now};
      return {beat::action::wait, since_ + numbers.timeout};
    }
    if (now < since_ + numbers.ping_after) {
      return {beat::action::wait, since_ + numbers.ping_after};
    }
    pinged_ = true;
    since_ = now;
    return {beat::action::ping, now + numbers.timeout};
  }

 private:
  time_point since_{};  // that it is silent, or was pinged
  bool heard_ = false;
  bool pinged_ = false;
};

/// Pings at an interval whatever else arrives, and wants an answer in time: Engine.IO's own
/// heartbeat, whose numbers the client is told. `on_received` means the pong and nothing else.
class server_ping {
 public:
  struct options {
    std::chrono::milliseconds ping_interval{25'000};  ///< from a pong to the next ping
    std::chrono::milliseconds ping_timeout{20'000};   ///< from a ping to the end, without a pong
  };

  static announced_heartbeat announced(options const& numbers) noexcept {
    return {numbers.ping_interval, numbers.ping_timeout};
  }

  beat start(options const& numbers, time_point now) noexcept {
    pinged_ = heard_ = false;
    return {beat::action::wait, now + numbers.ping_interval};
  }

  void on_received() noexcept { heard_ = true; }

  beat poll(options const& numbers, time_point now) noexcept {
    if (pinged_ && heard_) return start(numbers, now);
    if (pinged_) return {beat::action::expired, now};
    pinged_ = true;
    heard_ = false;
    return {beat::action::ping, now + numbers.ping_timeout};
  }

 private:
  bool pinged_ = false;
  bool heard_ = false;
};

/// Leaves finding dead peers to TCP (`TCP_USER_TIMEOUT` and keep-alive).
class no_heartbeat {
 public:
  struct options {};
  /// Eleven days, the most that JavaScript's timers take.
  static announced_heartbeat announced(options const&) noexcept {
    constexpr std::chrono::milliseconds most{1'000'000'000};
    return {most, most};
  }
  beat start(options const&, time_point) noexcept { return {}; }
  void on_received() noexcept {}
  beat poll(options const&, time_point) noexcept { return {}; }
};

}  // namespace hawser::inline HAWSER_ABI
