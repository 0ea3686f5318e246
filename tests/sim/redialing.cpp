// How clients come back: raw ones first, opposite scripted servers, then those of Socket.IO.
#include "sim/socketio_harness.hpp"

#include <algorithm>
#include <array>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

using namespace sim;
using hawser::client_state;

namespace {

using persistent =
    plain::with_reconnect<hawser::exponential_backoff>::with_offline_queue<hawser::bounded_queue>;
using raw_client = hawser::basic_client<persistent>;

std::string answer_to_upgrade() {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         hawser::ws::accept_key("AAAAAAAAAAAAAAAAAAAAAA==") + "\r\n\r\n";
}
std::string refusal(std::string const& status, std::string const& extra = {}) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n" + extra + "\r\n";
}

// All chance is one byte: with 0, keys are known and every delay is the shortest.
template <std::uint8_t Byte>
hawser::random_source always() {
  return {[](void*, hawser::mutable_bytes out) {
            for (auto& one : out) one = std::byte{Byte};
          },
          nullptr};
}

// A client that writes down what it is told, opposite a raw server.
struct rig : world {
  std::unique_ptr<hawser::memory_host> host = std::make_unique<hawser::memory_host>(net, 80);
  std::unique_ptr<raw_client> c;
  strings log;
  std::vector<std::error_code> connected;
  std::function<void(std::string const&)> then;

  explicit rig(std::function<void(raw_client::options&)> const& change = {}, bool watches = true) {
    auto numbers = options<raw_client>();
    numbers.random = always<0>();
    numbers.heartbeat.ping_after = 24h;  // the server answers nothing
    if (change) change(numbers);
    c = std::make_unique<raw_client>(io, std::move(numbers));
    c->on_state([this](client_state now) {
      static constexpr std::array names{"disconnected", "connecting", "connected", "disconnecting",
                                        "reconnecting"};
      note(names[static_cast<std::size_t>(now)]);
    });
    c->on_open([this] { note("open"); });
    c->on_close([this](hawser::close_event const& event) {
      note("close " + std::to_string(static_cast<unsigned>(event.code)));
    });
    c->on_error([this](hawser::attempt_failure const&) { note("error"); });
    c->on_reconnect_attempt([this](std::uint32_t n) { note("attempt " + std::to_string(n)); });
    c->on_reconnect([this](std::uint32_t n) { note("reconnect " + std::to_string(n)); });
    c->on_reconnect_error([this](hawser::attempt_failure const&) { note("reconnect error"); });
    c->on_reconnect_failed([this] { note("failed"); });
    if (!watches) return;  // messages are for async_receive
    c->on_message(
        [this](hawser::message const& what) { note("message " + std::string(what.text())); });
  }

  void note(std::string what) {
    log.push_back(what);
    if (then) then(what);
  }
  strings told() { return std::exchange(log, {}); }

  void connect() {
    c->async_connect("ws://x/", [this](std::error_code error) { connected.push_back(error); });
    run();
  }
  auto& server_end() { return (*host)[host->size() - 1]; }
  void answer(std::string const& what) {
    server_end().send(what);
    run();
  }
  void accept() { answer(answer_to_upgrade()); }
  void open() {
    connect();
    accept();
    REQUIRE(c->is_open());
    log.clear();
  }
  void lose() {
    server_end().reset();
    run();
  }
  /// Waits for another connection; how long it took, or -1 ms.
  std::chrono::milliseconds dialled_within(hawser::duration most = 10min) {
    auto const before = host->size();
    auto const from = net.now();
    if (!net.run_until([&] { return host->size() > before; }, most)) return -1ms;
    auto const took = std::chrono::round<std::chrono::milliseconds>(net.now() - from);
    run();
    return took;
  }
  bool dials_again(hawser::duration within = 1h) { return dialled_within(within) >= 0ms; }
  /// The messages that came to the newest connection.
  strings received() {
    std::string bytes = server_end().take();
    if (auto const head = bytes.find("\r\n\r\n"); bytes.starts_with("GET"))
      bytes.erase(0, head + 4);
    strings all;
    for (auto& one : take_frames(bytes)) {
      if (one.opcode < 8) all.push_back(std::move(one.payload));
    }
    return all;
  }
};

// The wheel may be a little late, never early.
bool is_about(std::chrono::milliseconds took, std::chrono::milliseconds wanted) {
  return took >= wanted && took <= wanted + 50ms;
}

}  // namespace

// -- states and events ---------------------------------------------------------------------------

TEST_CASE("sim: a client tells states and attempts in the order of the reference",
          "[sim][client]") {
  rig r;
  r.connect();
  CHECK(r.told() == strings{"connecting"});
  r.accept();
  CHECK(r.told() == strings{"connected", "open"});
  REQUIRE(r.connected.size() == 1);
  CHECK(!r.connected[0]);
  r.lose();
  CHECK(r.told() == strings{"close 1006", "reconnecting"});
  CHECK(r.c->is_connecting());
  REQUIRE(is_about(r.dialled_within(), 500ms));
  CHECK(r.told() == strings{"attempt 1"});
  r.lose();
  CHECK(r.told() == strings{"error", "reconnect error"});
  REQUIRE(is_about(r.dialled_within(), 1s));
  CHECK(r.told() == strings{"attempt 2"});
  r.accept();
  CHECK(r.told() == strings{"connected", "open", "reconnect 2"});
  r.lose();
  REQUIRE(is_about(r.dialled_within(), 500ms));  // delay and number begin anew
  CHECK(r.told() == strings{"close 1006", "reconnecting", "attempt 1"});
  r.c->close();
  r.run(1h);
  CHECK(r.told() == strings{"disconnected"});
  CHECK(r.connected.size() == 1);
  CHECK(r.c->counters().objects == 0);
}

