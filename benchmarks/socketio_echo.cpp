// The Socket.IO server that run.sh measures beside Node's: `m` goes back to its sender, `all`
// goes to everybody.
#include <cstdio>

#include <asio/io_context.hpp>

#include <hawser/server.hpp>

#include "peers/peer.hpp"

int main(int argc, char** argv) {
  peer::options const chosen = peer::parse_command_line(argc, argv);
  peer::raise_file_limit();
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  hawser::server server{io};
  server.on("m", [](hawser::socket peer, double a, double b) { peer.emit("m", a, b); });
  server.on("all", [&](hawser::socket, double a, double b) { server.emit("all", a, b); });
  if (auto const error = server.listen({.host = "127.0.0.1", .port = chosen.port})) {
    std::fprintf(stderr, "socketio_echo: %s\n", error.message().c_str());
    return 1;
  }
  peer::announce(chosen, server.port());
  io.run();
}
