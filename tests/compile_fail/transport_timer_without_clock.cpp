// EXPECT: transport_timer
#include <hawser/policies.hpp>

// A timer that nobody can ask for the time.
struct timer {
  explicit timer(hawser::tcp::context&) {}
#ifdef CORRECTED
  hawser::time_point now() const noexcept { return {}; }
#endif
  template <class Handler>
  void wait_until(hawser::time_point, Handler&&) {}
  void cancel() noexcept {}
};
struct clockless : hawser::tcp {
  using timer = ::timer;
};

using chosen = hawser::websocket_policies::with_transport<clockless>;