TEST_CASE("sim: a first attempt that fails is followed by others, and connect waits for them",
          "[sim][client]") {
  rig r;
  r.host.reset();  // nobody listens
  r.connect();
  CHECK(r.told() == strings{"connecting", "error", "reconnecting"});
  r.run(600ms);
  CHECK(r.told() == strings{"attempt 1", "error", "reconnect error"});
  CHECK(r.connected.empty());
  r.host = std::make_unique<hawser::memory_host>(r.net, 80);
  REQUIRE(r.dials_again());
  r.accept();
  REQUIRE(r.connected.size() == 1);
  CHECK(!r.connected[0]);
  CHECK(r.told() == strings{"attempt 2", "connected", "open", "reconnect 2"});
}

TEST_CASE("sim: delays grow to their cap, and jitter goes both ways around them", "[sim][client]") {
  bool const longest = GENERATE(false, true);
  rig r([&](auto& numbers) {
    if (longest) numbers.random = always<0xff>();
  });
  r.host.reset();
  std::vector<hawser::time_point> at;
  r.c->on_reconnect_attempt([&](std::uint32_t) { at.push_back(r.net.now()); });
  auto before = r.net.now();
  r.connect();
  r.run(1min);
  std::vector<std::chrono::milliseconds> const plain_delays{1s, 2s, 4s, 5s, 5s, 5s};
  REQUIRE(at.size() > plain_delays.size());
  for (std::size_t i = 0; i < plain_delays.size(); ++i) {
    auto const took = std::chrono::round<std::chrono::milliseconds>(at[i] - before);
    INFO(i << ": " << took.count());
    auto const wanted = plain_delays[i] * (longest ? 3 : 1) / 2;
    CHECK(took >= wanted - 1ms);
    CHECK(took <= wanted + 50ms);
    before = at[i];
  }
}

TEST_CASE("sim: after the user's close no attempt is made, whichever handler it came from",
          "[sim][client]") {
  for (std::string const where :
       {"connecting", "connected", "open", "message hello", "close 1001", "close 1006",
        "reconnecting", "attempt 1", "error", "reconnect error", "attempt 2", "reconnect 2"}) {
    INFO(where);
    rig r;
    bool closed = false;
    std::vector<std::error_code> told;
    r.then = [&](std::string const& what) {
      if (what != where || closed) return;
      closed = true;
      r.c->async_close([&](std::error_code error) { told.push_back(error); });
    };
    auto const say = [](int opcode, std::string_view what) {
      return wire(opcode, what, true, false);
    };
    auto const host_is_asked = [&] { return r.host->size() > 0 && !closed; };
    r.connect();
    if (host_is_asked()) r.accept();
    if (host_is_asked()) r.answer(say(1, "hello"));
    if (host_is_asked() && where == "close 1001") r.answer(say(8, close_body(1001)));
    if (host_is_asked()) r.lose();
    if (!closed && r.dials_again()) r.lose();
    if (!closed && r.dials_again()) r.accept();
    REQUIRE(closed);
    r.run(10s);  // close_timeout of who doesn't answer
    auto const before = r.host->size();
    r.run(1h);
    CHECK(r.host->size() == before);
    CHECK(r.c->state() == client_state::disconnected);
    CHECK(count(r.log, "disconnected") == 1);
    CHECK(told.size() == 1);
    CHECK(r.connected.size() == 1);
    CHECK(r.c->counters().objects == 0);
    // It stays usable.
    r.connect();
    CHECK(r.host->size() == before + 1);
    r.accept();
    CHECK(r.c->is_open());
  }
}

// -- refusals ------------------------------------------------------------------------------------

TEST_CASE("sim: a handshake that is refused is tried again, but not after 401 or 403",
          "[sim][client]") {
  bool const asked = GENERATE(false, true);
  bool const later = GENERATE(false, true);  // refused at the first attempt, or at a later one
  struct row {
    std::string status;
    bool final;
  };
  for (auto const& one : std::vector<row>{{"401 Unauthorized", true},
                                          {"403 Forbidden", true},
                                          {"302 Found", false},
                                          {"404 Not Found", false},
                                          {"429 Too Many Requests", false},
                                          {"500 Oops", false},
                                          {"502 Bad Gateway", false},
                                          {"503 Service Unavailable", false}}) {
    INFO(one.status << (later ? ", later" : "") << (asked ? ", asked for" : ""));
    rig r([&](auto& numbers) { numbers.reconnect_when_refused = asked; });
    if (later) {
      r.open();
      r.lose();
      REQUIRE(r.dials_again());
    } else {
      r.connect();
    }
    r.log.clear();
    r.answer(refusal(one.status));
    bool const stays = one.final && !asked;
    CHECK(r.dials_again() == !stays);
    CHECK(count(r.log, "error") == 1);
    CHECK(count(r.log, "reconnect error") == (later ? 1 : 0));
    CHECK(count(r.log, "failed") == (stays && later ? 1 : 0));
    CHECK(has(r.log, "disconnected") == stays);
    if (stays && !later) {
      REQUIRE(r.connected.size() == 1);
      CHECK(r.connected[0] == errc::unexpected_status);
      CHECK(r.c->status() == std::stoi(one.status));
    }
    CHECK(r.connected.size() == (later || stays ? 1 : 0));
  }
}

