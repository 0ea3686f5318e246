// The raw WebSocket server that is measured: it echoes, or sends everything to everybody.
//
//   websocket_server --port 9001 [--broadcast] [--deflate] [--backend portable|epoll]
//   websocket_server --port 9001 --tls certificate.pem key.pem
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>

#include <hawser/server.hpp>
#if defined(__linux__)
#include <hawser/transport/epoll_tcp.hpp>
#endif

#include "peers/peer.hpp"

namespace {

struct wishes {
  peer::options common;
  bool deflate = false;
  bool own_epoll = false;
  std::string certificate;
  std::string key;
};

// Takes its own options out of the command line, and leaves the others to all peers.
wishes parse(int argc, char** argv) {
  wishes out;
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    std::string_view const option = argv[i];
    if (option == "--deflate") {
      out.deflate = true;
    } else if (option == "--backend" && i + 1 < argc) {
      out.own_epoll = std::strcmp(argv[++i], "epoll") == 0;
    } else if (option == "--tls" && i + 2 < argc) {
      out.certificate = argv[++i];
      out.key = argv[++i];
    } else {
      argv[left++] = argv[i];
    }
  }
  out.common = peer::parse_command_line(left, argv);
  return out;
}

template <class Transport>
int serve(wishes const& wanted) {
  // One thread runs the loop, as hawser's servers want it: its sockets need no locks.
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  using policies = hawser::websocket_policies::with_transport<Transport>;
  typename hawser::basic_server<policies>::options options;
  options.framing.deflate.enabled = wanted.deflate;
  if constexpr (requires { options.transport.certificate_file; }) {
    options.transport.certificate_file = wanted.certificate;
    options.transport.private_key_file = wanted.key;
  }
  hawser::basic_server<policies> server{io, std::move(options)};
  if (wanted.common.broadcast) {
    server.on_message([&](hawser::websocket, hawser::message const& m) { server.all().send(m); });
  } else {
    server.on_message([](hawser::websocket from, hawser::message const& m) { from.send(m); });
  }
  if (auto const error = server.listen({.host = "127.0.0.1", .port = wanted.common.port})) {
    std::fprintf(stderr, "websocket_server: %s\n", error.message().c_str());
    return 1;
  }
  peer::announce(wanted.common, server.port());
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  wishes const wanted = parse(argc, argv);
  peer::raise_file_limit();
#if defined(__linux__)
  if (wanted.own_epoll) return serve<hawser::epoll_tcp>(wanted);
#endif
  if (wanted.own_epoll) return std::fprintf(stderr, "this is no Linux: no epoll\n"), 3;
  return serve<hawser::tcp_or_tls>(wanted);
}
