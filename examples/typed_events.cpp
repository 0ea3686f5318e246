// Typed events: a kitchen whose events have a schema, which both handlers and emits are checked
// against, and what arrives, too.
//
// Run `typed_events --port 3005`, then in Node with socket.io-client:
//   const socket = io("http://localhost:3005");
//   socket.onAny(console.log);
//   socket.emit("order", {dishes: [{name: "soup", count: 2}], table: 7}, console.log);
//   socket.emit("order", {dishes: [], table: "by the window", note: "no salt"}, console.log);
//   socket.emit("order", {dishes: "soup"});           // "misunderstood": no handler gets this
//   socket.emit("stir", 50000);      // "heat": as often as can be sent, and the last one
//   socket.emit("close");            // other handlers for everything, until "open"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using hawser::socket;

struct dish {
  std::string name;
  int count = 1;
};
HAWSER_FIELDS(dish, name, count);

struct order {
  std::vector<dish> dishes;
  std::variant<int, std::string> table;  // the first that fits
  std::optional<std::string> note;       // may be missing, or null
};
HAWSER_FIELDS(order, dishes, table, note);

struct receipt {
  int number = 0, portions = 0;
  std::optional<std::string> note;
};
HAWSER_FIELDS(receipt, number, portions, note);

constexpr hawser::event<"order", order> place_order{};
constexpr hawser::event<"misunderstood", std::string_view, std::string> misunderstood{};
// To a client that falls behind, a new value takes the place of the one before it that it hasn't
// been sent yet, if the first argument is the same.
constexpr hawser::event<"heat", std::string_view, int> heat{.delivery = hawser::latest};

class kitchen {
 public:
  explicit kitchen(asio::io_context& io) : server(io) {
    // What doesn't fit the schema never gets to a handler, but here.
    server.on_bad_event([](socket s, std::string_view event, std::error_code why) {
      s.emit(misunderstood, event, why.message());
    });
    open();
  }

  hawser::basic_server<hawser::policies<>::with_backpressure<hawser::latest_by_key>> server;

 private:
  void open() {
    hawser::event_handlers fresh;
    fresh.on(place_order, [this](socket s, order const& what) {
      receipt answer{.number = ++orders_, .note = what.note};
      for (auto const& [name, count] : what.dishes) answer.portions += count;
      s.broadcast().emit(place_order, what);  // for the cooks
      return answer;
    });
    fresh.on("stir", [](socket s, int times) {
      for (int i = 1; i <= times; ++i) s.emit(heat, "pot", i);
    });
    fresh.on("close", [this] { close(); });
    server.handlers(std::move(fresh));  // all at once, in the place of those there are
  }

  void close() {
    hawser::event_handlers fresh;
    fresh.on(place_order, [](order const&) { return "Closed. Come back tomorrow!"; });
    fresh.on("open", [this] { open(); });
    server.handlers(std::move(fresh));
  }

  int orders_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port"});
  asio::io_context io;
  kitchen one(io);
  auto const port = given.number<std::uint16_t>("port", 3005);
  if (auto const error = one.server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "typed_events: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://localhost:%u\n", unsigned{one.server.port()});
  std::fflush(stdout);
  io.run();
}