TEST_CASE("sim: close codes that blame this side end it, all others don't", "[sim][client]") {
  bool const asked = GENERATE(false, true);
  for (unsigned const code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u,
                              1013u, 1014u, 3000u, 4999u}) {
    INFO(code << (asked ? ", asked for" : ""));
    rig r([&](auto& numbers) { numbers.reconnect_when_refused = asked; });
    r.open();
    r.answer(wire(8, close_body(code), true, false));
    r.server_end().shutdown();
    bool const blames = code == 1002 || code == 1003 || (code >= 1007 && code <= 1010);
    CHECK(r.dials_again() == (!blames || asked));
    CHECK(has(r.log, "close " + std::to_string(code)));
    CHECK(has(r.log, "disconnected") == (blames && !asked));
    CHECK(!has(r.log, "failed"));  // nothing was tried
  }
}

TEST_CASE("sim: a server that breaks the protocol is not mistaken for one that refuses",
          "[sim][client]") {
  rig r;
  r.open();
  r.answer(wire(1, "masked"));  // this side closes with 1002
  CHECK(has(r.log, "close 1002"));
  CHECK(r.dials_again());
}

// -- when the server asks for time ---------------------------------------------------------------

TEST_CASE("sim: Retry-After is obeyed, up to a limit, and chance only adds to it",
          "[sim][client]") {
  bool const longest = GENERATE(false, true);
  rig r([&](auto& numbers) {
    numbers.reconnect.max_retry_after = 200s;
    if (longest) numbers.reconnect.jitter = 0;
  });
  r.connect();
  r.answer(refusal("503 Service Unavailable", "Retry-After: 120\r\n"));
  CHECK(is_about(r.dialled_within(), 120s));
  r.answer(refusal("429 Too Many Requests", "Retry-After: 3600\r\n"));
  CHECK(is_about(r.dialled_within(), 200s));
  r.answer(refusal("503 Service Unavailable", "Retry-After: soon\r\n"));
  CHECK(is_about(r.dialled_within(), longest ? 4s : 2s));
}

TEST_CASE("sim: after 1012 and 1013 clients come back all over the window", "[sim][client]") {
  unsigned const code = GENERATE(1012u, 1013u);
  struct row {
    hawser::random_source chance;
    std::chrono::milliseconds first;
  };
  for (auto& one :
       std::vector<row>{{always<0>(), 0ms}, {always<0x80>(), 20'078ms}, {always<0xff>(), 40s}}) {
    rig r([&](auto& numbers) {
      numbers.reconnect.restart_window = 40s;
      numbers.random = one.chance;
    });
    r.connect();
    // The key is made of the same chance.
    std::string const request = r.server_end().take();
    auto const key = request.find("Sec-WebSocket-Key: ") + 19;
    auto const accept = hawser::ws::accept_key(request.substr(key, 24));
    r.answer(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept + "\r\n\r\n");
    REQUIRE(r.c->is_open());
    r.answer(wire(8, close_body(code), true, false));
    auto const took = r.dialled_within();
    INFO(took.count());
    CHECK(took >= one.first - 2ms);
    CHECK(took <= one.first + 50ms);
    // Only the first attempt is: then it is as ever.
    r.lose();
    CHECK(r.dialled_within() <= 3100ms);
  }
}

TEST_CASE("sim: attempts have a limit, behind which connect fails with what the last one met",
          "[sim][client]") {
  rig r([](auto& numbers) { numbers.reconnect.attempts = 2; });
  r.connect();
  r.lose();
  REQUIRE(r.dials_again());
  r.lose();
  REQUIRE(r.dials_again());
  CHECK(r.connected.empty());
  r.log.clear();
  r.answer(refusal("500 Oops"));
  CHECK(r.told() == strings{"error", "reconnect error", "failed", "disconnected"});
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == errc::unexpected_status);
  CHECK(!r.dials_again());
  CHECK(r.c->counters().objects == 0);
  // They are counted from the last connection on.
  r.open();
  for (int i = 0; i < 3; ++i) {
    r.lose();
    REQUIRE(r.dials_again());
    r.accept();
    REQUIRE(r.c->is_open());
  }
}

TEST_CASE("sim: who waits for messages while a client reconnects is told when it gives up",
          "[sim][client]") {
  int const how = GENERATE(0, 1, 2);
  rig r([](auto& numbers) { numbers.reconnect.attempts = 1; }, false);
  r.open();
  r.lose();
  std::vector<std::error_code> told;
  r.c->async_receive(
      [&](std::error_code error, hawser::received_message) { told.push_back(error); });
  r.run();
  CHECK(told.empty());
  if (how == 0) {  // the policy does
    REQUIRE(r.dials_again());
    r.lose();
  } else if (how == 1) {  // the user does
    (void)r.c->close();
  } else {  // nobody does
    REQUIRE(r.dials_again());
    r.accept();
    r.answer(wire(1, "at last", true, false));
  }
  r.run(1h);
  REQUIRE(told.size() == 1);
  CHECK(!told[0] == (how == 2));
}

// -- the user in between -------------------------------------------------------------------------

TEST_CASE("sim: connect makes the attempt that waits at once", "[sim][client]") {
  rig r([](auto& numbers) {
    numbers.reconnect.first_delay = 1h;
    numbers.reconnect.max_delay = 1h;
  });
  r.connect();
  r.lose();
  r.run(1min);
  CHECK(r.host->size() == 1);
  r.log.clear();
  r.connect();
  CHECK(r.host->size() == 2);
  CHECK(r.told() == strings{"attempt 1"});
  r.connect();  // now one is under way
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == errc::already_connected);
  r.accept();
  REQUIRE(r.connected.size() == 3);  // of both that waited
  CHECK(!r.connected[1]);
  CHECK(!r.connected[2]);
  CHECK(!r.dials_again());  // the time that it waited for has passed without another one
  CHECK(r.c->is_open());
}

