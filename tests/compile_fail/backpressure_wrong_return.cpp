// EXPECT: backpressure_policy
#include <hawser/policies.hpp>

// Backpressure that answers yes or no instead of one of the verdicts.
struct valve {
  struct options {};
  static constexpr bool replaces_by_key = false;
  explicit valve(options const&) {}
#ifdef CORRECTED
  hawser::verdict admit(hawser::backlog, std::size_t) const noexcept { return {}; }
#else
  bool admit(hawser::backlog, std::size_t) const noexcept { return {}; }
#endif
};

using chosen = hawser::websocket_policies::with_backpressure<valve>;
