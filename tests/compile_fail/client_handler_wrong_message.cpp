// EXPECT: on_message
#include <hawser/client.hpp>

// A client has one connection: its handlers get no socket.
void set(hawser::client& client) {
#ifdef CORRECTED
  client.on_message([](hawser::message const&) {});
#else
  client.on_message([](hawser::socket, hawser::message const&) {});
#endif
}
