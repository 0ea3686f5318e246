// The server of the Socket.IO interop tests: what it does is said, and proved on the reference, in
// socketio_reference.mjs; what it does for the tests of our client, in cpp_client_node.mjs.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <hawser/server.hpp>

#include "../../examples/arguments.hpp"

namespace {

using namespace std::chrono_literals;
using hawser::ack;
using hawser::event_view;
using hawser::json;
using hawser::socket;

struct point {
  double x, y;
};
HAWSER_FIELDS(point, x, y);

json query_of(hawser::handshake const& who) {
  json found = json::object({});
  std::string_view rest = who.request().query();
  while (!rest.empty()) {
    auto const pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    auto const end = std::min(pair.find('='), pair.size());
    auto const name = hawser::http::form_decode(pair.substr(0, end));
    auto const value = hawser::http::form_decode(pair.substr(std::min(end + 1, pair.size())));
    if (name && value) found[*name] = json(*value);
  }
  return found;
}

json who_am_i(socket const& s) {
  auto rooms = s.rooms();
  std::sort(rooms.begin(), rooms.end());
  json list = json::array();
  for (auto& room : rooms) list.push_back(std::move(room));
  auto const asked = s.handshake();
  json me = json::object({{"id", std::string(s.id())}, {"transport", std::string(s.transport())}});
  me["recovered"] = json(s.recovered());
  me["rooms"] = std::move(list);
  me["address"] = json(!asked->remote_address().empty());
  me["query"] = query_of(*asked);
  return me;
}

// Loses of every five packets one, and of every five answers another one.
struct lossy_line {
  int count = 0;
  std::set<std::string> ids;
  json handled = json::array();

