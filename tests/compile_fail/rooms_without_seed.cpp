// EXPECT: room_policy
#include <hawser/policies.hpp>

// Rooms whose hash can't be seeded.
struct lobby {
  struct options {};
#ifdef CORRECTED
  lobby(options const&, std::uint64_t) {}
#else
  explicit lobby(options const&) {}
#endif
  bool join(hawser::member_id, std::string_view) { return false; }
  bool leave(hawser::member_id, std::string_view) { return false; }
  void leave_all(hawser::member_id) {}
  hawser::room_id find(std::string_view) const { return {}; }
  std::size_t size(hawser::room_id) const { return 0; }
  void visit(std::span<hawser::room_id const>, std::span<hawser::room_id const>,
             hawser::member_visitor) {}
  void visit_rooms(hawser::member_id, hawser::room_visitor) const {}
};

using chosen = hawser::websocket_policies::with_rooms<lobby>;
