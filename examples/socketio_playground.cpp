// A Socket.IO server to try clients on, and the suites that test servers: everything comes back.
//
// Run `socketio_playground --port 3000`. In the namespaces "/" and "/custom" it
//   emits `auth` with the handshake's auth payload when somebody connects,
//   answers `message` with a `message-back` of the same arguments,
//   acknowledges `message-with-ack` with the same arguments.
// Options: --ping-interval MS, --ping-timeout MS, --connect-timeout MS for those who join no
// namespace, --max-payload BYTES, --transports LIST with `polling`, `websocket` or both, --cors
// ORIGIN for pages from elsewhere, and --recovery: who lost the connection gets what was missed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using hawser::ack;
using hawser::event_view;
using hawser::json;
using hawser::socket;

// An event_view takes whatever comes; emitted or acknowledged it stands for its arguments.
void serve(auto&& in) {
  in.on_connect([](socket s) {
    json const& auth = s.handshake()->auth();
    s.emit("auth", auth.is_null() ? json::object() : auth);
  });
  in.on("message", [](socket s, event_view const& what) { s.emit("message-back", what); });
  in.on("message-with-ack", [](event_view const& what, ack<event_view> done) { done(what); });
}

hawser::server::options options(arguments const& given) {
  hawser::server::options numbers;
  auto const milliseconds = [&](char const* name, std::chrono::milliseconds otherwise) {
    return std::chrono::milliseconds(given.number(name, otherwise.count()));
  };
  auto& heartbeat = numbers.heartbeat;
  heartbeat.ping_interval = milliseconds("ping-interval", heartbeat.ping_interval);
  heartbeat.ping_timeout = milliseconds("ping-timeout", heartbeat.ping_timeout);
  auto& connect_timeout = numbers.sockets.connect_timeout;
  connect_timeout = milliseconds("connect-timeout", connect_timeout);
  auto& framing = numbers.framing;
  framing.max_message_size = given.number("max-payload", framing.max_message_size);
  auto const transports = given.text("transports", "polling,websocket");
  numbers.engine.polling = transports.find("polling") != transports.npos;
  numbers.engine.websocket = transports.find("websocket") != transports.npos;
  if (given.has("cors")) numbers.engine.cors.origins = {given.text("cors")};
  numbers.recovery.enabled = given.has("recovery");
  return numbers;
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv,
                        {"port", "ping-interval", "ping-timeout", "connect-timeout", "max-payload",
                         "transports", "cors"},
                        {"recovery"});
  asio::io_context io;
  hawser::server server{io, options(given)};
  serve(server);
  serve(server.of("/custom"));
  auto const port = given.number<std::uint16_t>("port", 3000);
  if (auto const error = server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "socketio_playground: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://localhost:%u\n", unsigned{server.port()});
  std::fflush(stdout);
  io.run();
}
