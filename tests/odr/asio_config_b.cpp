// Calls what asio_config_a.cpp defines for a server of another Asio configuration.
#include <cstddef>

#include <hawser/server.hpp>

std::size_t connections(hawser::websocket_server& s);

int main() {
  asio::io_context io;
  hawser::websocket_server server{io};
  return connections(server) == 0 ? 0 : 1;
}
