// EXPECT: ack_handler: the last argument is a function or a lambda without `auto`
#include <hawser/endpoint/nsp.hpp>

// Whoever waits is told why in vain, too.
void ask(hawser::socket const& one) {
#ifdef CORRECTED
  one.emit_with_ack("ask", 1, [](std::error_code, bool) {});
#else
  one.emit_with_ack("ask", 1, [](bool) {});
#endif
}
