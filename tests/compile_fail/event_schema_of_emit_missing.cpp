// EXPECT: event_takes: the event has other arguments than these
#include <hawser/endpoint/nsp.hpp>

constexpr hawser::event<"move", std::uint32_t, double> move{};

// All of it.
void say(hawser::nsp const& chat) {
#ifdef CORRECTED
  chat.to("room").emit(move, 1, 2.5);
#else
  chat.to("room").emit(move, 1);
#endif
}
