// The Socket.IO server that run.sh measures beside Node's: `m` goes back to its sender, `all`
// goes to everybody.
//
//   socketio_echo --port 3000 [--backend portable|epoll]
#include <cstdio>
#include <cstring>

#include <asio/io_context.hpp>

#include <hawser/server.hpp>
#if defined(__linux__)
#include <hawser/transport/epoll_tcp.hpp>
#endif

#include "peers/peer.hpp"

namespace {

template <class Transport>
int serve(peer::options const& chosen) {
  // One thread runs the loop, as hawser's servers want it: its sockets need no locks.
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  hawser::basic_server<hawser::policies<>::with_transport<Transport>> server{io};
  server.on("m", [](hawser::socket peer, double a, double b) { peer.emit("m", a, b); });
  server.on("all", [&](hawser::socket, double a, double b) { server.emit("all", a, b); });
  if (auto const error = server.listen({.host = "127.0.0.1", .port = chosen.port})) {
    std::fprintf(stderr, "socketio_echo: %s\n", error.message().c_str());
    return 1;
  }
  peer::announce(chosen, server.port());
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  bool own_epoll = false;
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--backend") == 0 && i + 1 < argc) {
      own_epoll = std::strcmp(argv[++i], "epoll") == 0;
    } else {
      argv[left++] = argv[i];
    }
  }
  peer::options const chosen = peer::parse_command_line(left, argv);
  peer::raise_file_limit();
#if defined(__linux__)
  if (own_epoll) return serve<hawser::epoll_tcp>(chosen);
#endif
  if (own_epoll) return std::fprintf(stderr, "this is no Linux: no epoll\n"), 3;
  return serve<hawser::tcp_or_tls>(chosen);
}
