#include "golden/capture.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include <asio/io_context.hpp>

#include <hawser/testing/seeded_random.hpp>

#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/server.hpp>

namespace golden {
namespace {

struct named {
  std::string a;
};
HAWSER_FIELDS(named, a);
struct threes {
  std::vector<int> three;
};
HAWSER_FIELDS(threes, three);
struct nest {
  std::vector<std::byte> nested;
};
HAWSER_FIELDS(nest, nested);

using hawser::ack;
using hawser::event_view;
using hawser::json;
using hawser::socket;
using bytes = std::vector<std::byte>;
using text = std::string_view;

bytes made_of(std::initializer_list<int> values) {
  bytes made;
  for (int const one : values) made.push_back(static_cast<std::byte>(one));
  return made;
}

json query_of(text rest) {
  json found = json::object({});
  while (!rest.empty()) {
    text const pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    auto const end = std::min(pair.find('='), pair.size());
    found[pair.substr(0, end)] = json(pair.substr(std::min(end + 1, pair.size())));
  }
  return found;
}

// Arguments as they are on the wire, by way of MessagePack, where binary is a value like others.
template <class... Args>
json told(text name, Args const&... arguments) {
  hawser::byte_buffer out;
  hawser::value_writer writer(out, hawser::value_format::msgpack);
  hawser::event_payload<Args...> const whole(name, arguments...);
  auto const source = whole.source();
  source.write(source.self, writer, {});
  hawser::value_tape tape;
  REQUIRE(hawser::parse_msgpack(out.view(), {}, tape) == hawser::errc{});
  return json(tape.root());
}

std::string hex(text raw) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string written;
  for (char const c : raw) {
    auto const one = static_cast<unsigned char>(c);
    written += digits[one >> 4];
    written += digits[one & 15];
  }
  return written;
}

}  // namespace

struct capture::house {
  using policies = hawser::policies<>::with_transport<hawser::memory>;
  using server_type = hawser::basic_server<policies>;

  asio::io_context io{1};
  hawser::memory_network net{io};
  hawser::seeded_random random{11};
  lines events;
  std::size_t arrived = 0;  // events, to see that each had a handler
  text typed;
  std::optional<server_type> server;

  explicit house(settings const& how) : typed(how.typed) {
    server_type::options numbers;
    numbers.transport.network = &net;
    numbers.random = random.source();
    numbers.origins.any = true;
    numbers.heartbeat.ping_interval = how.ping_interval;
    numbers.heartbeat.ping_timeout = how.ping_timeout;
    numbers.sockets.connect_timeout = how.connect_timeout;
    numbers.framing.max_message_size = how.max_payload;
    numbers.recovery.enabled = how.recovery;
    numbers.receive_buffer = 4096;
    if (how.cookie_and_cors) {
      numbers.engine.cookie.name = "io";
      numbers.engine.cors.origins = {"http://example.com"};
      numbers.engine.cors.credentials = true;
    }
    server.emplace(io, std::move(numbers));
    serve(*server);
    serve(server->of("/admin"));
    serve(server->of([](text name, json const&) {
      constexpr text prefix = "/dyn-";
      return name.starts_with(prefix) && name.size() > prefix.size() &&
             name.find_first_not_of("0123456789", prefix.size()) == text::npos;
    }));
    server->of("/mw").use([](socket, hawser::decision d) {
      d.reject("not authorized", json::object({{"content", "Please retry later"}}));
    });
    server->of("/mw2").use([](socket, hawser::decision d) { d.reject("plain"); });
    add_types();
    REQUIRE(!server->listen({.port = 80}));
  }

  void saw(text what, socket const& s, text detail) {
    events.push_back(std::string(what) + ' ' + std::string(s.nsp()) + ' ' + std::string(detail));
  }
  // An event, told as a text; whoever wants an acknowledgement is an argument, too.
  void saw_event(socket const& s, json what, bool wants_ack) {
    if (wants_ack) what.push_back(json("<ack fn>"));
    saw("event", s, what.dump());
  }

  template <class Nsp>
  void serve(Nsp&& in) {
    in.on_connect([this](socket s) {
      json const& auth = s.handshake()->auth();
      saw("connection", s,
          (auth.is_null() ? json::object({}) : auth).dump() + ' ' +
              query_of(s.handshake()->request().query()).dump());
    });
    in.on_disconnect([this](socket s, hawser::disconnect_reason why) {
      saw("disconnect", s, hawser::describe(why));
    });
    in.on_any([this](socket, event_view const&) { ++arrived; });
    in.on_bad_event([this](socket s, text name, std::error_code) { saw("bad", s, name); });
    typed.empty() ? serve_any(in) : serve_typed(in);
  }

