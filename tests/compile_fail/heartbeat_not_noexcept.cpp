// EXPECT: heartbeat_policy
#include <hawser/policies.hpp>

// A heartbeat that may throw where it is told about every read.
struct pulse {
  struct options {};
  hawser::beat start(options const&, hawser::time_point) noexcept { return {}; }
#ifdef CORRECTED
  void on_received() noexcept {}
#else
  void on_received() {}
#endif
  hawser::beat poll(options const&, hawser::time_point) noexcept { return {}; }
};

using chosen = hawser::websocket_policies::with_heartbeat<pulse>;
