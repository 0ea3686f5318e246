// EXPECT: what a handler returns is the acknowledgement: its type needs a mapping
#include <hawser/endpoint/nsp.hpp>

struct place {
  double x, y;
};
#ifdef CORRECTED
HAWSER_FIELDS(place, x, y);
#endif

// What a handler returns is sent.
void set(hawser::nsp& chat) {
  chat.on("where", [] { return place{1, 2}; });
}
