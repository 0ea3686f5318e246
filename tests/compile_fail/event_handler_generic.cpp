// EXPECT: typed_handler: parameter types are the schema of an event
#include <hawser/endpoint/nsp.hpp>

// `auto` says nothing about what is to arrive.
void set(hawser::nsp& chat) {
#ifdef CORRECTED
  chat.on("move", [](hawser::socket, double, double) {});
#else
  chat.on("move", [](hawser::socket, auto, auto) {});
#endif
}
