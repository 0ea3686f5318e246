// Chat: rooms, nicknames, who is here and who is typing; the page comes from the same port.
//
//   chat --port 3000        then open http://localhost:3000 in a few windows
//   chat --host 0.0.0.0     for the phones around, too
//
// What is said on the wire are short texts of fields with tabs between them, so that any WebSocket
// client can take part:
//   enter  NAME  ROOM       come in, or change name or room; a name that is taken gets a number
//   say    TEXT             the last field may hold anything
//   typing                  now and then while it is true
// and the server answers, or tells the room:
//   welcome ROOM NAME...    you are in, as the first of those who are here
//   joined  NAME            left NAME            typing NAME            said NAME TEXT
//   sorry   REASON

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

using hawser::socket;

struct person {
  std::string name, room;  // empty until they have entered
};

// Takes a field off the front of a text.
std::string_view next_field(std::string_view& text) {
  auto const field = text.substr(0, text.find('\t'));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field;
}

// A name for people or rooms: 20 characters of up to 4 bytes, nothing invisible.
bool is_name(std::string_view text) {
  auto const blank = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 80 && text.front() != ' ' && text.back() != ' ' &&
         std::none_of(text.begin(), text.end(), blank);
}

class chat {
 public:
  explicit chat(asio::io_context& io) : server_(io, options()) {
    server_.get("/healthz", [](auto const&, hawser::http_reply reply) { reply.send(200, "ok\n"); });
    server_.get_prefix("/", hawser::static_files("/", EXAMPLES_DIR "/chat"));
    server_.on_open([](socket peer) { peer.set_data(person{}); });
    server_.on_close([this](socket peer, hawser::close_event const&) { leave(peer); });
    server_.on_message([this](socket peer, hawser::message const& what) {
      if (!what.is_text()) return void(peer.close(hawser::close_code::unsupported_data));
      std::string_view rest = what.text();
      auto const verb = next_field(rest);
      person const& who = *peer.data<person>();
      if (verb == "enter") {
        auto const name = next_field(rest);
        if (!is_name(name) || !is_name(rest)) return void(peer.send("sorry\tNot a usable name"));
        enter(peer, std::string(name), std::string(rest));
      } else if (who.room.empty()) {
        peer.send("sorry\tEnter a room first");
      } else if (verb == "say" && !rest.empty()) {
        server_.to(who.room).send("said\t" + who.name + '\t' + std::string(rest));
      } else if (verb == "typing") {
        peer.to(who.room).send("typing\t" + who.name);
      }
    });
  }

  hawser::server& server() { return server_; }

 private:
  // A person's messages are small and few: whoever sends others is shown the door.
  static hawser::server::options options() {
    hawser::server::options numbers;
    numbers.framing.max_message_size = 8 * 1024;
    numbers.framing.deflate.enabled = true;
    numbers.limits.rates.messages_per_second = 20;
    return numbers;
  }

  void enter(socket const& peer, std::string const& wish, std::string const& room) {
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
    *peer.data<person>() = {name, room};
  }

  void leave(socket const& peer) {
    auto* const who = peer.data<person>();
    if (!who || who->room.empty()) return;
    auto const at = here_.find(who->room);
    at->second.erase(who->name);
    if (at->second.empty()) here_.erase(at);
    peer.to(who->room).send("left\t" + who->name);
    peer.leave(who->room);
    *who = {};
  }

  hawser::server server_;
  std::map<std::string, std::set<std::string>> here_;  // names by room
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "host"});
  asio::io_context io{1};
  chat room(io);
  auto const host = given.text("host", "localhost");
  if (auto const error = room.server().listen({host, given.number<std::uint16_t>("port", 3000)})) {
    std::fprintf(stderr, "chat: %s\n", error.message().c_str());
    return 1;
  }
  std::printf("listening on http://%s:%u\n", host.c_str(), unsigned{room.server().port()});
  std::fflush(stdout);

  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) {
    room.server().stop();  // the pages come back by themselves
    io.stop();
  });
  io.run();
}
