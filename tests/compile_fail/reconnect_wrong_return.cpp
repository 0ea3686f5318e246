// EXPECT: reconnect_policy
#include <hawser/policies.hpp>

// A policy that can't give up: it answers a time instead of perhaps one.
struct for_ever {
  struct options {};
  explicit for_ever(options const&) noexcept {}
#ifdef CORRECTED
  std::optional<std::chrono::milliseconds>
#else
  std::chrono::milliseconds
#endif
  next(hawser::attempt_failure const&, std::uint64_t) noexcept {
    return std::chrono::milliseconds{100};
  }
  void reset() noexcept {}
};

using chosen = hawser::policies<>::with_reconnect<for_ever>;
