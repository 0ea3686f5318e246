// A Socket.IO server on the memory network, and raw peers: WebSockets and HTTP polling.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>

#include "sim/harness.hpp"
#include "sim/socketio_instances.hpp"

HAWSER_SERVER_CLASSES(extern template, sim::io_plain);
HAWSER_CLIENT_CLASSES(extern template, sim::io_plain);

namespace sim {

using hawser::disconnect_reason;
using hawser::json;

inline std::string const engine_path = "/socket.io/?EIO=4&transport=";

/// A Socket.IO server that counts what it is told, on port 80.
template <class Policies = io_plain>
struct basic_hall : world {
  using server_type = hawser::basic_server<Policies>;
  using options_type = typename server_type::options;

  std::unique_ptr<server_type> server;
  std::vector<hawser::socket> sockets;
  std::vector<std::string> reasons;  // of disconnect events
  int connects = 0;
  int disconnecting = 0;

  explicit basic_hall(std::function<void(options_type&)> const& change = {}) { restart(change); }

  /// A new server in the place of the one before, if that is still there.
  void restart(std::function<void(options_type&)> const& change = {}) {
    server.reset();
    auto numbers = this->template options<server_type>();
    if (change) change(numbers);
    server = std::make_unique<server_type>(io, std::move(numbers));
    watch(*server);
    REQUIRE(!server->listen({.port = 80, .backlog = 10'000}));
  }

  template <class Nsp>
  void watch(Nsp& in) {
    in.on_connect([this](hawser::socket s) {
      ++connects;
      sockets.push_back(s);
    });
    in.on_disconnecting([this](hawser::socket, disconnect_reason) { ++disconnecting; });
    in.on_disconnect([this](hawser::socket, disconnect_reason why) {
      reasons.emplace_back(hawser::describe(why));
    });
  }

  hawser::counters const& counters() const { return server->counters(); }
};
using hall = basic_hall<>;

struct response {
  int status = 0;
  std::string head;
  std::string body;

  std::string field(std::string_view name) const {
    auto const at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// HTTP over a connection that stays open.
class http_peer : public hawser::memory_peer {
 public:
  explicit http_peer(world& at, std::uint16_t port = 80) : memory_peer(at.net, port) {}

  void get(std::string const& target, std::string const& extra = {}) {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n");
  }
  void post(std::string const& target, std::string_view body, std::string const& extra = {}) {
    send("POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n" + extra + "\r\n" +
         std::string(body));
  }

  /// The next complete answer.
  std::optional<response> answer() {
    std::string_view const all = text();
    auto const end = all.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    response one{0, std::string(all.substr(0, end + 2)), {}};
    (void)std::from_chars(one.head.data() + 9, one.head.data() + one.head.size(), one.status);
    std::size_t size = 0;
    auto const length = one.field("Content-Length");
    (void)std::from_chars(length.data(), length.data() + length.size(), size);
    if (all.size() < end + 4 + size) return std::nullopt;
    one.body = all.substr(end + 4, size);
    consume(end + 4 + size);
    return one;
  }
  bool is_over() const { return eof() || was_reset(); }
};

/// The packets of a polling payload; an attachment is `b` and its bytes, not base64.
inline std::vector<std::string> split_payload(std::string_view body) {
  std::vector<std::string> all;
  while (!body.empty()) {
    auto const one = body.substr(0, body.find('\x1e'));
    body.remove_prefix(std::min(body.size(), one.size() + 1));
    if (one.starts_with('b')) {
      all.push_back("b" + hawser::codec::base64_decode(one.substr(1)).value_or("?"));
    } else {
      all.emplace_back(one);
    }
  }
  return all;
}

inline std::string sid_of(std::string_view open) {
  auto const at = open.find("\"sid\":\"");
  return at == std::string_view::npos ? std::string() : std::string(open.substr(at + 7, 24));
}

/// An Engine.IO session by polling, by hand: one connection for polls, one for posts, and fresh
/// ones where the server has ended those.
class polling_peer {
 public:
  explicit polling_peer(world& at, std::string const& extra = {}) : at_(at) {
    polls().get(engine_path + "polling", extra);
    at_.run();
    if (auto const opened = polls().answer()) {
      status = opened->status;
      head = opened->head;
      body = opened->body;
      sid = sid_of(opened->body);
    }
  }

  int status = 0;
  std::string head;  // of the last answer to a poll
  std::string body;
  std::string sid;

  std::string target() const { return engine_path + "polling&sid=" + sid; }
  void poll(std::string const& extra = {}) {
    fresh(polls_).get(target(), extra);
    at_.run();
  }
  /// The status of the poll's answer, once it is there.
  int polled() {
    auto const one = polls().answer();
    if (!one) return 0;
    head = one->head;
    body = one->body;
    return status = one->status;
  }
  int post(std::string_view what, std::string const& extra = {}) {
    fresh(posts_).post(target(), what, extra);
    at_.run();
    auto const one = posts().answer();
    return one ? one->status : 0;
  }
  /// Polls, and what came of it; does not wait.
  std::vector<std::string> packets() {
    if (!std::exchange(waits_, true)) poll();
    if (!polled()) return {};
    waits_ = false;
    return split_payload(body);
  }
  /// Joins a namespace; the packets that came.
  std::vector<std::string> join(std::string const& nsp = {}, std::string const& auth = {}) {
    CHECK(post("40" + nsp + (nsp.empty() ? "" : ",") + auth) == 200);
    return packets();
  }
  http_peer& polls() { return polls_ ? *polls_ : fresh(polls_); }
  http_peer& posts() { return posts_ ? *posts_ : fresh(posts_); }

 private:
  http_peer& fresh(std::unique_ptr<http_peer>& of) {
    if (!of || of->is_over()) of = std::make_unique<http_peer>(at_);
    return *of;
  }

  world& at_;
  std::unique_ptr<http_peer> polls_;
  std::unique_ptr<http_peer> posts_;
  bool waits_ = false;
};

/// An Engine.IO session by WebSocket, or with `sid` one that upgrades.
class io_peer : public peer {
 public:
  explicit io_peer(world& at, std::string const& sid = {}, std::string const& extra = {},
                   std::uint16_t port = 80)
      : peer(at, upgrade(engine_path + "websocket" + (sid.empty() ? "" : "&sid=" + sid), extra),
             port),
        at_(at) {
    at.run();
  }

  void say(std::string_view packet) {
    send(sim::text(packet));
    at_.run();
  }
  void say_binary(std::string_view bytes) {
    send(wire(2, bytes));
    at_.run();
  }
  std::vector<std::string> join(std::string const& nsp = {}, std::string const& auth = {}) {
    say("40" + nsp + (nsp.empty() ? "" : ",") + auth);
    return packets();
  }
  /// What came since the last call; binary messages as `b` and their bytes. A Close frame is
  /// `close` and its code.
  std::vector<std::string> packets() {
    std::vector<std::string> all;
    for (auto& one : frames()) {
      if (one.opcode == 8) {
        all.push_back("close " + std::to_string(code_of(one)));
      } else if (one.opcode == 1) {
        all.push_back(std::move(one.payload));
      } else {
        all.push_back("b" + one.payload);
      }
    }
    return all;
  }

 private:
  world& at_;
};

using strings = std::vector<std::string>;

/// How often `what` is in the list.
inline std::size_t count(strings const& all, std::string_view what) {
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), what));
}
inline bool has(strings const& all, std::string_view what) { return count(all, what) > 0; }

using io_client = hawser::basic_client<io_plain>;

/// A Socket.IO client on somebody's network that writes down what it is told. Events of "/" are
/// told by their names, those of other namespaces with the namespace before.
template <class Policies = io_plain>
struct basic_guest {
  using client_type = hawser::basic_client<Policies>;
  using options_type = typename client_type::options;

  std::unique_ptr<client_type> client;
  strings log;
  std::vector<std::error_code> connected;          // what `async_connect` came to
  std::function<void(std::string const&)> then{};  // is called behind each entry

  explicit basic_guest(world& at, std::function<void(options_type&)> const& change = {},
                       bool watches = true)
      : at_(&at) {
    auto numbers = at.template options<client_type>();
    if (change) change(numbers);
    client = std::make_unique<client_type>(at.io, std::move(numbers));
    client->on_state([this](hawser::client_state now) { note(name_of(now)); });
    client->on_open([this] { note("open"); });
    client->on_close([this](disconnect_reason why, std::error_code) {
      note("close " + std::string(hawser::describe(why)));
    });
    client->on_error([this](hawser::attempt_failure const&) { note("error"); });
    client->on_reconnect_attempt([this](std::uint32_t n) { note("attempt " + std::to_string(n)); });
    client->on_reconnect([this](std::uint32_t n) { note("reconnect " + std::to_string(n)); });
    client->on_reconnect_error([this](hawser::attempt_failure const&) { note("reconnect error"); });
    client->on_reconnect_failed([this] { note("failed"); });
    client->on_upgrade([this] { note("upgrade"); });
    if (watches) watch(*client);
  }
  basic_guest(basic_guest const&) = delete;
  basic_guest& operator=(basic_guest const&) = delete;

  template <class Nsp>
  void watch(Nsp& in, std::string const& name = {}) {
    std::string const before = name.empty() ? "" : name + " ";
    in.on_connect([this, before](hawser::client_socket s) {
      note(before + (s.recovered() ? "recovered" : "connect"));
    });
    in.on_connect_error([this, before](hawser::connect_failure const& why) {
      note(before + "connect error" + (why.active ? ", again" : "") +
           (why.message.empty() ? "" : ": " + std::string(why.message)));
    });
    in.on_disconnect([this, before](disconnect_reason why) {
      note(before + "disconnect " + std::string(hawser::describe(why)));
    });
    in.on_dropped([this, before](hawser::event_view const& what, std::error_code error) {
      note(before + "dropped " + std::string(what.name()) + ": " + error.message());
    });
  }

  void note(std::string const& what) {
    log.push_back(what);
    if (then) then(what);
  }
  /// What came since the last call.
  strings told() { return std::exchange(log, {}); }

  void connect(std::string const& url = "ws://x/") {
    client->async_connect(url, [this](std::error_code error) { connected.push_back(error); });
    at_->run();
  }
  client_type* operator->() const noexcept { return client.get(); }

  static std::string name_of(hawser::client_state state) {
    switch (state) {
      case hawser::client_state::disconnected: return "disconnected";
      case hawser::client_state::connecting: return "connecting";
      case hawser::client_state::connected: return "connected";
      case hawser::client_state::disconnecting: return "disconnecting";
      case hawser::client_state::reconnecting: return "reconnecting";
    }
    return "?";
  }

 private:
  world* at_;
};
using guest = basic_guest<>;

/// Options of a client that has one transport only.
template <class Options>
void only(Options& numbers, hawser::eio::transport_kind which) {
  numbers.engine.transports = {which};
}
inline constexpr auto by_polling = hawser::eio::transport_kind::polling;
inline constexpr auto by_websocket = hawser::eio::transport_kind::websocket;

/// `421["e",1]`, as a client sends an event.
inline std::string event(std::string_view rest) { return "42" + std::string(rest); }

}  // namespace sim
