#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_heartbeat<archetypes::heartbeat>;
template class hawser::basic_server<set>;
template class hawser::basic_client<set>;
using with_sessions = hawser::policies<>::with_heartbeat<archetypes::session_heartbeat>;
template class hawser::basic_server<with_sessions>;

namespace {

using good = archetypes::heartbeat;
using hawser::beat;
using hawser::heartbeat_policy;
using hawser::time_point;

static_assert(heartbeat_policy<good> && !std::is_copy_constructible_v<good>);

struct immovable : good {
  immovable() = default;
  immovable(immovable&&) = delete;
};
struct not_default : good {
  explicit not_default(int) {}
};
struct start_returns_void : good {
  void start(options const&, time_point) noexcept {}
};
struct start_throws : good {
  beat start(options const&, time_point) { return {}; }
};
struct start_lacks_time : good {
  beat start(options const&) noexcept { return {}; }
};
struct received_returns : good {
  bool on_received() noexcept { return true; }
};
struct received_throws : good {
  void on_received() {}
};
struct poll_returns_bool : good {
  bool poll(options const&, time_point) noexcept { return true; }
};
struct poll_throws : good {
  beat poll(options const&, time_point) { return {}; }
};
struct changes_options : good {
  beat poll(options&, time_point) noexcept { return {}; }
};
static_assert(!heartbeat_policy<immovable> && !heartbeat_policy<not_default>);
static_assert(!heartbeat_policy<start_returns_void> && !heartbeat_policy<start_throws> &&
              !heartbeat_policy<start_lacks_time>);
static_assert(!heartbeat_policy<received_returns> && !heartbeat_policy<received_throws>);
static_assert(!heartbeat_policy<poll_returns_bool> && !heartbeat_policy<poll_throws> &&
              !heartbeat_policy<changes_options>);
static_assert(!heartbeat_policy<int> && !heartbeat_policy<hawser::no_rooms>);

// Sessions need to know the pace.
using announced = archetypes::session_heartbeat;
using hawser::session_heartbeat_policy;
struct announces_one_number : good {
  static std::chrono::milliseconds announced(options const&) noexcept { return {}; }
};
struct announces_by_throwing : good {
  static hawser::announced_heartbeat announced(options const&) { return {}; }
};
struct announces_without_numbers : good {
  static hawser::announced_heartbeat announced() noexcept { return {}; }
};
struct announces_each : good {
  hawser::announced_heartbeat announced(options const&) noexcept { return {}; }
};
static_assert(session_heartbeat_policy<announced> && !session_heartbeat_policy<good>);
static_assert(!session_heartbeat_policy<announces_one_number> &&
              !session_heartbeat_policy<announces_by_throwing> &&
              !session_heartbeat_policy<announces_without_numbers> &&
              !session_heartbeat_policy<announces_each>);
static_assert(!session_heartbeat_policy<hawser::websocket_ping>);

}  // namespace

TEST_CASE("concepts: the heartbeat archetype serves server and client", "[concepts]") {
  concepts_test::use_server<set>();
  concepts_test::use_client<set>();
  concepts_test::use_socketio_server<with_sessions>();
}
