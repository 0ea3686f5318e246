// EXPECT: heartbeat_policy
#include <hawser/policies.hpp>

// A heartbeat whose `poll` answers whether the peer lives instead of what to do.
struct pulse {
  struct options {};
  hawser::beat start(options const&, hawser::time_point) noexcept { return {}; }
  void on_received() noexcept {}
#ifdef CORRECTED
  hawser::beat poll(options const&, hawser::time_point) noexcept { return {}; }
#else
  bool poll(options const&, hawser::time_point) noexcept { return {}; }
#endif
};

using chosen = hawser::websocket_policies::with_heartbeat<pulse>;
