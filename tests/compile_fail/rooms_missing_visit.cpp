// EXPECT: room_policy
#include <hawser/policies.hpp>

// Rooms that nobody can walk.
struct lobby {
  struct options {};
  lobby(options const&, std::uint64_t) {}
  bool join(hawser::member_id, std::string_view) { return false; }
  bool leave(hawser::member_id, std::string_view) { return false; }
  void leave_all(hawser::member_id) {}
  hawser::room_id find(std::string_view) const { return {}; }
  std::size_t size(hawser::room_id) const { return 0; }
#ifdef CORRECTED
  void visit(std::span<hawser::room_id const>, std::span<hawser::room_id const>,
             hawser::member_visitor) {}
#endif
  void visit_rooms(hawser::member_id, hawser::room_visitor) const {}
};

using chosen = hawser::websocket_policies::with_rooms<lobby>;
