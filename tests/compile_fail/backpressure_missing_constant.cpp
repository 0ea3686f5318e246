// EXPECT: backpressure_policy
#include <hawser/policies.hpp>

// Backpressure that doesn't say whether keys replace.
struct valve {
  struct options {};
#ifdef CORRECTED
  static constexpr bool replaces_by_key = false;
#endif
  explicit valve(options const&) {}
  hawser::verdict admit(hawser::backlog, std::size_t) const noexcept { return {}; }
};

using chosen = hawser::websocket_policies::with_backpressure<valve>;
