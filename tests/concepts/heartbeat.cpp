#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_heartbeat<archetypes::heartbeat>;
template class hawser::basic_server<set>;
template class hawser::basic_client<set>;

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

}  // namespace

TEST_CASE("concepts: the heartbeat archetype serves server and client", "[concepts]") {
  concepts_test::use_server<set>();
  concepts_test::use_client<set>();
}
