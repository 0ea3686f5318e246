// Chat: rooms, nicknames, who is here and who is typing; the page comes from the same port.
// Run `chat --port 3000`, then open http://localhost:3000 in a few windows; with `--host 0.0.0.0`
// the phones around can come, too. `--pages FOLDER` serves another page than examples/chat.
//
// Any Socket.IO client can take part. It emits enter(name, room), say(text) and typing(). `enter`
// is acknowledged with {room, name, people}, where a name that is taken has got a number and people
// are the others who are here, or with {sorry: reason}. What it hears is joined(name), left(name),
// typing(name) and said(name, text).

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hawser/endpoint/static_files.hpp>
#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using hawser::socket;
using text = std::string_view;

// What is emitted and who handles it is checked against these when compiling.
namespace says {                                       // a client
constexpr hawser::event<"enter", text, text> enter{};  // name, room
constexpr hawser::event<"say", text> say{};
constexpr hawser::event<"typing"> typing{};
}  // namespace says
namespace hears {
constexpr hawser::event<"joined", text> joined{};
constexpr hawser::event<"left", text> left{};
constexpr hawser::event<"said", text, text> said{};  // name, what
constexpr hawser::event<"typing", text> typing{.delivery = hawser::unreliable};
}  // namespace hears

struct welcome {
  std::string room, name;
  std::vector<std::string> people;
};
HAWSER_FIELDS(welcome, room, name, people);
struct refusal {
  std::string sorry;
};
HAWSER_FIELDS(refusal, sorry);

struct person {
  std::string name, room;  // empty until they have entered
};

// A name of a person or a room: 20 characters of up to 4 bytes, no control characters.
bool is_name(text name) {
  auto const control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return name.find_first_not_of(' ') != name.npos && name.size() <= 80 &&
         std::none_of(name.begin(), name.end(), control);
}

class chat {
 public:
  chat(asio::io_context& io, std::string pages) : server(io, limits()) {
    server.get("/healthz", [](auto const&, hawser::http_reply reply) { reply.send(200, "ok\n"); });
    server.get_prefix("/", hawser::static_files("/", std::move(pages)));
    server.on_connect([](socket s) { s.set_data(person{}); });
    server.on_disconnect([this](socket s, hawser::disconnect_reason) { leave(s); });
    server.on(says::enter, [this](socket s, text name, text room) { return enter(s, name, room); });
    server.on(says::say, [this](socket s, text what) {
      person const& who = *s.data<person>();
      if (!who.room.empty() && !what.empty()) server.to(who.room).emit(hears::said, who.name, what);
    });
    server.on(says::typing, [](socket s) {
      person const& who = *s.data<person>();
      if (!who.room.empty()) s.to(who.room).emit(hears::typing, who.name);
    });
  }

  hawser::server server;

 private:
  static hawser::server::options limits() {
    hawser::server::options numbers;
    numbers.framing.max_message_size = 8 * 1024;  // the page stops at 2000 characters
    numbers.framing.deflate.enabled = true;
    numbers.limits.rates.messages = {.per_second = 10, .burst = 40};
    return numbers;
  }

  std::variant<welcome, refusal> enter(socket const& s, text wish, text room) {
    if (!is_name(wish) || !is_name(room)) return refusal{"Not a usable name"};
    leave(s);
    welcome answer{std::string(room), std::string(wish), {}};
    auto& here = here_[answer.room];
    for (int i = 2; here.contains(answer.name); ++i) {
      answer.name = std::string(wish) + ' ' + std::to_string(i);
    }
    answer.people.assign(here.begin(), here.end());
    here.insert(answer.name);
    s.join(room);
    s.to(room).emit(hears::joined, answer.name);
    s.set_data(person{answer.name, answer.room});
    return answer;
  }

  void leave(socket const& s) {
    auto& who = *s.data<person>();
    if (who.room.empty()) return;
    s.leave(who.room);
    server.to(who.room).emit(hears::left, who.name);
    here_[who.room].erase(who.name);
    if (here_[who.room].empty()) here_.erase(who.room);
    who = {};
  }

  std::map<std::string, std::set<std::string>> here_;  // names by room
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "host", "pages"});
  auto const host = given.text("host", "localhost");
  auto const port = given.number<std::uint16_t>("port", 3000);
  asio::io_context io;
  chat one(io, given.text("pages", EXAMPLES_DIR "/chat"));
  if (auto const error = one.server.listen({.host = host, .port = port})) {
    return std::fprintf(stderr, "chat: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });  // pages reconnect by themselves
  std::printf("listening on http://%s:%u\n", host.c_str(), unsigned{one.server.port()});
  std::fflush(stdout);
  io.run();
}
