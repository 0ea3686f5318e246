// EXPECT: on_message
#include <hawser/client.hpp>

// A client has one connection: its handlers get no socket.
void set(hawser::websocket_client& client) {
#ifdef CORRECTED
  client.on_message([](hawser::message const&) {});
#else
  client.on_message([](hawser::websocket, hawser::message const&) {});
#endif
}
