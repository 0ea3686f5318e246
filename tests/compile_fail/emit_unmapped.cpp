// EXPECT: emittable: an argument's type has no mapping to write it
#include <hawser/endpoint/nsp.hpp>

struct place {
  double x, y;
};
#ifdef CORRECTED
HAWSER_FIELDS(place, x, y);
#endif

// Nobody knows how to write such an argument.
void say(hawser::nsp const& chat) { chat.emit("move", place{1, 2}); }