TEST_CASE("sim: connect while an attempt waits may lead elsewhere", "[sim][client]") {
  rig r;
  hawser::memory_host other(r.net, 81);
  r.open();
  r.lose();
  r.c->async_connect("ws://x:81/", [&](std::error_code error) { r.connected.push_back(error); });
  r.run();
  REQUIRE(other.size() == 1);
  other[0].send(answer_to_upgrade());
  r.run();
  CHECK(r.c->is_open());
  other[0].reset();
  r.run(1s);
  CHECK(other.size() == 2);
  CHECK(r.host->size() == 1);
}

TEST_CASE("sim: close while an attempt waits ends all that waits for it", "[sim][client]") {
  bool const waits = GENERATE(true, false);  // else it is under way
  rig r;
  r.connect();
  r.lose();
  if (!waits) REQUIRE(r.dials_again());
  CHECK(!r.c->close());
  CHECK(r.c->close() == errc::not_open);
  r.run();
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == asio::error::operation_aborted);
  CHECK(r.c->state() == client_state::disconnected);
  CHECK(!r.dials_again());
  CHECK(!has(r.log, "failed"));
}

// -- the offline queue ---------------------------------------------------------------------------

TEST_CASE("sim: what waited goes first, then what on_open and others send", "[sim][client]") {
  rig r;
  int opens = 0;
  r.c->on_open([&] {
    ++opens;
    CHECK(!r.c->send("from on_open " + std::to_string(opens)));
  });
  for (std::string const what : {"1", "2"}) CHECK(!r.c->send(what));  // before any connect
  r.connect();
  CHECK(!r.c->send(std::string_view("3")));
  CHECK(r.c->waiting().messages == 3);
  r.accept();
  CHECK(!r.c->send(std::string_view("4")));
  r.run();
  CHECK(r.received() == strings{"1", "2", "3", "from on_open 1", "4"});
  CHECK(r.c->waiting().messages == 0);
  r.lose();
  for (std::string const what : {"5", "6"}) CHECK(!r.c->send(what));
  CHECK(r.c->socket().send("through a handle") == errc::not_open);
  REQUIRE(r.dials_again());
  r.accept();
  CHECK(r.received() == strings{"5", "6", "from on_open 2"});
}

TEST_CASE("sim: a long queue leaves in order through a narrow connection", "[sim][client]") {
  rig r([](auto& numbers) {
    numbers.offline_queue.max_messages = 10'000;
    numbers.offline_queue.max_bytes = std::size_t{64} << 20;
    numbers.backpressure.max_bytes = 64 * 1024;
  });
  r.net.set_link({.latency = 5ms, .bandwidth = 1'000'000, .buffer = 8 * 1024});
  constexpr std::size_t count = 2'000;
  std::string const filling(1'000, 'x');
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(!r.c->send(std::to_string(i) + filling));
  }
  r.connect();
  r.run(100ms);
  r.accept();
  r.run(100ms);
  REQUIRE(r.c->is_open());
  CHECK(r.c->waiting().messages > 0);
  CHECK(!r.c->send("last" + filling));  // order is kept though there is a connection
  r.run(10s);
  auto const got = r.received();
  INFO(Catch::StringMaker<strings>::convert(r.log));
  REQUIRE(got.size() == count + 1);
  for (std::size_t i = 0; i < count; ++i) REQUIRE(got[i] == std::to_string(i) + filling);
  CHECK(got[count] == "last" + filling);
  CHECK(r.c->waiting().messages == 0);
  CHECK(r.c->counters().messages_dropped == 0);
}

TEST_CASE("sim: a full offline queue refuses, drops the oldest, or what is outdated",
          "[sim][client]") {
  using hawser::overflow_rule;
  auto const rule =
      GENERATE(overflow_rule::refuse, overflow_rule::drop_oldest, overflow_rule::replace_by_key);
  rig r([&](auto& numbers) {
    numbers.offline_queue.max_messages = 3;
    numbers.offline_queue.overflow = rule;
  });
  strings dropped;
  r.c->on_dropped([&](hawser::dropped_message const& one) {
    dropped.push_back(std::string(hawser::as_text(one.data)) + ": " +
                      make_error_code(one.why).message());
  });
  std::vector<std::error_code> said;
  for (std::string const what : {"a", "b", "c"}) said.push_back(r.c->send(what, {.key = what[0]}));
  said.push_back(r.c->send("B", {.key = 'b'}));
  said.push_back(r.c->send("d", {.key = 'd'}));
  r.connect();
  r.accept();
  auto const why = [](errc code) { return make_error_code(code).message(); };
  for (std::size_t i = 0; i < 3; ++i) CHECK(!said[i]);
  if (rule == overflow_rule::refuse) {
    CHECK(said[3] == errc::offline_queue_full);
    CHECK(said[4] == errc::offline_queue_full);
    CHECK(dropped.empty());
    CHECK(r.received() == strings{"a", "b", "c"});
    return;
  }
  CHECK(!said[3]);
  CHECK(!said[4]);
  CHECK(r.c->counters().messages_dropped == dropped.size());
  if (rule == overflow_rule::drop_oldest) {
    CHECK(dropped ==
          strings{"a: " + why(errc::offline_overflow), "b: " + why(errc::offline_overflow)});
    CHECK(r.received() == strings{"c", "B", "d"});
  } else {
    CHECK(dropped ==
          strings{"b: " + why(errc::offline_replaced), "a: " + why(errc::offline_overflow)});
    CHECK(r.received() == strings{"B", "c", "d"});
  }
}

