// EXPECT: on_message
#include <string>

#include <hawser/server.hpp>

// Messages come as `message const&`, not as a string.
void set(hawser::server& server) {
#ifdef CORRECTED
  server.on_message([](hawser::socket, hawser::message const&) {});
#else
  server.on_message([](hawser::socket, std::string const&) {});
#endif
}
