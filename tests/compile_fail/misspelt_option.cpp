// EXPECT: max_message_sise
#include <hawser/server.hpp>

// An option that doesn't exist is an error.
hawser::websocket_server::options chosen() {
#ifdef CORRECTED
  return {.framing = {.max_message_size = 1'024}};
#else
  return {.framing = {.max_message_sise = 1'024}};
#endif
}