TEST_CASE("sim: what is too old is told, not sent", "[sim][client]") {
  rig r([](auto& numbers) { numbers.offline_queue.max_age = 1min; });
  strings dropped;
  r.c->on_dropped([&](hawser::dropped_message const& one) {
    CHECK(one.why == errc::offline_expired);
    dropped.emplace_back(hawser::as_text(one.data));
  });
  CHECK(!r.c->send(std::string_view("old")));
  r.run(50s);
  CHECK(!r.c->send(std::string_view("young")));
  r.run(20s);
  r.connect();
  r.accept();
  CHECK(dropped == strings{"old"});
  CHECK(r.received() == strings{"young"});
}

// -- cancellation --------------------------------------------------------------------------------

TEST_CASE("sim: async_connect can be cancelled, and the attempt is given up", "[sim][client]") {
  int const stage = GENERATE(0, 1, 2, 3);
  rig r;
  asio::cancellation_signal stop;
  std::vector<std::error_code> told;
  r.c->async_connect("ws://x/", asio::bind_cancellation_slot(
                                    stop.slot(), [&](std::error_code e) { told.push_back(e); }));
  if (stage > 0) r.run();
  if (stage == 2) r.lose();  // an attempt waits
  if (stage == 3) r.accept();
  if (stage == 3) r.run();
  stop.emit(asio::cancellation_type::terminal);
  stop.emit(asio::cancellation_type::terminal);
  if (stage < 3) CHECK(told.empty());  // never inline
  r.run(1min);
  REQUIRE(told.size() == 1);
  if (stage == 3) {  // too late
    CHECK(!told[0]);
    CHECK(r.c->is_open());
  } else {
    CHECK(told[0] == asio::error::operation_aborted);
    CHECK(r.c->state() == client_state::disconnected);
    CHECK(r.host->size() == 1);
    CHECK(r.c->counters().objects == 0);
    r.connect();
    r.accept();
    CHECK(r.c->is_open());
  }
}

TEST_CASE("sim: async_receive can be cancelled, and takes no message with it", "[sim][client]") {
  rig r({}, false);
  r.open();
  std::array<asio::cancellation_signal, 3> stop;
  strings got;
  int aborted = 0;
  for (auto& one : stop) {
    r.c->async_receive(asio::bind_cancellation_slot(
        one.slot(), [&](std::error_code error, hawser::received_message what) {
          if (error == asio::error::operation_aborted) {
            ++aborted;
          } else {
            got.push_back(error ? error.message() : what.data);
          }
        }));
  }
  stop[0].emit(asio::cancellation_type::total);
  r.run();
  CHECK(aborted == 1);
  CHECK(got.empty());
  stop[1].emit(asio::cancellation_type::total);
  r.answer(wire(1, "first", true, false) + wire(1, "second", true, false));
  CHECK(aborted == 2);
  CHECK(got == strings{"first"});
  r.c->async_receive(
      [&](std::error_code, hawser::received_message what) { got.push_back(what.data); });
  r.run();
  CHECK(got == strings{"first", "second"});
  for (auto& one : stop) one.emit(asio::cancellation_type::total);
  r.run();
  CHECK(aborted == 2);
}

TEST_CASE("sim: async_close can be cancelled, and the connection closes all the same",
          "[sim][client]") {
  rig r;
  r.open();
  asio::cancellation_signal stop;
  std::vector<std::error_code> told;
  r.c->async_close(asio::bind_cancellation_slot(
      stop.slot(), [&](std::error_code error) { told.push_back(error); }));
  r.c->async_close([&](std::error_code error) { told.push_back(error); });
  r.run();
  stop.emit(asio::cancellation_type::partial);
  r.run();
  CHECK(told == std::vector{error_of(asio::error::operation_aborted)});
  r.answer(wire(8, close_body(1000), true, false));
  r.run(1min);
  REQUIRE(told.size() == 2);
  CHECK(!told[1]);
  CHECK(r.c->state() == client_state::disconnected);
}

// -- Socket.IO -----------------------------------------------------------------------------------

namespace {

// A server that keeps the names of the events that it gets, and a client of it.
struct pair : hall {
  strings events;
  guest g;

  explicit pair(std::function<void(guest::options_type&)> const& change = {}, bool watches = true)
      : g(
            *this,
            [&](auto& numbers) {
              only(numbers, by_websocket);
              if (change) change(numbers);
            },
            watches) {
    listen();
  }
  void listen() {
    server->on_any([this](hawser::socket, hawser::event_view const& what) {
      events.emplace_back(what.name());
    });
    for (std::string const name : {"1", "2", "3", "open", "connect 1"}) {
      server->on(name, [] { return true; });  // acknowledged where that is wanted
    }
    server->on("double", [](int n) { return 2 * n; });
    server->on("silence", [](hawser::ack<int> never) { (void)never; });
  }
  void open() {
    g.connect();
    REQUIRE(g->connected());
    g.log.clear();
  }
  void cut() {
    for (auto& one : net.connections()) one.reset();
    run();
  }
  void up() {
    restart();
    listen();
  }
  std::uint64_t dialled() const { return net.dialled(); }
  /// Whether there is another attempt.
  bool dials_again() {
    auto const before = net.dialled();
    return net.run_until([&] { return net.dialled() > before; }, 1h);
  }
};

}  // namespace

