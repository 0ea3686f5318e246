// EXPECT: room_policy
#include <hawser/policies.hpp>

// A heartbeat is no room policy.
#ifdef CORRECTED
using chosen = hawser::websocket_policies::with_rooms<hawser::no_rooms>;
#else
using chosen = hawser::websocket_policies::with_rooms<hawser::no_heartbeat>;
#endif
