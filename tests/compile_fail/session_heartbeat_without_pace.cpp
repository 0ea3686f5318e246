// EXPECT: sessions need a heartbeat of a known pace: server_ping, or no_heartbeat
#include <hawser/server.hpp>

// Clients are told when to expect a ping: one that goes by silence doesn't know.
#ifdef CORRECTED
using chosen = hawser::policies<>::with_heartbeat<hawser::no_heartbeat>;
#else
using chosen = hawser::policies<>::with_heartbeat<hawser::websocket_ping>;
#endif
void start(asio::io_context& io) { hawser::basic_server<chosen> server(io); }
