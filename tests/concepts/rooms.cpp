#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_rooms<archetypes::rooms>;
template class hawser::basic_server<set>;

namespace {

using good = archetypes::rooms;
using hawser::member_id;
using hawser::member_visitor;
using hawser::room_id;
using hawser::room_policy;
using ids = std::span<room_id const>;

static_assert(room_policy<good> && !std::is_copy_constructible_v<good> &&
              !std::is_default_constructible_v<good>);

struct immovable : good {
  using good::good;
  immovable(immovable&&) = delete;
};
struct unseeded : good {
  explicit unseeded(options const& numbers) : good(numbers, 0) {}
};
struct join_returns_void : good {
  using good::good;
  void join(member_id, std::string_view) {}
};
struct leave_returns_void : good {
  using good::good;
  void leave(member_id, std::string_view) {}
};
struct leave_all_returns : good {
  using good::good;
  int leave_all(member_id) { return 0; }
};
struct find_changes : good {
  using good::good;
  room_id find(std::string_view) { return {}; }
};
struct find_returns_number : good {
  using good::good;
  std::uint32_t find(std::string_view) const { return 0; }
};
struct size_of_name : good {
  using good::good;
  std::size_t size(std::string_view) const { return 0; }
};
struct size_returns_int : good {
  using good::good;
  int size(room_id) const { return 0; }
};
struct visit_without_except : good {
  using good::good;
  void visit(ids, member_visitor) {}
};
struct visit_returns : good {
  using good::good;
  std::size_t visit(ids, ids, member_visitor) { return 0; }
};
static_assert(!room_policy<immovable> && !room_policy<unseeded>);
static_assert(!room_policy<join_returns_void> && !room_policy<leave_returns_void> &&
              !room_policy<leave_all_returns>);
static_assert(!room_policy<find_changes> && !room_policy<find_returns_number>);
static_assert(!room_policy<size_of_name> && !room_policy<size_returns_int>);
static_assert(!room_policy<visit_without_except> && !room_policy<visit_returns>);

}  // namespace

TEST_CASE("concepts: the rooms archetype serves a server", "[concepts]") {
  concepts_test::use_server<set>();
}
