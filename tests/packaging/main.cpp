// The consumer of every packaging test: the whole library in a program that is not ours.
#include <hawser.hpp>

#include <cstdio>

#if HAWSER_COMPILED
#include <asio/io_context.hpp>

// Code of the compiled library, so that a program without it does not link.
static int made() {
  asio::io_context io;
  hawser::server server{io};
  hawser::websocket_server raw_server{io};
  hawser::client client{io};
  hawser::websocket_client raw_client{io};
  return server.port() + raw_server.port() + client.status() + raw_client.status();
}
#else
static int made() { return 0; }
#endif

int main() {
  std::printf("hawser %d.%d.%d\n", HAWSER_VERSION_MAJOR, HAWSER_VERSION_MINOR,
              HAWSER_VERSION_PATCH);
  return made();
}
