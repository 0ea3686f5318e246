// EXPECT: typed_handler: parameters are socket, event_view, ack<...>, or of types with a mapping
#include <cstdio>

#include <hawser/endpoint/nsp.hpp>

// A socket's own handlers are no different.
void set(hawser::socket const& one) {
#ifdef CORRECTED
  one.on("write", [](std::string_view) {});
#else
  one.on("write", [](std::FILE*) {});
#endif
}
