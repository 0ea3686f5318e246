// EXPECT: emittable
#include <hawser/endpoint/nsp.hpp>

struct place {
  double x, y;
};
#ifdef CORRECTED
HAWSER_FIELDS(place, x, y);
#endif

// An acknowledgement is sent.
using right = hawser::ack<place>;
right* made = nullptr;
