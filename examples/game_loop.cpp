// A game loop: the world advances 60 times a second, and the network lives inside of it.
//
// `poll` reads and dispatches for at most 2 ms, the world moves, `flush` sends what the tick has
// emitted at once instead of a tick later. Positions carry a key: to a peer that falls behind, a
// new position takes the place of the old one that it hasn't been sent yet.
//
//   game_loop --port 3001 --seconds 10
// Any client may play: texts of `left`, `right`, `up`, `down` and `stop` steer; what comes is
// `you ID`, `gone ID` and, for everybody sixty times a second, `ID X Y`. A bot keeps them company.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <unordered_map>

#include <asio/io_context.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using game_server = hawser::basic_server<
    hawser::websocket_policies::with_backpressure<hawser::latest_by_key>>;

struct player {
  float x = 0, y = 0;
  float towards_x = 1, towards_y = 0;  // per second
};

class world {
 public:
  explicit world(asio::io_context& io) : server(io) {
    server.on_open([this](hawser::websocket peer) {
      players_[peer.id()] = {};
      peer.join("world");
      peer.send("you " + std::to_string(peer.id()));
    });
    server.on_close([this](hawser::websocket peer, hawser::close_event const&) {
      players_.erase(peer.id());
      everybody_.send("gone " + std::to_string(peer.id()));
    });
    server.on_message([this](hawser::websocket peer, hawser::message const& what) {
      auto& one = players_.at(peer.id());
      auto const said = what.text();
      one.towards_x = said == "left" ? -1.0f : said == "right" ? 1.0f : 0.0f;
      one.towards_y = said == "up" ? -1.0f : said == "down" ? 1.0f : 0.0f;
    });
  }

  void tick(float seconds) {
    for (auto& [id, one] : players_) {
      one.x = std::remainder(one.x + one.towards_x * seconds, 20.0f);  // the world is a torus
      one.y = std::remainder(one.y + one.towards_y * seconds, 20.0f);
      char text[80];
      std::snprintf(text, sizeof text, "%ju %.3f %.3f", std::uintmax_t{id}, double{one.x},
                    double{one.y});
      everybody_.send(text, {.key = id + 1});
    }
  }

  game_server server;

 private:
  std::unordered_map<std::uint64_t, player> players_;  // by the connection's id
  hawser::websocket_room everybody_ = server.room("world");
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "seconds"});
  asio::io_context io;
  world game(io);
  if (auto const error = game.server.listen(
          {.host = "127.0.0.1", .port = given.number<std::uint16_t>("port", 3001)})) {
    return std::fprintf(stderr, "game_loop: %s\n", error.message().c_str()), 1;
  }
  auto const url = "ws://127.0.0.1:" + std::to_string(game.server.port());
  std::printf("listening on %s\n", url.c_str());
  std::fflush(stdout);

  hawser::websocket_client bot{io};  // on the same loop
  bot.on_message([](hawser::message const&) {});
  bot.async_connect(url, [&](std::error_code error) {
    if (!error) bot.send("down");
  });

  constexpr auto step = std::chrono::nanoseconds{1s} / 60;
  auto const begin = clock_type::now();
  auto const ticks = 60 * given.number<unsigned>("seconds", 10);
  for (unsigned n = 1; n <= ticks; ++n) {
    game.server.poll(2ms);
    game.tick(1.0f / 60);
    game.server.flush();
    if (n % 60 == 0) {
      auto const& counted = game.server.counters();
      std::printf("tick %u: %zu players, %ju messages sent, %ju positions overtaken\n", n,
                  game.server.size(), std::uintmax_t{counted.messages_out},
                  std::uintmax_t{counted.messages_replaced});
      std::fflush(stdout);
    }
    std::this_thread::sleep_until(begin + n * step);
  }
}
