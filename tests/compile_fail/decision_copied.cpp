// EXPECT: deleted
#include <hawser/server.hpp>

// A decision is made once: it can be moved, not copied.
void keep(hawser::decision made);
void pass(hawser::decision made) {
#ifdef CORRECTED
  keep(std::move(made));
#else
  keep(made);
#endif
}