  void take(json const& what, std::string_view id, ack<bool> done) {
    int const turn = ++count % 5;
    if (turn == 0) return;
    if (ids.emplace(id).second) handled.push_back(what);
    if (turn != 2) done(true);
  }
};

template <class Nsp>
void serve(Nsp&& in, std::map<std::string, int>& reasons) {
  static constexpr auto patience = 300ms;
  in.on_connect([](socket s) {
    json const& auth = s.handshake()->auth();
    s.emit("auth", auth.is_null() ? json::object({}) : auth);
  });
  in.on_disconnect([&reasons](socket, hawser::disconnect_reason why) {
    ++reasons[std::string(hawser::describe(why))];
  });
  in.on("message", [](socket s, event_view const& what) { s.emit("message-back", what); });
  in.on("message-with-ack", [](event_view const& what, ack<event_view> done) { done(what); });
  in.on("join", [](socket s, std::string_view room) { return s.join(room), true; });
  in.on("leave", [](socket s, std::string_view room) { return s.leave(room), true; });
  in.on("to-room", [](socket s, std::string_view room, json const& what) {
    s.to(room).emit("from-room", what);
  });
  in.on("to-all", [](socket s, std::string_view room, json const& what) {
    s.everybody().to(room).emit("from-room", what);
  });
  in.on("volatile", [](socket s, json const& what) { s.unreliable().emit("volatile-back", what); });
  in.on("ask-me", [](socket s, json const& question, std::optional<int> time) {
    std::chrono::milliseconds const limit(time.value_or(patience.count()));
    s.timeout(limit).emit_with_ack("question", question, [s](std::error_code error, json answer) {
      error ? s.emit("unanswered", false) : s.emit("answered", true, answer);
    });
  });
  in.on("ask-room", [](socket s, std::string_view room) {
    s.everybody().to(room).timeout(patience).emit_with_ack(
        "question", "?", [s](std::error_code error, std::vector<json> answers) {
          s.emit("room-answers", answers, !error);
        });
  });
  in.on("burst", [](socket s, int count) {
    for (int i = 0; i < count; ++i) s.emit("item", i);
  });
  in.on("typed",
        [](double number, std::string_view, bool, std::vector<double> const& list, point at) {
          double sum = number + at.x + at.y;
          for (double const one : list) sum += one;
          return sum;
        });
  in.on("header", [](socket s, std::string_view name) {
    return std::string(s.handshake()->header(name).value_or(""));
  });
  auto const line = std::make_shared<lossy_line>();
  in.on("lossy", [line](json const& what, std::string_view id, ack<bool> done) {
    line->take(what, id, std::move(done));
  });
  in.on("handled", [line] { return line->handled; });
  in.on("who-am-i", [](socket s) { return who_am_i(s); });
  in.on("kick-me", [](socket s) { (void)s.disconnect(); });
  in.on("kick-all", [](socket s) { (void)s.disconnect(true); });
  in.on("drop-me", [](socket s) { (void)s.close_connection(); });
}

template <class Server>
int run(arguments const& given) {
  asio::io_context io;
  typename Server::options numbers;
  auto const time = [&](char const* name, int otherwise) {
    return std::chrono::milliseconds(given.number<int>(name, otherwise));
  };
  numbers.heartbeat.ping_interval = time("ping-interval", 25'000);
  numbers.heartbeat.ping_timeout = time("ping-timeout", 20'000);
  numbers.sockets.connect_timeout = time("connect-timeout", 45'000);
  numbers.framing.max_message_size = given.number<std::size_t>("max-payload", 1'000'000);
  auto const transports = given.text("transports", "polling,websocket");
  numbers.engine.polling = transports.find("polling") != std::string::npos;
  numbers.engine.websocket = transports.find("websocket") != std::string::npos;
  numbers.recovery.enabled = given.has("recovery");
  numbers.recovery.window = time("recovery-window", 120'000);
  numbers.engine.cookie.name = given.text("cookie");
  numbers.max_connections = given.number<std::size_t>("max-connections", numbers.max_connections);
  if (given.has("cors")) numbers.engine.cors.origins = {given.text("cors")};

  Server server(io, std::move(numbers));
  std::map<std::string, int> reasons;
  server.get("/reasons", [&](auto const&, hawser::http_reply reply) {
    json found = json::object({});
    for (auto const& [reason, count] : reasons) found[reason] = json(count);
    reply.send(200, found.dump(), "application/json");
  });
  serve(server, reasons);
  serve(server.of("/custom"), reasons);
  serve(server.of("/slow"), reasons);
  serve(server.of([](std::string_view name, json const&) {
    constexpr std::string_view prefix = "/dynamic-";
    return name.starts_with(prefix) && name.size() > prefix.size() &&
           name.find_first_not_of("0123456789", prefix.size()) == name.npos;
  }),
        reasons);
  std::vector<std::unique_ptr<asio::steady_timer>> timers;
  server.of("/slow").use([&](socket, hawser::decision d) {
    auto& timer = timers.emplace_back(std::make_unique<asio::steady_timer>(io, 150ms));
    timer->async_wait([d = std::move(d)](std::error_code) mutable { d.accept(); });
  });
  server.of("/denied").use([](socket, hawser::decision d) {
    d.reject("not authorized", json::object({{"content", "Please retry later"}}));
  });
  serve(server.of("/guarded"), reasons);
  server.of("/guarded").use([](socket s, hawser::decision d) {
    auto const asked = s.handshake();
    auto const& token = asked->auth()["token"];
    if (token.string() == "open sesame") return d.accept();
    d.reject("not authorized", json::object({{"given", token}}));
  });
  int refusals = given.number<int>("refusals", 0);
  server.allow_request([&refusals](hawser::handshake const&, hawser::decision d) {
    refusals-- > 0 ? d.reject(403) : d.accept();
  });

  auto const port = given.number<std::uint16_t>("port", 0);
  if (auto const error = server.listen({.host = "127.0.0.1", .port = port})) {
    return std::fprintf(stderr, "socketio_server: %s\n", error.message().c_str()), 1;
  }
  asio::signal_set signals(io, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://127.0.0.1:%u\n", unsigned{server.port()});
  std::fflush(stdout);

  asio::steady_timer bound(io, 170s);
  bound.async_wait([&](std::error_code) { io.stop(); });
  asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
  char byte = 0;
  auto const wait = [&](auto& self) -> void {
    input.async_read_some(asio::buffer(&byte, 1), [&](std::error_code error, std::size_t) {
      error ? io.stop() : self(self);
    });
  };
  wait(wait);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(
      argc, argv,
      {"port", "ping-interval", "ping-timeout", "max-payload", "transports", "cors", "parser",
       "connect-timeout", "recovery-window", "cookie", "max-connections", "refusals"},
      {"recovery"});
  if (given.text("parser", "json") == "msgpack") {
    return run<hawser::basic_server<hawser::policies<>::with_framing<hawser::msgpack_framing>>>(
        given);
  }
  return run<hawser::server>(given);
}
