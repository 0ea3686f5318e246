#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_rooms<archetypes::rooms>;
using with_sessions = hawser::policies<>::with_rooms<archetypes::rooms>;
template class hawser::basic_server<set>;
template class hawser::basic_server<with_sessions>;

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
struct without_visit_rooms : archetypes::move_only {
  struct options {};
  explicit without_visit_rooms(options const&, std::uint64_t) {}
  bool join(member_id, std::string_view) { return false; }
  bool leave(member_id, std::string_view) { return false; }
  void leave_all(member_id) {}
  room_id find(std::string_view) const { return {}; }
  std::size_t size(room_id) const { return 0; }
  void visit(ids, ids, member_visitor) {}
};
struct visit_rooms_changes : good {
  using good::good;
  void visit_rooms(member_id, hawser::room_visitor) {}
};
struct visit_rooms_returns : good {
  using good::good;
  std::size_t visit_rooms(member_id, hawser::room_visitor) const { return 0; }
};
struct visit_rooms_with_members : good {
  using good::good;
  void visit_rooms(member_id, member_visitor) const {}
};
static_assert(!room_policy<immovable> && !room_policy<unseeded>);
static_assert(!room_policy<join_returns_void> && !room_policy<leave_returns_void> &&
              !room_policy<leave_all_returns>);
static_assert(!room_policy<find_changes> && !room_policy<find_returns_number>);
static_assert(!room_policy<size_of_name> && !room_policy<size_returns_int>);
static_assert(!room_policy<visit_without_except> && !room_policy<visit_returns>);
static_assert(!room_policy<without_visit_rooms> && !room_policy<visit_rooms_changes> &&
              !room_policy<visit_rooms_returns> && !room_policy<visit_rooms_with_members>);

}  // namespace

TEST_CASE("concepts: the rooms archetype serves servers", "[concepts]") {
  concepts_test::use_server<set>();
  concepts_test::use_socketio_server<with_sessions>();
}
