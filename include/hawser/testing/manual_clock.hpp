// A clock that moves when told to, for code that is handed the time.
#pragma once

#include <chrono>

#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {

/// Time for tests of state machines, policies and timing wheels. What runs on the transport
/// `memory` has the clock of its `memory_network` instead.
class manual_clock {
 public:
  time_point now() const noexcept { return now_; }

  /// Moves on by `time`; the new time.
  time_point advance(duration time) noexcept { return now_ += time; }

  /// What has passed since the clock was made.
  duration elapsed() const noexcept { return now_ - start; }

 private:
  // Not the epoch: an uninitialised time_point can't pass for "now" by accident.
  static constexpr time_point start = time_point{} + std::chrono::hours{24};
  time_point now_ = start;
};

}  // namespace hawser::inline HAWSER_ABI
