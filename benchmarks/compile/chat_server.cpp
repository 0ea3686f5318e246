// A small chat server, as the README has it: what including the whole library costs.
#include <string>

#include <asio/io_context.hpp>

#include <hawser.hpp>

int main() {
  asio::io_context io;
  hawser::server server{io};
  server.on_connect([](hawser::socket who) { who.join("lobby"); });
  server.on("join", [](hawser::socket who, std::string room) {
    who.join(room);
    who.to(room).emit("joined", who.id());
  });
  server.on("say", [](hawser::socket who, std::string room, std::string text) {
    who.to(room).emit("said", who.id(), text);
    return true;
  });
  if (auto const error = server.listen({.port = 3000})) return error.value();
  io.run();
}
