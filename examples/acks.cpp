// Acknowledgements, in both directions: at once, later, with a time-out, from many, by co_await.
//
// Run `acks --port 3004`, then in Node with socket.io-client:
//   const socket = io("http://localhost:3004");
//   socket.on("question", (what, answer) => answer(`${what} Yes.`));
//   socket.on("number", (n, answer) => answer(n * 2));
//   socket.onAny(console.log);
//   socket.emit("add", 1, 2, console.log);          // 3
//   socket.emit("later", 500, console.log);         // after half a second
//   socket.emit("ask me"); socket.emit("ask all");  // it asks back, and emits what it was told
//   socket.emit("count");                           // asks three times, one after the other

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;
using hawser::ack;
using hawser::socket;

constexpr auto patience = 500ms;

// A conversation that reads from top to bottom.
asio::awaitable<void> count(socket s) {
  int sum = 0;
  try {
    for (int n = 1; n <= 3; ++n) {
      sum +=
          co_await s.timeout(patience).async_emit_with_ack<int>("number", n, asio::use_awaitable);
    }
    s.emit("counted", sum);
  } catch (std::system_error const& error) {
    s.emit("gave up", error.code().message());
  }
}

void serve(hawser::server& server, asio::io_context& io) {
  // What a handler returns is the acknowledgement.
  server.on("add", [](double a, double b) { return a + b; });

  // An ack<> is the right to acknowledge; it can be kept, and used once.
  server.on("later", [&io](unsigned ms, ack<std::string> done) {
    auto const timer = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(ms));
    timer->async_wait(
        [timer, done = std::move(done)](std::error_code) mutable { done("It is time."); });
  });

  // The server asks one client. It gets an answer, or an error, and exactly once.
  server.on("ask me", [](socket s) {
    s.timeout(patience).emit_with_ack("question", "Are you there?",
                                      [s](std::error_code error, std::string answer) {
                                        s.emit("answer", error ? error.message() : answer);
                                      });
  });

  // Or everybody; an error says that some have not answered.
  server.on("ask all", [](socket s) {
    s.everybody().timeout(patience).emit_with_ack(
        "question", "Everybody well?",
        [s](std::error_code error, std::vector<std::string> answers) {
          s.emit("answers", answers, !error);
        });
  });

  server.on("count", [&io](socket s) { asio::co_spawn(io, count(s), asio::detached); });
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port"});
  asio::io_context io;
  hawser::server server{io};
  serve(server, io);
  auto const port = given.number<std::uint16_t>("port", 3004);
  if (auto const error = server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "acks: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://localhost:%u\n", unsigned{server.port()});
  std::fflush(stdout);
  io.run();
}
