// Token buckets for what one peer may send: messages, bytes and control frames.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {

/// A sustained rate and how much may come at once. A rate of 0 is no limit.
struct rate_limit {
  double per_second = 0;
  double burst = 0;

  bool limits() const noexcept { return per_second > 0; }
};

/// Limits for each connection. Over one, the peer is not read from until it is within again; what
/// goes on for `patience`, or for control frames the third time, is answered with 1008.
struct rate_limits {
  rate_limit messages{};                               ///< off until set
  rate_limit bytes{};                                  ///< of messages, inflated; off until set
  rate_limit control{.per_second = 10, .burst = 200};  ///< pings, pongs
  std::chrono::milliseconds patience{10'000};

  bool limits_messages() const noexcept { return messages.limits() || bytes.limits(); }
};

enum class rate_kind : std::uint8_t { message, control };

enum class rate_verdict : std::uint8_t {
  within,   ///< go on
  wait,     ///< take this one, then read nothing before `until`
  exceeded  ///< enough
};

/// The buckets of one connection; made only when something is limited.
class rate_guard {
 public:
  rate_guard(rate_limits const& limits, time_point now) : limits_(limits), filled_at_(now) {
    tokens_ = {limits.messages.burst, limits.bytes.burst, limits.control.burst};
  }

  rate_verdict take(rate_kind kind, std::size_t bytes, time_point now) noexcept {
    refill(now);
    double missing = 0;
    if (kind == rate_kind::control) {
      missing = spend(2, limits_.control, 1);
    } else {
      missing = std::max(spend(0, limits_.messages, 1),
                         spend(1, limits_.bytes, static_cast<double>(bytes)));
    }
    if (missing <= 0) return rate_verdict::within;
    if (kind == rate_kind::control && ++strikes_ >= max_strikes) return rate_verdict::exceeded;
    // A gap of a second without waiting ends a streak.
    if (now > until_ + std::chrono::seconds{1}) waiting_since_ = now;
    if (now >= waiting_since_ + limits_.patience) return rate_verdict::exceeded;
    auto const wait = std::chrono::duration<double>(std::min(missing, longest_wait));
    until_ = now + std::chrono::duration_cast<duration>(wait) + duration{1};
    return rate_verdict::wait;
  }

  time_point until() const noexcept { return until_; }

 private:
  static constexpr int max_strikes = 3;
  static constexpr double longest_wait = 24 * 3'600;  // seconds; far beyond every patience

  void refill(time_point now) noexcept {
    double const seconds = std::chrono::duration<double>(now - filled_at_).count();
    filled_at_ = now;
    std::array<rate_limit const*, 3> const limits{&limits_.messages, &limits_.bytes,
                                                  &limits_.control};
    for (std::size_t i = 0; i < limits.size(); ++i) {
      tokens_[i] = std::min(limits[i]->burst, tokens_[i] + seconds * limits[i]->per_second);
    }
  }

  // Takes tokens, on credit if need be; answers how many seconds the credit is worth.
  double spend(std::size_t bucket, rate_limit const& limit, double amount) noexcept {
    if (!limit.limits()) return 0;
    tokens_[bucket] -= amount;
    return tokens_[bucket] >= 0 ? 0 : -tokens_[bucket] / limit.per_second;
  }

  rate_limits limits_;
  std::array<double, 3> tokens_{};
  time_point filled_at_;
  time_point until_{};
  time_point waiting_since_{};
  int strikes_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
