// EXPECT: with_heartbeats
#include <hawser/policies.hpp>

// There is no such axis: an error, not a setting that nobody reads.
#ifdef CORRECTED
using chosen = hawser::websocket_policies::with_heartbeat<hawser::no_heartbeat>;
#else
using chosen = hawser::websocket_policies::with_heartbeats<hawser::no_heartbeat>;
#endif
