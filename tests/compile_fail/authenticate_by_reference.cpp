// EXPECT: invocable
#include <hawser/server.hpp>

// A decision is handed over: it can't be borrowed.
void set(hawser::websocket_server& server) {
#ifdef CORRECTED
  server.authenticate([](hawser::handshake const&, hawser::decision d) { d.accept(); });
#else
  server.authenticate([](hawser::handshake const&, hawser::decision& d) { d.accept(); });
#endif
}
