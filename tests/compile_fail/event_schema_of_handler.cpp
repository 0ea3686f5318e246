// EXPECT: the handler takes other arguments than the event has
#include <hawser/endpoint/nsp.hpp>

constexpr hawser::event<"move", std::uint32_t, double> move{};

// Who handles an event takes what it has.
void set(hawser::nsp& chat) {
#ifdef CORRECTED
  chat.on(move, [](hawser::socket, std::uint32_t, double) {});
#else
  chat.on(move, [](hawser::socket, std::uint32_t, std::string) {});
#endif
}