TEST_CASE("sim: a Socket.IO client tells states and events in the order of the reference",
          "[sim][client][socketio]") {
  pair p;
  p.g.connect();
  CHECK(p.g.told() == strings{"connecting", "connected", "open", "connect"});
  REQUIRE(p.g.connected.size() == 1);
  CHECK(!p.g.connected[0]);
  p.cut();
  CHECK(p.g.told() ==
        strings{"disconnect transport error", "close transport error", "reconnecting"});
  p.server.reset();
  REQUIRE(p.dials_again());
  p.run();
  CHECK(p.g.told() == strings{"attempt 1", "error", "reconnect error", "connect error, again"});
  p.up();
  REQUIRE(p.dials_again());
  p.run();
  CHECK(p.g.told() == strings{"attempt 2", "connected", "open", "reconnect 2", "connect"});
  p.g->close();
  CHECK(p.g.told() == strings{"disconnecting", "disconnect io client disconnect"});
  p.run(1s);
  CHECK(p.g.told() == strings{"close forced close", "disconnected"});
  CHECK(!p.dials_again());
  CHECK(p.reasons == strings{"transport error", "client namespace disconnect"});
  // And once more.
  p.open();
  CHECK(p.g.connected.size() == 2);
}

TEST_CASE(
    "sim: after close no attempt is made, whichever handler of a Socket.IO client it came "
    "from",
    "[sim][client][socketio]") {
  for (std::string const where :
       {"connecting", "connected", "open", "connect", "disconnect transport error",
        "close transport error", "reconnecting", "attempt 1", "error", "reconnect error",
        "connect error, again", "attempt 2", "reconnect 2"}) {
    for (bool const leaves : {false, true}) {  // the last namespace, instead of the client
      INFO(where << (leaves ? ", leaves" : ""));
      pair p;
      bool closed = false;
      p.g.then = [&](std::string const& what) {
        if (what != where || closed) return;
        closed = true;
        leaves ? void(p.g->disconnect()) : p.g->close();
      };
      p.g.connect();
      if (!closed) p.cut();
      if (!closed) p.server.reset();
      if (!closed && p.dials_again()) p.run();
      if (!closed) p.up();
      if (!closed && p.dials_again()) p.run();
      REQUIRE(closed);
      p.run(10s);
      auto const before = p.dialled();
      p.run(1h);
      CHECK(p.dialled() == before);
      CHECK(p.g->state() == client_state::disconnected);
      CHECK(!p.g->active());
      CHECK(p.g.connected.size() == 1);
      CHECK(p.g->counters().objects == 0);
      if (!p.server) p.up();
      p.g.then = {};
      p.open();
    }
  }
}

TEST_CASE("sim: a Socket.IO server that refuses is not asked again", "[sim][client][socketio]") {
  bool const asked = GENERATE(false, true);
  bool const polls = GENERATE(false, true);
  pair p([&](auto& numbers) {
    numbers.reconnect_when_refused = asked;
    numbers.engine.transports = {by_polling};
    if (!polls) numbers.engine.transports.push_back(by_websocket);
  });
  p.server->allow_request([](hawser::handshake const&, hawser::decision d) { d.reject(403); });
  auto chat = p.g->socket("/chat");
  std::vector<std::error_code> told;
  chat.async_connect([&](std::error_code error) { told.push_back(error); });
  p.g.connect();
  CHECK(p.dials_again() == asked);
  if (asked) return;
  CHECK(p.g.told() == strings{"connecting", "error", "connect error", "disconnected"});
  REQUIRE(p.g.connected.size() == 1);
  CHECK(p.g.connected[0] == errc::unexpected_status);
  CHECK(p.g->status() == 403);
}

