// EXPECT: on_message
#include <string>

#include <hawser/server.hpp>

// Messages come as `message const&`, not as a string.
void set(hawser::websocket_server& server) {
#ifdef CORRECTED
  server.on_message([](hawser::websocket, hawser::message const&) {});
#else
  server.on_message([](hawser::websocket, std::string const&) {});
#endif
}
