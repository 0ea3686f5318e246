// EXPECT: event_takes: the event has other arguments than these
#include <hawser/endpoint/nsp.hpp>

constexpr hawser::event<"move", std::uint32_t, double> move{};

// What is emitted is what the event has.
void say(hawser::socket const& one) {
#ifdef CORRECTED
  (void)one.emit(move, 1, 2.5);
#else
  one.emit(move, "one", 2.5);
#endif
}
