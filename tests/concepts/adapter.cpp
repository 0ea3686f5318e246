#include <concepts/instantiate.hpp>

using alone = hawser::policies<>::with_adapter<archetypes::adapter<true>>;
using in_cluster = hawser::policies<>::with_adapter<archetypes::adapter<false>>;
using raw = hawser::websocket_policies::with_adapter<archetypes::adapter<true>>;
template class hawser::basic_server<alone>;
template class hawser::basic_server<in_cluster>;
template class hawser::basic_server<raw>;

namespace {

using good = archetypes::adapter<true>;
using hawser::adapter_policy;
using hawser::cluster_answer;
using hawser::cluster_inbox;
using hawser::cluster_operation;

static_assert(adapter_policy<good> && adapter_policy<archetypes::adapter<false>>);
static_assert(!std::is_move_constructible_v<good> && !std::is_default_constructible_v<good>);
static_assert(std::is_same_v<alone::adapter, good>);
static_assert(std::is_same_v<alone::with_adapter<hawser::local_adapter>, hawser::policies<>>);

struct without_inbox : good {
  explicit without_inbox(options const&);
};
struct open_returns_void : good {
  using good::good;
  void open(std::string_view) {}
};
struct close_returns : good {
  using good::good;
  std::error_code close(std::string_view) { return {}; }
};
struct publish_returns_void : good {
  using good::good;
  void publish(cluster_operation const&) {}
};
struct publish_changes : good {
  using good::good;
  std::error_code publish(cluster_operation&) { return {}; }
};
struct answer_returns : good {
  using good::good;
  std::error_code answer(cluster_answer const&) { return {}; }
};
struct others_changes : good {
  using good::good;
  std::size_t others(std::string_view) { return 0; }
};
struct others_of_all : good {
  using good::good;
  std::size_t others() const { return 0; }
};
struct silent {
  struct options {};
  explicit silent(options const&, cluster_inbox&) {}
  std::error_code open(std::string_view) { return {}; }
  void close(std::string_view) {}
  std::error_code publish(cluster_operation const&) { return {}; }
  void answer(cluster_answer const&) {}
  std::size_t others(std::string_view) const { return 0; }
};
static_assert(!adapter_policy<without_inbox> && !adapter_policy<silent>);
static_assert(!adapter_policy<open_returns_void> && !adapter_policy<close_returns>);
static_assert(!adapter_policy<publish_returns_void> && !adapter_policy<publish_changes>);
static_assert(!adapter_policy<answer_returns>);
static_assert(!adapter_policy<others_changes> && !adapter_policy<others_of_all>);
static_assert(!adapter_policy<int> && !adapter_policy<hawser::no_rooms>);

}  // namespace

TEST_CASE("concepts: the adapter archetypes serve servers", "[concepts]") {
  concepts_test::use_socketio_server<alone>();
  concepts_test::use_socketio_server<in_cluster>();
  concepts_test::use_server<raw>();
}
