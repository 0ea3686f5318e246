#include <concepts/instantiate.hpp>

#include <type_traits>

// The leanest of everything, and a struct of one's own around it.
using archetypes_only =
    hawser::websocket_policies::with_transport<archetypes::transport>::with_framing<
        archetypes::framing<true>>::with_heartbeat<archetypes::heartbeat>::
        with_rooms<archetypes::rooms>::with_backpressure<archetypes::backpressure>::with_reconnect<
            archetypes::reconnect>::with_offline_queue<archetypes::offline_queue>;
struct named : archetypes_only {};
using archetypes_of_sessions =
    archetypes_only::with_framing<archetypes::session_framing>::with_heartbeat<
        archetypes::session_heartbeat>::with_adapter<archetypes::adapter<true>>;
template class hawser::basic_server<archetypes_only>;
template class hawser::basic_client<archetypes_only>;
template class hawser::basic_server<named>;
template class hawser::basic_server<archetypes_of_sessions>;
template class hawser::basic_client<archetypes_of_sessions>;

namespace {

using hawser::policies;

// The order of the choices makes no difference, and each changes its own axis only.
using one = policies<>::with_rooms<hawser::no_rooms>::with_heartbeat<hawser::no_heartbeat>;
using other = policies<>::with_heartbeat<hawser::no_heartbeat>::with_rooms<hawser::no_rooms>;
static_assert(std::is_same_v<one, other>);
static_assert(std::is_same_v<one::backpressure, policies<>::backpressure>);
static_assert(std::is_same_v<one::framing, hawser::socketio_framing>);
static_assert(std::is_same_v<hawser::websocket_policies::framing, hawser::websocket_framing>);
static_assert(
    std::is_same_v<policies<>::with_rooms<hawser::no_rooms>::with_rooms<hawser::hash_rooms>,
                   policies<>>);

static_assert(hawser::policy_set<policies<>> && hawser::policy_set<named>);
static_assert(!hawser::policy_set<int> && !hawser::policy_set<hawser::tcp>);
struct lacks_rooms {
  using transport = hawser::tcp;
  using framing = hawser::websocket_framing;
  using heartbeat = hawser::no_heartbeat;
  using backpressure = hawser::drop_newest;
  using adapter = hawser::local_adapter;
  using reconnect = hawser::no_reconnect;
  using offline_queue = hawser::no_queue;
};
struct lacks_adapter {
  using transport = hawser::tcp;
  using framing = hawser::websocket_framing;
  using heartbeat = hawser::no_heartbeat;
  using rooms = hawser::no_rooms;
  using backpressure = hawser::drop_newest;
};
struct lacks_queue : lacks_adapter {
  using adapter = hawser::local_adapter;
  using reconnect = hawser::no_reconnect;
};
static_assert(!hawser::policy_set<lacks_rooms> && !hawser::policy_set<lacks_adapter>);
static_assert(!hawser::policy_set<lacks_queue>);

}  // namespace

TEST_CASE("concepts: all archetypes together serve server and client", "[concepts]") {
  concepts_test::use_server<archetypes_only>();
  concepts_test::use_client<archetypes_only>();
  concepts_test::use_server<named>();
  concepts_test::use_socketio_server<archetypes_of_sessions>();
  concepts_test::use_socketio_client<archetypes_of_sessions>();
}
