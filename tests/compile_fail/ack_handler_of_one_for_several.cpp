// EXPECT: ack_handler: several may answer
#include <hawser/endpoint/nsp.hpp>

// Everybody in a room answers.
void ask(hawser::nsp const& chat) {
#ifdef CORRECTED
  chat.to("room").emit_with_ack("ask", [](std::error_code, std::vector<bool>) {});
#else
  chat.to("room").emit_with_ack("ask", [](std::error_code, bool) {});
#endif
}