  // -- handlers that take any ---------------------------------------------------------------------

  template <class Nsp, class Act>
  void on(Nsp& in, text name, Act act) {
    in.on(name, [this, act](socket s, event_view const& what, ack<event_view> done) {
      saw_event(s, json(what.whole()), static_cast<bool>(done));
      act(s, what, done);
    });
  }
  template <class Nsp>
  void serve_any(Nsp& in) {
    auto const nothing = [](socket const&, event_view const&, ack<event_view>&) {};
    for (text const name : {"hello", "hello2", "x", "y", "bin", "undef", "a", "b", "early", "late",
                            "7", "-7", "18446744073709551615"}) {
      on(in, name, nothing);
    }
    on(in, "echo",
       [](socket const&, event_view const& what, ack<event_view>& done) { done(what); });
    on(in, "sendme", [this](socket const& s, event_view const&, auto&) { sendme(s); });
    on(in, "askme", [this](socket const& s, event_view const&, auto&) { askme(s); });
    on(in, "kick", [](socket const& s, event_view const&, auto&) { (void)s.disconnect(); });
    on(in, "kickall", [](socket const& s, event_view const&, auto&) { (void)s.disconnect(true); });
    on(in, "m", [this](socket const& s, event_view const&, auto&) { m(s); });
    in.on("ackbin", [this](socket s, event_view const& what, ack<bytes> done) {
      saw_event(s, json(what.whole()), static_cast<bool>(done));
      done(made_of({9, 8, 7}));
    });
  }

  // -- what the captured server did ---------------------------------------------------------------

  void sendme(socket const& s) {
    s.emit("a", 1);
    s.emit("b", made_of({1, 2}), std::map<std::string, bytes>{{"x", made_of({3})}});
    s.emit("c", "\u00e9\u20ac");
  }
  void askme(socket const& s) {
    s.emit_with_ack("q", "x", [this](std::error_code error, json first, json second) {
      if (!error) events.push_back("ack " + json::array({first, second}).dump());
    });
  }
  void m(socket const& s) {
    server->emit("bc", 1);
    s.emit("direct", 2);
    s.emit_with_ack("q", [](std::error_code) {});
    s.emit("bin", made_of({1}));
  }

  // -- typed handlers -----------------------------------------------------------------------------

  template <class... Args>
  void typed_event(socket const& s, bool wants_ack, text name, Args const&... arguments) {
    saw_event(s, told(name, arguments...), wants_ack);
  }
  template <class Nsp>
  void serve_typed(Nsp& in);

  // Arguments by vector.
  struct typed_row {
    text vector;
    void (*add)(house& at, server_type& root);
  };
  static typed_row const typed_rows[];
  void add_types();
};

template <class Nsp>
void capture::house::serve_typed(Nsp& in) {
  in.on("sendme", [this](socket s) { typed_event(s, false, "sendme"), sendme(s); });
  in.on("askme", [this](socket s) { typed_event(s, false, "askme"), askme(s); });
  in.on("kick", [this](socket s) { typed_event(s, false, "kick"), (void)s.disconnect(); });
  in.on("kickall",
        [this](socket s) { typed_event(s, false, "kickall"), (void)s.disconnect(true); });
  in.on("m", [this](socket s) { typed_event(s, false, "m"), m(s); });
  in.on("ackbin", [this](socket s) {
    typed_event(s, true, "ackbin");
    return made_of({9, 8, 7});
  });
}

