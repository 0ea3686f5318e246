// EXPECT: room_policy
#include <hawser/policies.hpp>

// Rooms that don't know who is in which.
struct lobby {
  struct options {};
  lobby(options const&, std::uint64_t) {}
  bool join(hawser::member_id, std::string_view) { return false; }
  bool leave(hawser::member_id, std::string_view) { return false; }
  void leave_all(hawser::member_id) {}
  hawser::room_id find(std::string_view) const { return {}; }
  std::size_t size(hawser::room_id) const { return 0; }
  void visit(std::span<hawser::room_id const>, std::span<hawser::room_id const>,
             hawser::member_visitor) {}
#ifdef CORRECTED
  void visit_rooms(hawser::member_id, hawser::room_visitor) const {}
#endif
};

using chosen = hawser::policies<>::with_rooms<lobby>;
