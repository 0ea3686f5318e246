// Binary: bytes as arguments, in structs and as acknowledgements; they travel as they are.
//
// Run `binary --port 3006`, then in Node with socket.io-client (browsers take Uint8Array):
//   const socket = io("http://localhost:3006");
//   socket.on("picture", (picture) => console.log(picture));
//   socket.emit("reverse", Buffer.from([1, 2, 3]), console.log);        // <Buffer 03 02 01>
//   socket.emit("share", {name: "dot.png", size: [1, 1], pixels: Buffer.from([255, 0, 0])});
//   socket.emit("anything", {deep: [Buffer.from("x")]}, console.log);   // how many bytes it has

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using hawser::json;
using hawser::socket;

// A view reads nothing twice and copies nothing; it is valid until the handler returns.
struct picture {
  std::string name;
  std::array<int, 2> size{};
  hawser::bytes_view pixels;
};
HAWSER_FIELDS(picture, name, size, pixels);

std::size_t bytes_in(json const& what) {
  std::size_t sum = what.binary() ? what.binary()->size() : 0;
  for (auto const& element : what.elements()) sum += bytes_in(element);
  for (auto const& [key, inner] : what.members()) sum += bytes_in(inner);
  return sum;
}

void serve(hawser::server& server) {
  server.on("reverse", [](std::vector<std::byte> bytes) {
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
  });

  // Encoded once; all who hear it share the attachment, however many they are.
  server.on("share", [](socket s, picture const& what) { s.broadcast().emit("picture", what); });

  server.on("anything", [](json const& what) { return bytes_in(what); });
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port"});
  asio::io_context io;
  hawser::server::options numbers;
  numbers.framing.max_message_size = 16 << 20;  // bytes of one packet, all its attachments together
  numbers.framing.max_attachments = 4;
  hawser::server server{io, std::move(numbers)};
  serve(server);
  auto const port = given.number<std::uint16_t>("port", 3006);
  if (auto const error = server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "binary: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://localhost:%u\n", unsigned{server.port()});
  std::fflush(stdout);
  io.run();
}