capture::house::typed_row const capture::house::typed_rows[] = {
    {"ws.sendme", [](house&, server_type&) {}},
    {"ws.binary-ack-from-server", [](house&, server_type&) {}},
    {"ws.server-ack-request", [](house&, server_type&) {}},
    {"ws.server-disconnect", [](house&, server_type&) {}},
    {"ws.server-disconnect-close", [](house&, server_type&) {}},
    {"ws.event",
     [](house& at, server_type& root) {
       root.on("hello", [&at](socket s, int number, named const& what) {
         at.typed_event(s, false, "hello", number, what);
       });
     }},
    {"ws.event-ack",
     [](house& at, server_type& root) {
       root.on("echo", [&at](socket s, text what, double number, ack<text, double> done) {
         at.typed_event(s, static_cast<bool>(done), "echo", what, number);
         done(what, number);
       });
     }},
    {"ws.event-ack0",
     [](house& at, server_type& root) {
       root.on("echo", [&at](socket s, ack<> done) {
         at.typed_event(s, static_cast<bool>(done), "echo");
         done();
       });
     }},
    {"ws.binary-event",
     [](house& at, server_type& root) {
       root.on("hello", [&at](socket s, hawser::bytes_view first, bytes const& second) {
         at.typed_event(s, false, "hello", first, second);
       });
     }},
    {"ws.binary-event-ack-admin",
     [](house& at, server_type& root) {
       root.of("/admin").on("echo", [&at](socket s, hawser::bytes_view what) {
         at.typed_event(s, true, "echo", what);
         return bytes(what.begin(), what.end());
       });
     }},
    {"ws.interleave-ping-during-binary",
     [](house& at, server_type& root) {
       root.on("x", [&at](socket s, bytes const& what) { at.typed_event(s, false, "x", what); });
     }},
    {"ws.upgrade-by-hand",
     [](house& at, server_type& root) {
       root.on("echo", [&at](socket s, std::string what, ack<std::string> done) {
         at.typed_event(s, static_cast<bool>(done), "echo", what);
         done(what);
       });
     }},
    {"http.chain",
     [](house& at, server_type& root) {
       root.on("hello", [&at](socket s, unsigned n) { at.typed_event(s, false, "hello", n); });
       root.on("hello2", [&at](socket s) { at.typed_event(s, false, "hello2"); });
       root.on("echo", [&at](socket s, text what) {
         at.typed_event(s, true, "echo", what);
         return std::string(what);
       });
       root.on("bin",
               [&at](socket s, bytes const& what) { at.typed_event(s, false, "bin", what); });
     }},
    {"session.polling-only",
     [](house& at, server_type& root) {
       root.on("a", [&at](socket s, std::uint8_t n) { at.typed_event(s, false, "a", n); });
       root.on("b", [&at](socket s, bytes const& what) { at.typed_event(s, false, "b", what); });
       root.on("echo", [&at](socket s, text what, ack<text> done) {
         at.typed_event(s, static_cast<bool>(done), "echo", what);
         done(what);
       });
     }},
    {"session.polling-upgrade",
     [](house& at, server_type& root) {
       root.on("early", [&at](socket s, float n) { at.typed_event(s, false, "early", n); });
       root.on("late", [&at](socket s, std::int64_t n) { at.typed_event(s, false, "late", n); });
     }},
    {"session.ws-basic",
     [](house& at, server_type& root) {
       root.on("hello", [&at](socket s, long n, text what, threes const& all) {
         at.typed_event(s, false, "hello", n, what, all);
       });
       root.on("bin", [&at](socket s, bytes const& what, nest const& in) {
         at.typed_event(s, false, "bin", what, in);
       });
       root.on("echo", [&at](socket s, text what, bytes const& more, ack<text, bytes> done) {
         at.typed_event(s, static_cast<bool>(done), "echo", what, more);
         done(what, more);
       });
       root.on("undef",
               [&at](socket s, std::optional<int> first, std::optional<bool> second,
                     std::string when) { at.typed_event(s, false, "undef", first, second, when); });
     }},
    {"session.ws-namespace-query",
     [](house& at, server_type& root) {
       root.of("/admin").on("hello", [&at](socket s) { at.typed_event(s, false, "hello"); });
     }},
    {"session.csr-inmemory", [](house&, server_type&) {}},
};

void capture::house::add_types() {
  for (auto const& row : typed_rows) {
    if (row.vector == typed) row.add(*this, *server);
  }
}

bool capture::has_types(text vector) {
  return std::any_of(std::begin(house::typed_rows), std::end(house::typed_rows),
                     [&](auto const& row) { return row.vector == vector; });
}

capture::capture(settings const& how) : house_(std::make_unique<house>(how)), cut_(how.cut) {}

capture::~capture() {
  auto const handled = std::count_if(house_->events.begin(), house_->events.end(),
                                     [](auto const& line) { return line.starts_with("event "); });
  CHECK(static_cast<std::size_t>(handled) == house_->arrived);
}

hawser::memory_network& capture::net() { return house_->net; }
void capture::run(hawser::duration time) { house_->net.run_for(time); }
lines const& capture::events() const { return house_->events; }

void capture::send(hawser::memory_peer& from, text bytes) {
  std::size_t const begin = std::exchange(sent_, sent_ + bytes.size());
  if (cut_ > begin && cut_ < sent_) {
    from.send(bytes.substr(0, cut_ - begin));
    run();
    bytes.remove_prefix(cut_ - begin);
  }
  from.send(bytes);
  run();
}

