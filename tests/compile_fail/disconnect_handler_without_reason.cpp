// EXPECT: on_disconnect
#include <hawser/endpoint/nsp.hpp>

// A socket goes for a reason.
void set(hawser::nsp& chat) {
#ifdef CORRECTED
  chat.on_disconnect([](hawser::socket, hawser::disconnect_reason) {});
#else
  chat.on_disconnect([](hawser::socket) {});
#endif
}
