// EXPECT: on_connect
#include <hawser/endpoint/nsp.hpp>

// Who connects is told.
void set(hawser::nsp& chat) {
#ifdef CORRECTED
  chat.on_connect([](hawser::socket) {});
#else
  chat.on_connect([] {});
#endif
}