void capture::emit_missed() {
  house_->server->emit("missed", 1);
  house_->server->emit("missed", 2);
}

// -- what is random -------------------------------------------------------------------------------

std::string quoted(text whole, text key) {
  std::string const begin = '"' + std::string(key) + "\":\"";
  auto const at = whole.find(begin);
  if (at == text::npos) return {};
  text const rest = whole.substr(at + begin.size());
  return std::string(rest.substr(0, rest.find('"')));
}

std::string without_chance(std::string whole) {
  for (text const key : {"sid", "pid", "offset"}) {
    std::string const value = quoted(whole, key);
    std::string const begin = '"' + std::string(key) + "\":\"";
    if (!value.empty()) whole.replace(whole.find(begin) + begin.size(), value.size(), "*");
  }
  return whole;
}

std::string without_offset(std::string whole) {
  bool const is_event = whole.starts_with("42[") || whole.starts_with("451-[");
  if (!is_event || !whole.ends_with("\"]")) return whole;
  auto const begin = whole.rfind('"', whole.size() - 3);
  return whole.replace(begin + 1, whole.size() - begin - 3, "*");
}

// -- WebSocket frames -----------------------------------------------------------------------------

std::vector<frame> take_frames(std::string& bytes) {
  std::vector<frame> all;
  for (;;) {
    auto const byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
    };
    if (bytes.size() < 2) return all;
    std::size_t const mark = byte(1) & 0x7f;
    std::size_t const mask = (byte(1) & 0x80) != 0 ? 4 : 0;
    std::size_t const head = mark == 126 ? 4 : 2;
    REQUIRE(mark < 127);  // none is that long
    if (bytes.size() < head + mask) return all;
    std::size_t const size = mark == 126 ? byte(2) << 8 | byte(3) : mark;
    if (bytes.size() < head + mask + size) return all;
    frame one{static_cast<int>(byte(0) & 15), bytes.substr(head + mask, size),
              bytes.substr(0, head + mask + size)};
    for (std::size_t i = 0; mask && i < size; ++i) {
      one.payload[i] = static_cast<char>(one.payload[i] ^ bytes[head + i % 4]);
    }
    all.push_back(std::move(one));
    bytes.erase(0, head + mask + size);
  }
}

std::string masked(int opcode, text payload) {
  static constexpr char key[] = {0x11, 0x2b, 0x5d, 0x7f};
  REQUIRE(payload.size() < 65'536);
  std::string out{static_cast<char>(0x80 | opcode)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  out.append(key, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ key[i % 4]);
  }
  return out;
}

std::string described(frame const& one) {
  return one.opcode == 2 ? "binary " + hex(one.payload) : without_chance(one.payload);
}

std::string upgrade_request(text target, text extra) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(extra) + "\r\n";
}

ws_client::ws_client(capture& at, std::string const& request) : at_(&at), peer_(at.net(), 80) {
  at.run();
  send(request);
}

void ws_client::collect() {
  bytes_ += peer_.take();
  if (head_.empty()) {
    auto const end = bytes_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    head_ = bytes_.substr(0, end + 4);
    bytes_.erase(0, end + 4);
  }
  if (!head_.starts_with("HTTP/1.1 101 ")) return;
  for (auto& one : take_frames(bytes_)) {
    if (one.opcode == 8) {
      closed_ = true;
    } else {
      frames_.push_back(std::move(one));
    }
  }
}

// -- HTTP -----------------------------------------------------------------------------------------

lines described_answer(text head, text body, bool with_headers) {
  lines all{std::string(head.substr(9, 3))};
  auto const lower = [](text mixed) {
    std::string made(mixed);
    for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return made;
  };
  lines headers;
  while (with_headers && !head.empty()) {
    text const line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    std::string const name = lower(line.substr(0, line.find(':')));
    bool const matters = (name == "content-type" && !body.empty()) || name == "cache-control" ||
                         name == "set-cookie" || name == "vary" ||
                         name.starts_with("access-control-");
    if (!matters) continue;
    std::string kept = name + std::string(line.substr(name.size()));
    if (auto const sid = kept.find("io="); name == "set-cookie" && sid != std::string::npos) {
      kept.replace(sid + 3, kept.find(';', sid) - sid - 3, "*");
    }
    headers.push_back(std::move(kept));
  }
  std::sort(headers.begin(), headers.end());
  all.insert(all.end(), headers.begin(), headers.end());
  if (!body.empty()) all.push_back(without_chance(std::string(body)));
  return all;
}

}  // namespace golden