TEST_CASE("sim: a Socket.IO client that broke a rule of the server's does not come back by itself",
          "[sim][client][socketio]") {
  bool const asked = GENERATE(false, true);
  pair p([&](auto& numbers) { numbers.reconnect_when_refused = asked; });
  p.restart([](auto& numbers) { numbers.framing.max_message_size = 1'000; });
  p.open();
  std::vector<std::error_code> received;
  p.g->async_receive(
      [&](std::error_code error, hawser::received_event) { received.push_back(error); });
  CHECK(!p.g->emit("large", std::string(2'000, 'x')));
  p.run(1min);
  CHECK(has(p.g.log, asked ? "reconnecting" : "disconnected"));
  CHECK(p.dialled() == (asked ? 2 : 1));
  CHECK(received.size() == (asked ? 0 : 1));
  CHECK(!has(p.g.log, "failed"));
}

TEST_CASE("sim: when a Socket.IO client gives up, everybody who waits is told",
          "[sim][client][socketio]") {
  pair p([](auto& numbers) { numbers.reconnect.attempts = 2; });
  auto chat = p.g->socket("/chat");
  p.server.reset();
  std::vector<std::error_code> joined, received;
  chat.async_connect([&](std::error_code error) { joined.push_back(error); });
  p.g->async_receive(
      [&](std::error_code error, hawser::received_event) { received.push_back(error); });
  p.g.connect();
  p.run(1min);
  CHECK(p.g.told() == strings{"connecting", "error", "connect error, again", "reconnecting",
                              "attempt 1", "error", "reconnect error", "connect error, again",
                              "attempt 2", "error", "reconnect error", "connect error", "failed",
                              "disconnected"});
  CHECK(p.g.connected == std::vector{error_of(asio::error::connection_refused)});
  CHECK(received == std::vector{error_of(errc::disconnected)});
  REQUIRE(joined.size() == 1);
  CHECK(!p.dials_again());
}

TEST_CASE("sim: what waited leaves before what handlers emit, in every order of namespaces",
          "[sim][client][socketio]") {
  bool const polls = GENERATE(false, true);
  bool const confirmed = GENERATE(false, true);
  pair p([&](auto& numbers) {
    if (polls) only(numbers, by_polling);
    if (confirmed) numbers.sockets.retries = 3;
  });
  int connects = 0;
  p.g->on_open([&] { CHECK(!p.g->emit("open")); });
  p.g->on_connect(
      [&](hawser::client_socket s) { CHECK(!s.emit("connect " + std::to_string(++connects))); });
  CHECK(!p.g->emit("1"));
  CHECK(!p.g->emit("2"));
  CHECK(p.g->unreliable().emit("volatile") == errc::dropped);
  CHECK(p.g->waiting().messages == 2);
  p.g.connect();
  CHECK(!p.g->emit("3"));
  p.run(1s);
  CHECK(p.events == strings{"1", "2", "open", "connect 1", "3"});
  CHECK(p.g->waiting().messages == 0);
}

TEST_CASE("sim: a full offline queue of a namespace tells the owners of what it drops",
          "[sim][client][socketio]") {
  using hawser::overflow_rule;
  auto const rule =
      GENERATE(overflow_rule::refuse, overflow_rule::drop_oldest, overflow_rule::replace_by_key);
  bool const confirmed = GENERATE(false, true);
  static constexpr hawser::event<"place", int> place{.delivery = hawser::latest};
  pair p([&](auto& numbers) {
    numbers.offline_queue.max_messages = 3;
    numbers.offline_queue.overflow = rule;
    if (confirmed) numbers.sockets.retries = 3;
  });
  std::vector<std::error_code> told;
  auto const ask = [&](int n) {
    p.g->emit_with_ack("double", n, [&told, n](std::error_code error, int twice) {
      if (!error) CHECK(twice == 2 * n);
      told.push_back(error);
    });
  };
  ask(1);
  CHECK(!p.g->emit("1"));
  CHECK(!p.g->emit(place, 7));
  CHECK(told.empty());
  std::error_code const again = p.g->emit(place, 7);
  std::error_code const further = p.g->emit("2");
  ask(2);
  p.server->on("place", [] { return true; });
  auto const drops = p.g->counters().messages_dropped;
  strings const dropped = p.g.told();
  p.g.connect();
  p.run(1s);
  auto const why = [](errc code) { return make_error_code(code).message(); };
  REQUIRE(told.size() == 2);
  if (rule == overflow_rule::refuse) {
    CHECK(again == errc::offline_queue_full);
    CHECK(further == errc::offline_queue_full);
    CHECK(told[0] == errc::offline_queue_full);  // of the second one
    CHECK(!told[1]);
    CHECK(dropped.empty());
    CHECK(p.events == strings{"double", "1", "place"});
    return;
  }
  CHECK(!again);
  CHECK(!further);
  CHECK(drops == 3);
  CHECK(told[0] == errc::offline_overflow);
  CHECK(!told[1]);
  if (rule == overflow_rule::drop_oldest) {  // the first ask, "1" and a place have gone
    CHECK(dropped == strings{"dropped 1: " + why(errc::offline_overflow),
                             "dropped place: " + why(errc::offline_overflow)});
    CHECK(p.events == strings{"place", "2", "double"});
  } else {
    CHECK(dropped == strings{"dropped place: " + why(errc::offline_replaced),
                             "dropped 1: " + why(errc::offline_overflow)});
    CHECK(p.events == strings{"place", "2", "double"});
  }
}

TEST_CASE("sim: events that are too old, or whose acknowledgement nobody waits for, aren't sent",
          "[sim][client][socketio]") {
  bool const confirmed = GENERATE(false, true);
  pair p([&](auto& numbers) {
    numbers.offline_queue.max_age = 1min;
    numbers.sockets.ack_timeout = 0ms;
    if (confirmed) numbers.sockets.retries = 3;
  });
  std::vector<std::error_code> told;
  auto const note = [&](std::error_code error, int) { told.push_back(error); };
  CHECK(!p.g->emit("old"));
  p.g->emit_with_ack("double", 1, note);
  p.g->timeout(30s).emit_with_ack("impatient", 1, note);
  p.run(50s);
  if (!confirmed) CHECK(told == std::vector{error_of(errc::ack_timeout)});
  CHECK(!p.g->emit("1"));
  p.run(20s);
  p.g.log.clear();
  p.g.connect();
  p.run(1s);
  CHECK(count(p.g.log, "dropped old: " + make_error_code(errc::offline_expired).message()) == 1);
  REQUIRE(told.size() == 2);
  CHECK(told.back() == errc::offline_expired);
  CHECK(p.events == strings{"1"});
}

TEST_CASE("sim: a long queue of a namespace leaves in order by any transport",
          "[sim][client][socketio]") {
  auto const way = GENERATE(by_polling, by_websocket);
  pair p(
      [&](auto& numbers) {
        only(numbers, way);
        numbers.offline_queue.max_messages = 10'000;
        numbers.offline_queue.max_bytes = std::size_t{16} << 20;
        numbers.backpressure.max_bytes = 20'000;
        numbers.backpressure.max_messages = 100;
      },
      false);
  p.net.set_link({.latency = 5ms, .bandwidth = 1'000'000, .buffer = 8 * 1024});
  std::vector<int> got;
  auto chat = p.g->socket("/a-namespace-with-quite-a-long-name-that-every-packet-carries");
  p.server->of(chat.nsp()).on("n", [&](int n) { got.push_back(n); });
  for (int i = 0; i < 5'000; ++i) REQUIRE(!chat.emit("n", i));
  p.g.connect();
  REQUIRE(p.net.run_until([&] { return chat.connected(); }, 1s));
  CHECK(chat.waiting().messages > 0);
  CHECK(!chat.emit("n", 5'000));
  p.run(1min);
  REQUIRE(got.size() == 5'001);
  for (int i = 0; i <= 5'000; ++i) REQUIRE(got[static_cast<std::size_t>(i)] == i);
  CHECK(p.connects == 0);  // "/" was not named
  CHECK(!has(p.g.log, "reconnecting"));
  CHECK(chat.waiting().messages == 0);
}

TEST_CASE("sim: connect makes the attempt of a Socket.IO client that waits at once",
          "[sim][client][socketio]") {
  pair p([](auto& numbers) {
    numbers.reconnect.first_delay = 1h;
    numbers.reconnect.max_delay = 1h;
  });
  p.server.reset();
  p.g.connect();
  p.run(1min);
  CHECK(p.dialled() == 1);
  p.up();
  p.g.connect();
  CHECK(p.dialled() == 2);
  CHECK(p.g->connected());
  CHECK(p.g.connected.size() == 2);
  p.run(2h);
  CHECK(p.dialled() == 2);
}

TEST_CASE("sim: the operations of a Socket.IO client are cancelled one by one, each once",
          "[sim][client][socketio]") {
  pair p;
  asio::cancellation_signal stop;
  std::vector<std::error_code> told;
  auto const note = [&](std::error_code error, auto&&...) { told.push_back(error); };
  auto const cancelled = [&] {
    CHECK(told.empty());
    stop.emit(asio::cancellation_type::terminal);
    CHECK(told.empty());  // never inline
    p.run(1min);
    CHECK(told == std::vector{error_of(asio::error::operation_aborted)});
    stop.emit(asio::cancellation_type::terminal);
    p.run(1min);
    CHECK(told.size() == 1);
    told.clear();
  };
  // async_connect, while a namespace is awaited: what was to come of it is given up.
  p.g->auth([](hawser::auth_reply never) { (void)never; });
  p.g->async_connect("ws://x/", asio::bind_cancellation_slot(stop.slot(), note));
  p.run(1s);
  CHECK(p.g->is_open());
  cancelled();
  CHECK(p.g->state() == client_state::disconnected);
  CHECK(p.g->counters().objects == 0);
  CHECK(p.server->size() == 0);
  // While it waits for its next attempt.
  p.server.reset();
  p.g->async_connect("ws://x/", asio::bind_cancellation_slot(stop.slot(), note));
  p.run(200ms);
  CHECK(p.g->state() == client_state::reconnecting);
  cancelled();
  CHECK(p.g->state() == client_state::disconnected);
  CHECK(!p.dials_again());
  p.up();
  p.g->auth(json());
  p.open();
  // async_emit_with_ack: the answer that comes later goes nowhere.
  hawser::ack<int> later;
  p.server->on("later", [&](hawser::ack<int> reply) { later = std::move(reply); });
  p.g->async_emit_with_ack<int>("later", asio::bind_cancellation_slot(stop.slot(), note));
  p.run(1s);
  REQUIRE(later);
  cancelled();
  p.g->timeout(1h).async_emit_with_ack<int>("later",
                                            asio::bind_cancellation_slot(stop.slot(), note));
  p.run(1s);
  REQUIRE(later);
  cancelled();
  CHECK(!later(1));
  p.run();
  CHECK(told.empty());
  // async_receive: the event goes to the next one.
  std::vector<std::string> got;
  p.g->async_receive(asio::bind_cancellation_slot(stop.slot(), note));
  p.g->async_receive([&](std::error_code, hawser::received_event e) { got.push_back(e.name); });
  cancelled();
  CHECK(!p.sockets.back().emit("news"));
  p.run();
  CHECK(got == strings{"news"});
  // A namespace's async_connect: the namespace goes on.
  auto chat = p.g->socket("/chat");
  CHECK(!chat.disconnect());
  p.run();
  chat.auth([](hawser::auth_reply never) { (void)never; });
  chat.async_connect(asio::bind_cancellation_slot(stop.slot(), note));
  p.run(1s);
  CHECK(told.empty());
  stop.emit(asio::cancellation_type::terminal);
  p.run();
  CHECK(told == std::vector{error_of(asio::error::operation_aborted)});
  told.clear();
  CHECK(p.g->connected());
  // async_close: it closes all the same.
  for (auto& one : p.net.connections()) one.hold();
  p.g->async_close(asio::bind_cancellation_slot(stop.slot(), note));
  p.run(1s);
  cancelled();
  CHECK(p.g->state() == client_state::disconnected);
}
