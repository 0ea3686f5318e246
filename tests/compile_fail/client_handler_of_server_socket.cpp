// EXPECT: client_socket
#include <hawser/client.hpp>

#include <asio/io_context.hpp>

// A handler of a client takes the other side's handle.
int main() {
  asio::io_context io;
  hawser::client client{io};
#ifdef CORRECTED
  client.on("say", [](hawser::client_socket, std::string_view) {});
#else
  client.on("say", [](hawser::socket, std::string_view) {});
#endif
}
