// A game loop: the world advances 60 times a second, and the network lives inside of it.
//
// `poll` reads and dispatches for at most 2 ms, the world moves, `flush` sends what the tick has
// emitted at once instead of a tick later. Positions are `latest`: to a peer that falls behind, a
// new position takes the place of the old one that it hasn't been sent yet.
//
//   game_loop --port 3001 --seconds 10
// Any Socket.IO client may play: it emits `steer` with {x, y}, which way to go in units per second.
// It hears `you` with its number, `gone` with somebody's, and sixty times a second, for everybody,
// `pos` with a number and {x, y}. Number 0 is a bot.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <unordered_map>

#include <asio/io_context.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using game_server =
    hawser::basic_server<hawser::policies<>::with_backpressure<hawser::latest_by_key>>;
using hawser::socket;

struct vec2 {
  float x = 0, y = 0;
};
HAWSER_FIELDS(vec2, x, y);

using number = std::uint32_t;  // of a player

constexpr hawser::event<"steer", vec2> steer{};
constexpr hawser::event<"you", number> you{};
constexpr hawser::event<"gone", number> gone{};
constexpr hawser::event<"pos", number, vec2> pos{.delivery = hawser::latest};

struct player {
  vec2 at, speed;
};

class world {
 public:
  explicit world(asio::io_context& io) : server(io) {
    players_[0].speed = {0.3f, 0.7f};
    server.on_connect([this](socket s) {
      players_[++last_].speed = {1, 0};
      s.set_data(last_);
      s.join("world");
      s.emit(you, last_);
    });
    server.on_disconnect([this](socket s, hawser::disconnect_reason) {
      players_.erase(*s.data<number>());
      everybody_.emit(gone, *s.data<number>());
    });
    server.on(steer, [this](socket s, vec2 where) {
      float const speed = std::hypot(where.x, where.y);
      if (!std::isfinite(speed)) return;
      float const slower = speed > 5 ? 5 / speed : 1;
      players_.at(*s.data<number>()).speed = {where.x * slower, where.y * slower};
    });
  }

  void tick(float seconds) {
    for (auto& [who, one] : players_) {
      one.at.x = std::remainder(one.at.x + one.speed.x * seconds, 20.0f);  // the world is a torus
      one.at.y = std::remainder(one.at.y + one.speed.y * seconds, 20.0f);
      everybody_.emit(pos, who, one.at);
    }
  }

  game_server server;

 private:
  std::unordered_map<number, player> players_;
  number last_ = 0;
  hawser::room everybody_ = server.room("world");  // looked up once, not 60 times a second
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "seconds"});
  asio::io_context io;
  world game(io);
  auto const port = given.number<std::uint16_t>("port", 3001);
  if (auto const error = game.server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "game_loop: %s\n", error.message().c_str()), 1;
  }
  std::printf("listening on http://localhost:%u\n", unsigned{game.server.port()});
  std::fflush(stdout);

  constexpr auto step = std::chrono::nanoseconds{1s} / 60;
  auto const begin = clock_type::now();
  auto const ticks = 60 * given.number<unsigned>("seconds", 10);
  for (unsigned n = 1; n <= ticks; ++n) {
    game.server.poll(2ms);
    game.tick(1.0f / 60);
    game.server.flush();
    if (n % 60 == 0) {
      auto const& counted = game.server.counters();
      std::printf("tick %u: %zu connections, %ju messages sent, %ju positions overtaken\n", n,
                  game.server.size(), std::uintmax_t{counted.messages_out},
                  std::uintmax_t{counted.messages_replaced});
      std::fflush(stdout);
    }
    std::this_thread::sleep_until(begin + n * step);
  }
}
