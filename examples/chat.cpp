// Chat: rooms, nicknames, who is here and who is typing; the page comes from the same port.
// Run `chat --port 3000`, then open http://localhost:3000 in a few windows; with `--host 0.0.0.0`
// the phones around can come, too.
//
// On the wire are short texts, fields with tabs between them, so that any client can take part. It
// says: enter NAME ROOM (a name that is taken gets a number), say TEXT, typing. It gets: welcome
// ROOM NAME... (the first is its own, the others are here already) or sorry REASON, and then joined
// NAME, left NAME, typing NAME, said NAME TEXT.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/endpoint/static_files.hpp>
#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {
using socket = hawser::websocket;
struct person {
  std::string name, room;  // empty until they have entered
};

std::string_view next_field(std::string_view& text) {
  auto const field = text.substr(0, text.find('\t'));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field;
}

// A name of a person or a room: 20 characters of up to 4 bytes, no control characters.
bool is_name(std::string_view text) {
  auto const control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.find_first_not_of(' ') != text.npos && text.size() <= 80 &&
         std::none_of(text.begin(), text.end(), control);
}

class chat {
 public:
  explicit chat(asio::io_context& io) : server(io, limits()) {
    server.get("/healthz", [](auto const&, hawser::http_reply reply) { reply.send(200, "ok\n"); });
    server.get_prefix("/", hawser::static_files("/", EXAMPLES_DIR "/chat"));
    server.on_open([](socket peer) { peer.set_data(person{}); });
    server.on_close([this](socket peer, hawser::close_event const&) { leave(peer); });
    server.on_message([this](socket peer, hawser::message const& what) {
      if (!what.is_text()) return void(peer.close(hawser::close_code::unsupported_data));
      std::string_view rest = what.text();
      auto const verb = next_field(rest);
      person const& who = *peer.data<person>();
      if (verb == "enter") {
        std::string const name(next_field(rest));
        enter(peer, name, std::string(rest));
      } else if (verb == "say" && !who.room.empty() && !rest.empty()) {
        server.to(who.room).send("said\t" + who.name + '\t' + std::string(rest));
      } else if (verb == "typing" && !who.room.empty()) {
        peer.to(who.room).send("typing\t" + who.name);
      }
    });
  }

  hawser::websocket_server server;

 private:
  static hawser::websocket_server::options limits() {
    hawser::websocket_server::options numbers;
    numbers.framing.max_message_size = 8 * 1024;  // the page stops at 2000 characters
    numbers.framing.deflate.enabled = true;
    numbers.limits.rates.messages = {.per_second = 10, .burst = 40};
    return numbers;
  }

  void enter(socket const& peer, std::string const& wish, std::string const& room) {
    if (!is_name(wish) || !is_name(room)) return void(peer.send("sorry\tNot a usable name"));
    leave(peer);
    auto& here = here_[room];
    std::string name = wish;
    for (int i = 2; here.contains(name); ++i) name = wish + ' ' + std::to_string(i);
    std::string welcome = "welcome\t" + room + '\t' + name;
    for (auto const& other : here) welcome += '\t' + other;
    here.insert(name);
    peer.join(room);
    peer.send(welcome);
    peer.to(room).send("joined\t" + name);
    peer.set_data(person{name, room});
  }

  void leave(socket const& peer) {
    auto& who = *peer.data<person>();
    if (who.room.empty()) return;
    peer.leave(who.room);
    server.to(who.room).send("left\t" + who.name);
    here_[who.room].erase(who.name);
    if (here_[who.room].empty()) here_.erase(who.room);
    who = {};
  }

  std::map<std::string, std::set<std::string>> here_;  // names by room
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "host"});
  auto const host = given.text("host", "localhost");
  auto const port = given.number<std::uint16_t>("port", 3000);
  asio::io_context io;
  chat one(io);
  if (auto const error = one.server.listen({.host = host, .port = port})) {
    return std::fprintf(stderr, "chat: %s\n", error.message().c_str()), 1;
  }
  std::printf("listening on http://%s:%u\n", host.c_str(), unsigned{one.server.port()});
  std::fflush(stdout);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });  // pages reconnect by themselves
  io.run();
}
