// Namespaces, and who may do what in them: tokens, user data, guards, names that clients choose.
//
// Run `namespaces_and_auth --port 3003`, then in Node with socket.io-client:
//   io("http://localhost:3003/crew").on("connect_error", (e) => console.log(e.message, e.data));
//   const ada = io("http://localhost:3003/crew", {auth: {token: "a-captain"}});
//   ada.on("ordered", console.log);
//   ada.emit("enter", "bridge", console.log);        // true; false with the token "a-sailor"
//   ada.emit("order", "Full ahead!", console.log);   // 1; {error: "not allowed"} likewise
//   io("http://localhost:3003/boat-7").on("aboard", console.log);   // two at a time

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using hawser::json;
using hawser::socket;

// What the server knows about a socket: its data.
struct sailor {
  std::string name;
  bool officer = false;
};

// `/crew` is for those with a token.
void serve_crew(hawser::nsp crew) {
  crew.authenticate([](hawser::handshake const& who, hawser::decision decide) {
    auto const token = who.token();  // of {auth: {token}}, or of an Authorization header
    if (token == "a-captain") return decide.accept(sailor{"Ada", true});
    if (token == "a-sailor") return decide.accept(sailor{"Linus"});
    decide.reject("Who are you?", json::object({{"wanted", "token"}, {"given", !token.empty()}}));
  });
  crew.on_connect([](socket s) { s.emit("welcome", s.data<sailor>()->name); });

  crew.may_join([](socket s, std::string_view room) {
    return room != "bridge" || s.data<sailor>()->officer;
  });
  crew.on("enter", [](socket s, std::string_view room) { return s.join(room); });

  crew.may_send([](socket s, hawser::event_view const& what) {
    return what.name() != "order" || s.data<sailor>()->officer;
  });
  crew.on("order", [crew](socket s, std::string_view what) {
    return crew.emit("ordered", s.data<sailor>()->name, what);  // how many hear it
  });
}

// `/boat-1`, `/boat-2` and so on are made when somebody comes, and go with the last one.
void serve_boats(hawser::nsp boats) {
  boats.use([](socket s, hawser::decision decide) {
    if (s.everybody().size() < 2) return decide.accept();
    decide.reject("The boat is full", nullptr);
  });
  boats.on_connect([](socket s) {
    s.emit("aboard", s.nsp(), s.everybody().size());
    s.broadcast().emit("company");
  });
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port"});
  asio::io_context io;
  hawser::server server{io};
  serve_crew(server.of("/crew"));
  serve_boats(server.of([](std::string_view name, json const&) {
    constexpr std::string_view prefix = "/boat-";
    return name.starts_with(prefix) && name.size() > prefix.size() &&
           name.find_first_not_of("0123456789", prefix.size()) == name.npos;
  }));

  auto const port = given.number<std::uint16_t>("port", 3003);
  if (auto const error = server.listen({.host = "localhost", .port = port})) {
    return std::fprintf(stderr, "namespaces_and_auth: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://localhost:%u\n", unsigned{server.port()});
  std::fflush(stdout);
  io.run();
}
