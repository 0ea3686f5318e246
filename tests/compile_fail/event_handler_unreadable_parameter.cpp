// EXPECT: typed_handler: parameters are socket, event_view, ack<...>, or of types with a mapping
#include <hawser/endpoint/nsp.hpp>

struct place {
  double x, y;
};
#ifdef CORRECTED
HAWSER_FIELDS(place, x, y);
#endif

// Nobody knows how to read such an argument.
void set(hawser::nsp& chat) {
  chat.on("move", [](hawser::socket, place) {});
}
