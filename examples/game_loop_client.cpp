// The other end of game_loop: a client inside a game's own loop, polled once per frame.
//
// `poll` handles what has arrived, the frame is made, `flush` sends what it emitted. Nothing here
// waits, and no thread is started: a server that goes away costs the game no frame.
//
// Start `game_loop --port 3001` first, then
//   game_loop_client --url http://localhost:3001 --seconds 10

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <unordered_map>

#include <asio/io_context.hpp>

#include <hawser/client.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

struct vec2 {
  float x = 0, y = 0;
};
HAWSER_FIELDS(vec2, x, y);

using number = std::uint32_t;  // of a player

constexpr hawser::event<"steer", vec2> steer{.delivery = hawser::unreliable};
constexpr hawser::event<"you", number> you{};
constexpr hawser::event<"gone", number> gone{};
constexpr hawser::event<"pos", number, vec2> pos{};

// WebSocket from the first byte: a game has no use for polling.
hawser::client::options numbers() {
  hawser::client::options made;
  made.engine.transports = {hawser::eio::transport_kind::websocket};
  made.reconnect = {.first_delay = 200ms, .max_delay = 2s};
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"url", "seconds"});
  auto const seconds = given.number<int>("seconds", 10);

  asio::io_context io;
  hawser::client client{io, numbers()};
  std::unordered_map<number, vec2> players;
  number me = 0;
  client.on(you, [&](number mine) { me = mine; });
  client.on(gone, [&](number who) { players.erase(who); });
  client.on(pos, [&](number who, vec2 where) { players[who] = where; });
  client.on_disconnect([&](hawser::disconnect_reason) { players.clear(); });
  client.on_state([](hawser::client_state state) {
    if (state == hawser::client_state::reconnecting) std::puts("the server is away");
  });
  if (auto const error = client.connect(given.text("url", "http://localhost:3001"))) {
    std::fprintf(stderr, "game_loop_client: %s\n", error.message().c_str());
    return 1;
  }

  constexpr auto frame = std::chrono::duration_cast<clock_type::duration>(1s) / 60;
  auto next = clock_type::now();
  for (int frames = 0; frames < seconds * 60; ++frames) {
    client.poll(2ms);
    float const turn = static_cast<float>(frames) / 30;
    client.emit(steer, vec2{std::cos(turn), std::sin(turn)});  // draw a circle
    client.flush();
    if (frames % 60 == 59) {
      vec2 const at = players[me];
      std::printf("%zu players, I am number %u at %.2f, %.2f\n", players.size(),
                  static_cast<unsigned>(me), static_cast<double>(at.x), static_cast<double>(at.y));
    }
    next += frame;
    std::this_thread::sleep_until(next);
  }
  client.close();
  io.run_for(1s);
}
