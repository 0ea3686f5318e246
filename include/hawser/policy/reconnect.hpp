// Reconnection: when a client dials again, and when it gives up.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <system_error>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What is known about why there is no connection.
struct attempt_failure {
  std::error_code error{};
  int status = 0;                                          ///< of the HTTP answer; 0: none came
  std::optional<std::chrono::milliseconds> retry_after{};  ///< what that answer asks for
  std::optional<close_code> code{};                        ///< of a WebSocket's end
};

/// Decides when to dial again. One object per client.
///
/// *Semantics*: `next` is asked after every failure and answers the time to wait, or nothing to
/// give up; `random` is uniform, and the only chance that it has. `reset` tells that a connection
/// was made. *Exemplar*: `no_reconnect`. *Models*: `exponential_backoff`, `no_reconnect`.
template <class R>
concept reconnect_policy =
    std::movable<R> && std::constructible_from<R, typename R::options const&> &&
    requires(R r, attempt_failure const& why, std::uint64_t random) {
      { r.next(why, random) } noexcept -> std::same_as<std::optional<std::chrono::milliseconds>>;
      { r.reset() } noexcept -> std::same_as<void>;
    };

/// Waits longer after each failure. Jitter comes after the cap: else all clients of a server that
/// stays away for long would come back in step with each other.
///
/// A server that restarts (1012) or is too busy (1013) is not run down: the first attempt is spread
/// evenly over `restart_window`. `Retry-After` is obeyed up to `max_retry_after`, and jitter only
/// adds to it.
class exponential_backoff {
 public:
  struct options {
    std::chrono::milliseconds first_delay{1'000};
    double factor = 2.0;  ///< from one delay to the next; below 1 it is 1
    std::chrono::milliseconds max_delay{5'000};
    double jitter = 0.5;  ///< 0 to 1: the share of a delay that is added or taken away at most
    std::optional<std::uint32_t> attempts{};  ///< since the last connection; absent: endless
    std::chrono::milliseconds restart_window{10'000};
    std::chrono::milliseconds max_retry_after{300'000};
  };

  explicit exponential_backoff(options const& numbers) noexcept : numbers_(numbers) { reset(); }

  std::optional<std::chrono::milliseconds> next(attempt_failure const& why,
                                                std::uint64_t random) noexcept {
    if (numbers_.attempts && made_ >= *numbers_.attempts) return std::nullopt;
    bool const is_first = made_ == 0;
    if (made_ < UINT32_MAX) ++made_;
    double const chance = fraction(random);
    double const step = delay_;
    delay_ = std::min(delay_ * std::max(numbers_.factor, 1.0), limit(numbers_.max_delay));
    bool const restarts =
        why.code == close_code::service_restart || why.code == close_code::try_again_later;
    double wanted = step * (1.0 + jitter() * (2.0 * chance - 1.0));
    if (is_first && restarts) wanted = limit(numbers_.restart_window) * chance;
    if (why.retry_after) {
      double const asked = std::min(limit(*why.retry_after), limit(numbers_.max_retry_after));
      wanted = std::max(wanted, asked * (1.0 + jitter() * chance));
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(wanted));
  }

  void reset() noexcept {
    made_ = 0;
    delay_ = std::min(limit(numbers_.first_delay), limit(numbers_.max_delay));
  }

 private:
  // Eleven days: beyond it nobody waits, and nothing overflows.
  static constexpr double most = 1e9;

  static double limit(std::chrono::milliseconds time) noexcept {
    return std::clamp(static_cast<double>(time.count()), 0.0, most);
  }
  // 0 to 1, from as many bits as a double has.
  static double fraction(std::uint64_t random) noexcept {
    return static_cast<double>(random >> 11) * 0x1p-53;
  }
  double jitter() const noexcept { return std::clamp(numbers_.jitter, 0.0, 1.0); }

  options numbers_;
  double delay_ = 0;
  std::uint32_t made_ = 0;
};

/// What ended stays ended, until the user connects again.
class no_reconnect {
 public:
  struct options {};
  explicit no_reconnect(options const&) noexcept {}
  std::optional<std::chrono::milliseconds> next(attempt_failure const&, std::uint64_t) noexcept {
    return std::nullopt;
  }
  void reset() noexcept {}
};

}  // namespace hawser::inline HAWSER_ABI
