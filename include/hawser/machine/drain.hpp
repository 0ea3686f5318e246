// How a server empties itself: who is asked to leave when.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {

/// When and how fast a server is emptied.
struct drain_plan {
  std::chrono::milliseconds window{10'000};    ///< over which the connections are closed
  std::chrono::milliseconds deadline{30'000};  ///< when those that are left are cut
};

/// Spreads the goodbyes evenly over the window, so that the clients don't all come to the other
/// servers at once.
class drain_schedule {
 public:
  void begin(drain_plan const& plan, time_point now, std::size_t connections) noexcept {
    began_ = true;
    began_at_ = now;
    window_ = plan.window;
    deadline_ = now + std::max(plan.deadline, plan.window);
    total_ = connections;
  }
  bool began() const noexcept { return began_; }
  time_point deadline() const noexcept { return deadline_; }

  /// How many more are to be closed by now; everybody once the window is over.
  std::size_t due(time_point now) noexcept {
    auto const elapsed = now - began_at_;
    if (elapsed >= window_) return ~std::size_t{0};
    auto const share = total_ * static_cast<std::size_t>(elapsed / step + 1) /
                       (static_cast<std::size_t>(window_ / step) + 1);
    std::size_t const more = share - std::min(share, asked_);
    asked_ += more;
    return more;
  }

  time_point next(time_point now) const noexcept {
    return now < began_at_ + window_ ? now + step : deadline_;
  }

 private:
  static constexpr auto step = std::chrono::milliseconds{20};
  bool began_ = false;
  time_point began_at_{};
  time_point deadline_{};
  duration window_{};
  std::size_t total_ = 0;
  std::size_t asked_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
