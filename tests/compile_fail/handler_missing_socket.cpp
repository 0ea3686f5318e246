// EXPECT: on_open
#include <hawser/server.hpp>

// Handlers get the connection that they are called for.
void set(hawser::websocket_server& server) {
#ifdef CORRECTED
  server.on_open([](hawser::websocket) {});
#else
  server.on_open([] {});
#endif
}
