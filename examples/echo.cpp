// Echo: sends every raw WebSocket message back as it came, text as text and binary as binary. No
// Socket.IO here: see socketio_playground.cpp for that.
//
// Shows a whole server with options: size limit, compression, TLS, unix path, and how to end it.
//   echo --port 9001                                    ws://127.0.0.1:9001
//   echo --port 9001 --cert server.pem --key key.pem    wss://
//   echo --unix /tmp/echo.sock                          a unix socket instead of a port
// Further: --host ADDRESS, --deflate off|shared|dedicated, --max-message BYTES, and --seconds N to
// end by itself. SIGINT and SIGTERM let everybody go with 1012 first.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;

// A peer that takes its echoes slower than it talks is read from more slowly, not thrown out.
using echo_server = hawser::basic_server<
    hawser::websocket_policies::with_backpressure<hawser::pause_reading>>;

int fail(std::string const& where, std::error_code error) {
  std::fprintf(stderr, "echo: %s: %s\n", where.c_str(), error.message().c_str());
  return 1;
}

hawser::ws::deflate_options deflate(std::string const& wish) {
  hawser::ws::deflate_options options{.enabled = wish != "off"};
  if (wish != "dedicated") return options;
  options.kind = hawser::ws::compressor::dedicated;
  options.server_no_context_takeover = options.client_no_context_takeover = false;
  return options;
}

// False where the transport has no TLS, as in a build without it.
bool set_certificate(auto& transport, std::string certificate, std::string key) {
  if constexpr (requires { transport.certificate_file; }) {
    transport.certificate_file = std::move(certificate);
    transport.private_key_file = std::move(key);
    return true;
  }
  return certificate.empty();
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "host", "unix", "deflate", "max-message", "cert",
                                     "key", "seconds"});
  std::string const host = given.text("host", "127.0.0.1");
  std::string const path = given.text("unix");
  std::size_t const max_message = given.number<std::size_t>("max-message", 16 << 20);

  echo_server::options options;
  options.framing.max_message_size = max_message;
  options.framing.deflate = deflate(given.text("deflate", "off"));
  options.backpressure.max_bytes = 2 * max_message;
  if (!set_certificate(options.transport, given.text("cert"), given.text("key"))) {
    return fail("--cert", make_error_code(hawser::errc::no_tls));
  }

  asio::io_context io;
  echo_server server{io, std::move(options)};
  server.on_message([](hawser::websocket peer, hawser::message const& what) { peer.send(what); });

  auto const port = given.number<std::uint16_t>("port", 9001);
  if (auto const error = server.listen({.host = host, .port = port, .path = path})) {
    return fail(path.empty() ? host + ":" + std::to_string(port) : path, error);
  }
  asio::basic_signal_set<asio::io_context::executor_type> signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code error, int) {
    if (!error) server.drain({.window = 0ms, .deadline = 2s}, [&] { io.stop(); });
  });
  if (path.empty()) {
    bool const v6 = host.find(':') != std::string::npos;
    std::printf("listening on %s://%s:%u\n", given.has("cert") ? "wss" : "ws",
                v6 ? ('[' + host + ']').c_str() : host.c_str(), unsigned{server.port()});
  } else {
    std::printf("listening on ws+unix:%s\n", path.c_str());
  }
  std::fflush(stdout);

  auto const seconds = given.number<unsigned>("seconds", 0);
  seconds == 0 ? io.run() : io.run_for(std::chrono::seconds(seconds));
  server.stop();

  auto const& counted = server.counters();
  std::printf("%ju connections, %ju messages\n", std::uintmax_t{counted.opened},
              std::uintmax_t{counted.messages_in});
}
