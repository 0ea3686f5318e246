#include <hawser/transport/memory.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

http::url url_of(std::string const& text) { return *http::parse_url(text); }

struct rig {
  asio::io_context io{1};
  memory_network network{io};
  memory_context context{io.get_executor(), {.network = &network}};
  memory_acceptor acceptor{context};
  memory_connector connector{context};

  explicit rig(memory_link const& link = {}) {
    network.set_link(link);
    REQUIRE(!acceptor.open({.port = 80, .backlog = 10'000}));
  }

  std::pair<memory_stream, memory_stream> connect() {
    std::optional<memory_stream> client;
    connector.connect(url_of("ws://host/"), [&](result<memory_stream> made) {
      REQUIRE(made);
      client.emplace(std::move(*made));
    });
    REQUIRE(network.run_until([&] { return client.has_value(); }, 10s));
    auto server = acceptor.accept();
    REQUIRE(server);
    return {std::move(*client), std::move(*server)};
  }
};

io_result write(memory_stream& to, std::string_view text) {
  std::array<bytes_view, 1> const parts{as_bytes(text)};
  return to.write_some(parts);
}

std::string read(memory_stream& from, std::size_t most = 100'000) {
  std::string text(most, '\0');
  auto const done = from.read_some({reinterpret_cast<std::byte*>(text.data()), text.size()});
  text.resize(done.bytes);
  return text;
}

std::error_code read_error(memory_stream& from) {
  std::array<std::byte, 8> some;
  return from.read_some(some).error;
}

// Notes what a wait completed with.
struct note {
  std::shared_ptr<std::vector<std::error_code>> seen =
      std::make_shared<std::vector<std::error_code>>();
  void operator()(std::error_code error) const { seen->push_back(error); }
  std::size_t count() const { return seen->size(); }
};

auto const aborted = make_error_code(asio::error::operation_aborted);
auto const reset_by_peer = make_error_code(asio::error::connection_reset);
auto const ended = make_error_code(asio::error::eof);

}  // namespace

TEST_CASE("memory: bytes arrive in order and waits never complete inline", "[transport][memory]") {
  rig r;
  auto [client, server] = r.connect();
  CHECK(read_error(server) == would_block());
  note readable;
  server.wait_readable(readable);
  CHECK(write(client, "one ").bytes == 4);
  std::array<bytes_view, 3> const parts{as_bytes("two"), bytes_view{}, as_bytes(" three")};
  CHECK(client.write_some(parts).bytes == 9);
  CHECK(readable.count() == 0);
  r.network.run_ready();
  REQUIRE(readable.count() == 1);
  CHECK(!readable.seen->front());
  CHECK(read(server) == "one two three");
  CHECK(read_error(server) == would_block());
  CHECK(write(server, "back").bytes == 4);
  CHECK(read(client, 2) == "ba");
  client.wait_readable(readable);  // level-triggered: "ck" is there
  CHECK(readable.count() == 1);
  r.network.run_ready();
  CHECK(readable.count() == 2);
  CHECK(client.write_some({}).bytes == 0);
  CHECK(!client.write_some({}).error);
}

TEST_CASE("memory: addresses and ports are those of sockets", "[transport][memory]") {
  rig r;
  auto [client, server] = r.connect();
  CHECK(client.remote_address() == "host:80");
  CHECK(server.remote_address() == "127.0.0.1:1024");

  memory_context six(r.io.get_executor(), {.network = &r.network, .address = "2001:db8::1"});
  memory_acceptor chosen(six);
  memory_acceptor another(six);
  REQUIRE(!chosen.open({.host = "example"}));
  REQUIRE(!another.open({}));
  CHECK(chosen.port() != 0);
  CHECK(chosen.port() != another.port());
  CHECK(memory_acceptor(six).open({.port = 80}) == asio::error::address_in_use);
  CHECK(memory_acceptor(six).open({.host = "::", .port = 80}) == asio::error::address_in_use);

  memory_connector connector(six);
  std::vector<std::error_code> outcomes;
  auto const port = std::to_string(chosen.port());
  connector.connect(url_of("ws://elsewhere:" + port),
                    [&](result<memory_stream> made) { outcomes.push_back(made.error()); });
  connector.connect(url_of("ws://example:" + port),
                    [&](result<memory_stream> made) { outcomes.push_back(made.error()); });
  r.network.run_ready();
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0] == asio::error::connection_refused);
  CHECK(!outcomes[1]);
  auto accepted = chosen.accept();
  REQUIRE(accepted);
  CHECK(accepted->remote_address() == "[2001:db8::1]:1026");

  memory_acceptor path(six);
  REQUIRE(!path.open({.path = "/run/x"}));
  CHECK(path.port() == 0);
  CHECK(memory_acceptor(six).open({.path = "/run/x"}) == errc::address_in_use_by_other);
  connector.connect(url_of("ws+unix:/run/x:/t"), [&](result<memory_stream> made) {
    REQUIRE(made);
    CHECK(made->remote_address() == "unix");
    outcomes.push_back({});
  });
  r.network.run_ready();
  CHECK(outcomes.size() == 3);
  CHECK(path.accept());
}

TEST_CASE("memory: a context needs the network of its own io_context", "[transport][memory]") {
  asio::io_context io;
  asio::io_context other;
  memory_network network(io);
  memory_context none(io.get_executor(), {});
  memory_context wrong(other.get_executor(), {.network = &network});
  CHECK(none.prepare_server() == errc::bad_argument);
  CHECK(wrong.prepare_client() == errc::bad_argument);
  CHECK(memory_acceptor(none).open({.port = 1}) == errc::bad_argument);
  memory_timer timer(none);
  timer.wait_until(timer.now(), note{});
  memory_connector connector(none);
  std::error_code error;
  connector.connect(url_of("ws://x"), [&](result<memory_stream> made) { error = made.error(); });
  io.poll();
  CHECK(error == asio::error::network_down);
}

TEST_CASE("memory: latency and bandwidth take virtual time", "[transport][memory]") {
  rig r({.latency = 30ms});
  auto const start = r.network.now();
  auto [client, server] = r.connect();
  CHECK(r.network.now() - start == 60ms);
  write(client, "ping");
  r.network.run_for(29ms);
  CHECK(read_error(server) == would_block());
  CHECK(r.network.connection(0).in_flight_to(memory_end::acceptor) == 4);
  r.network.run_for(1ms);
  CHECK(read(server) == "ping");

  r.network.last_connection().set_link({.latency = 10ms, .bandwidth = 14'600});
  CHECK(write(client, std::string(14'600, 'x')).bytes == 14'600);
  CHECK(write(client, std::string(1'460, 'y')).bytes == 1'460);
  r.network.run_for(109ms);
  CHECK(read(server).empty());
  r.network.run_for(1ms);
  CHECK(read(server).size() == 1'460);
  r.network.run_for(500ms);
  CHECK(read(server).size() == 5 * 1'460);
  r.network.run_for(500ms);
  CHECK(read(server).back() == 'y');
  write(server, "at once");  // the other direction was free
  r.network.run_for(11ms);
  CHECK(read(client) == "at once");

  r.network.last_connection().set_link({});
  write(client, "never overtakes");
  CHECK(read(server) == "never overtakes");
}

TEST_CASE("memory: a faster link lets nothing overtake", "[transport][memory]") {
  rig r({.latency = 50ms});
  auto [client, server] = r.connect();
  write(client, "slow ");
  r.network.last_connection().set_link({});
  write(client, "fast");
  client.close();
  CHECK(read_error(server) == would_block());
  r.network.run_for(50ms);
  CHECK(read(server) == "slow fast");
  CHECK(read_error(server) == ended);
}

TEST_CASE("memory: reads and writes can be partial, and a full buffer blocks",
          "[transport][memory]") {
  rig r({.buffer = 10, .max_read = 3, .max_write = 4});
  auto [client, server] = r.connect();
  CHECK(write(client, "abcdefgh").bytes == 4);
  CHECK(write(client, "efghijkl").bytes == 4);
  CHECK(write(client, "ijkl").bytes == 2);
  CHECK(write(client, "kl").error == would_block());
  note writable;
  client.wait_writable(writable);
  r.network.run_ready();
  CHECK(writable.count() == 0);
  CHECK(read(server) == "abc");
  r.network.run_ready();
  CHECK(writable.count() == 1);
  CHECK(write(client, "kl").bytes == 2);
  std::string all = "abc";
  for (auto some = read(server); !some.empty(); some = read(server)) {
    CHECK(some.size() <= 3);
    all += some;
  }
  CHECK(all == "abcdefghijkl");
}

TEST_CASE("memory: FIN comes after the data, and half a connection stays usable",
          "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  write(client, "last words");
  client.shutdown();
  CHECK(write(client, "x").error == asio::error::broken_pipe);
  note readable;
  server.wait_readable(readable);
  r.network.run_for(5ms);
  CHECK(readable.count() == 1);
  CHECK(read(server, 4) == "last");
  CHECK(read(server) == " words");
  CHECK(read_error(server) == ended);
  CHECK(read_error(server) == ended);
  server.wait_readable(readable);
  CHECK(write(server, "answer").bytes == 6);
  server.close();
  r.network.run_for(5ms);
  CHECK(readable.count() == 2);
  CHECK(read(client) == "answer");
  CHECK(read_error(client) == ended);
  CHECK(r.network.live_streams() == 1);
}

TEST_CASE("memory: closing with unread data resets the other end", "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  write(client, "unread");
  r.network.run_for(5ms);
  write(server, "lost");
  note readable;
  client.wait_readable(readable);
  server.close();
  r.network.run_for(5ms);
  CHECK(readable.count() == 1);
  CHECK(read_error(client) == reset_by_peer);
  CHECK(write(client, "x").error == reset_by_peer);
}

TEST_CASE("memory: data for a closed end is answered with a reset", "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  server.close();
  r.network.run_for(5ms);
  CHECK(write(client, "too late").bytes == 8);
  CHECK(read_error(client) == ended);
  note writable;
  r.network.run_for(10ms);
  CHECK(read_error(client) == reset_by_peer);
  client.wait_writable(writable);
  r.network.run_ready();
  CHECK(writable.count() == 1);
  CHECK(write(client, "x").error == reset_by_peer);
}

TEST_CASE("memory: a reset discards what was on the way", "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  write(client, "unread");
  r.network.run_for(5ms);
  write(client, "on the way");
  note readable;
  note writable;
  server.wait_readable(readable);
  client.reset();
  CHECK(write(client, "x").error == asio::error::bad_descriptor);
  r.network.run_for(5ms);
  CHECK(read_error(server) == reset_by_peer);
  CHECK(r.network.connection(0).unread(memory_end::acceptor) == 0);
  server.reset();
  CHECK(r.network.live_streams() == 0);
}

TEST_CASE("memory: a cut connection tells nobody and fills the buffers", "[transport][memory]") {
  rig r({.latency = 5ms, .buffer = 100});
  auto [client, server] = r.connect();
  write(client, "arrives");
  r.network.run_for(5ms);
  write(client, "vanishes");
  r.network.connection(0).cut();
  r.network.run_for(1h);
  CHECK(read(server) == "arrives");
  CHECK(read_error(server) == would_block());
  CHECK(write(client, std::string(200, 'x')).bytes == 92);
  CHECK(write(client, "x").error == would_block());
  CHECK(write(server, std::string(200, 'x')).bytes == 100);
  note readable;
  server.wait_readable(readable);
  client.close();
  r.network.run_for(1h);
  CHECK(readable.count() == 0);
  CHECK(r.network.live_streams() == 1);
  server.close();
  r.network.run_ready();
  CHECK(readable.seen->at(0) == aborted);
}

TEST_CASE("memory: what is held arrives in order on release", "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  write(client, "a");
  r.network.connection(0).hold();
  r.network.run_for(1s);
  write(client, "b");
  client.shutdown();
  r.network.run_for(1s);
  CHECK(read_error(server) == would_block());
  r.network.connection(0).release();
  CHECK(read(server) == "ab");
  CHECK(read_error(server) == ended);
}

TEST_CASE("memory: a box in the middle resets both ends", "[transport][memory]") {
  rig r;
  auto [client, server] = r.connect();
  write(client, "gone");
  r.network.connection(0).reset();
  CHECK(read_error(server) == reset_by_peer);
  CHECK(read_error(client) == reset_by_peer);
}

TEST_CASE("memory: connecting is refused, times out or is cancelled", "[transport][memory]") {
  rig r({.latency = 10ms});
  std::vector<std::error_code> outcomes;
  auto const keep = [&](result<memory_stream> made) { outcomes.push_back(made.error()); };
  auto const start = r.network.now();
  r.connector.connect(url_of("ws://host:81"), keep);
  CHECK(r.network.run_until([&] { return outcomes.size() == 1; }, 1s));
  CHECK(outcomes[0] == asio::error::connection_refused);
  CHECK(r.network.now() - start == 20ms);

  r.network.silence(80);
  r.connector.connect(url_of("ws://host"), keep);
  r.network.run_for(1h);
  CHECK(outcomes.size() == 1);
  r.connector.cancel();
  CHECK(outcomes.size() == 1);
  r.network.run_ready();
  CHECK(outcomes.at(1) == aborted);
  CHECK(r.network.live_connections() == 0);
  r.connector.cancel();
}

TEST_CASE("memory: who cancels a connect in the accept queue leaves an ended stream",
          "[transport][memory]") {
  rig r({.latency = 10ms});
  std::error_code outcome;
  note pending;
  r.acceptor.wait(pending);
  r.connector.connect(url_of("ws://host"),
                      [&](result<memory_stream> made) { outcome = made.error(); });
  r.network.run_for(15ms);
  CHECK(pending.count() == 1);
  r.connector.cancel();
  r.network.run_for(1s);
  CHECK(outcome == aborted);
  auto taken = r.acceptor.accept();
  REQUIRE(taken);
  CHECK(read_error(*taken) == ended);
}

TEST_CASE("memory: a full backlog refuses, and closing a listener resets who waits",
          "[transport][memory]") {
  rig r;
  memory_acceptor small(r.context);
  REQUIRE(!small.open({.port = 7, .backlog = 2}));
  std::vector<result<memory_stream>> made;
  memory_connector connectors[3] = {memory_connector(r.context), memory_connector(r.context),
                                    memory_connector(r.context)};
  for (auto& one : connectors) {
    one.connect(url_of("ws://h:7"), [&](result<memory_stream> s) { made.push_back(std::move(s)); });
  }
  r.network.run_ready();
  REQUIRE(made.size() == 3);
  CHECK(made[0]);
  CHECK(made[1]);
  CHECK(made[2].error() == asio::error::connection_refused);
  note pending;
  small.wait(pending);
  r.network.run_ready();
  CHECK(pending.count() == 1);
  REQUIRE(small.accept());
  small.close();
  CHECK(read_error(*made[1]) == reset_by_peer);
  CHECK(small.accept().error() == asio::error::bad_descriptor);
  small.wait(pending);
  r.network.run_ready();
  CHECK(pending.seen->at(1) == aborted);
  CHECK(!small.open({.port = 7}));
}

TEST_CASE("memory: timers run on virtual time, in order, and are replaced", "[transport][memory]") {
  rig r;
  memory_timer a(r.context);
  memory_timer b(r.context);
  std::vector<std::string> log;
  auto const start = a.now();
  auto const say = [&](std::string what) {
    return [&log, &r, start, what](std::error_code error) {
      log.push_back(what + (error ? "!" : "") + " " +
                    std::to_string((r.network.now() - start) / 1ms));
    };
  };
  a.wait_until(start + 3600s, say("a"));
  b.wait_until(start + 10ms, say("b"));
  a.wait_until(start + 5ms, say("a2"));
  CHECK(log.empty());
  r.network.run_for(7ms);
  b.wait_until(start, say("past"));
  CHECK(r.network.pending_waits() == 1);
  r.network.run_for(1s);
  a.wait_until(start + 2s, say("c"));
  a.cancel();
  a.cancel();
  r.network.run_ready();
  CHECK(log == std::vector<std::string>{"a! 0", "a2 5", "b! 7", "past 7", "c! 1007"});
}

TEST_CASE("memory: after a stall all that fell due happens at once, in order",
          "[transport][memory]") {
  rig r({.latency = 5ms});
  auto [client, server] = r.connect();
  memory_timer timer(r.context);
  std::vector<std::string> log;
  auto const start = r.network.now();
  auto const late = [&] { return std::to_string((r.network.now() - start) / 1s); };
  write(client, "sent in time");
  server.wait_readable([&](std::error_code) { log.push_back("bytes " + late()); });
  timer.wait_until(start + 10s, [&](std::error_code) { log.push_back("timer " + late()); });
  r.network.stall(30s);
  CHECK(log.empty());
  r.network.run_ready();
  CHECK(log == std::vector<std::string>{"bytes 30", "timer 30"});

  // A game loop: time passes, then the loop polls.
  write(client, "next");
  CHECK(read(server) == "sent in time");
  server.wait_readable([&](std::error_code) { log.push_back("poll " + late()); });
  r.network.stall(2s);
  r.io.restart();
  r.io.poll();
  CHECK(log.back() == "poll 32");
  CHECK(read(server) == "next");

  // A handler that takes long.
  timer.wait_until(start + 40s, [&](std::error_code) { r.network.stall(20s); });
  server.wait_readable([&](std::error_code) { log.push_back("late " + late()); });
  write(client, "x");
  r.network.connection(0).hold();
  r.network.run_for(8s);
  r.network.connection(0).release();
  r.network.run_ready();
  CHECK(log.back() == "late 60");
}

TEST_CASE("memory: the nth operation fails, whatever it is", "[transport][memory]") {
  auto const chosen = make_error_code(asio::error::no_buffer_space);
  std::set<std::uint64_t> failed;
  std::vector<memory_operation> kinds;
  for (std::uint64_t n = 1; n <= 7; ++n) {
    rig r;
    kinds.clear();
    r.network.on_operation([&](memory_call const& call) {
      kinds.push_back(call.what);
      return std::error_code{};
    });
    r.network.fail_at(n, chosen);
    auto const saw = [&](std::error_code error) {
      if (error == chosen) failed.insert(n);
      return !error;
    };
    std::optional<memory_stream> client;
    r.connector.connect(url_of("ws://h"), [&](result<memory_stream> made) {
      if (saw(made.error())) client.emplace(std::move(*made));
    });
    r.network.run_ready();
    if (!client) continue;
    auto server = r.acceptor.accept();
    if (!saw(server.error())) server = r.acceptor.accept();  // it is still in the queue
    REQUIRE(server);
    saw(server->handshake());
    saw(write(*client, "x").error);
    saw(read_error(*server));
    client->shutdown();
    auto const shut_down = r.network.operations();
    std::error_code last;
    while (!last || last == chosen) {
      last = read_error(*server);
      saw(last);
    }
    CHECK(last == (n == shut_down ? would_block() : ended));  // a FIN that was never sent
  }
  CHECK(failed == std::set<std::uint64_t>{1, 2, 3, 4, 5, 7});
  CHECK(kinds == std::vector<memory_operation>{memory_operation::connect, memory_operation::accept,
                                               memory_operation::handshake, memory_operation::write,
                                               memory_operation::read, memory_operation::shutdown,
                                               memory_operation::read, memory_operation::read});
}

TEST_CASE("memory: a hook may script the network and cause spurious wake-ups",
          "[transport][memory]") {
  rig r;
  auto [client, server] = r.connect();
  write(client, "x");
  bool once = true;
  r.network.on_operation([&](memory_call const& call) -> std::error_code {
    CHECK(call.connection == 0);
    if (call.what == memory_operation::read && std::exchange(once, false)) return would_block();
    if (call.what == memory_operation::write) r.network.connection(call.connection).reset();
    return {};
  });
  CHECK(read_error(server) == would_block());
  note readable;
  server.wait_readable(readable);
  r.network.run_ready();
  CHECK(readable.count() == 1);
  CHECK(read(server) == "x");
  CHECK(write(server, "y").error == reset_by_peer);
}

TEST_CASE("memory: handlers that spin are stopped", "[transport][memory]") {
  rig r;
  std::function<void()> spin = [&] { asio::post(r.io, [&] { spin(); }); };
  spin();
  r.network.limit_handlers_at_one_time(1'000);
  auto const start = r.network.now();
  CHECK(r.network.run_for(1s) == 1'000);
  CHECK(r.network.stuck());
  CHECK(r.network.now() == start);
  CHECK(!r.network.run_until_idle(1s));
}

TEST_CASE("memory: 5,000 connections come and go and leave nothing", "[transport][memory]") {
  rig r({.latency = 2ms, .bandwidth = 1'000'000});
  struct echo : std::enable_shared_from_this<echo> {
    explicit echo(memory_stream s) : wire(std::move(s)) {}
    void go() {
      auto const text = read(wire, 512);
      if (!text.empty()) write(wire, text);
      auto const error = read_error(wire);
      if (error && !is_would_block(error)) return;
      wire.wait_readable([self = shared_from_this()](std::error_code stopped) {
        if (!stopped) self->go();
      });
    }
    memory_stream wire;
  };
  std::function<void(std::error_code)> accept = [&](std::error_code stopped) {
    if (stopped) return;
    while (auto taken = r.acceptor.accept()) std::make_shared<echo>(std::move(*taken))->go();
    r.acceptor.wait([&](std::error_code error) { accept(error); });
  };
  accept({});
  std::vector<memory_stream> clients;
  for (int i = 0; i < 5'000; ++i) {
    r.connector.connect(url_of("ws://h"), [&](result<memory_stream> made) {
      REQUIRE(made);
      write(*made, "hello");
      clients.push_back(std::move(*made));
    });
  }
  r.network.run_for(1s);
  REQUIRE(clients.size() == 5'000);
  CHECK(r.network.live_streams() == 10'000);
  CHECK(r.network.live_connections() == 5'000);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CHECK(read(clients[i], 16) == "hello");
    if (i % 3 == 0) clients[i].close();
    if (i % 3 == 1) clients[i].reset();
    if (i % 3 == 2) clients[i].shutdown();
  }
  r.network.run_for(1s);
  CHECK(r.network.live_streams() == 1'666);
  clients.clear();
  CHECK(r.network.live_streams() == 0);
  CHECK(r.network.live_connections() == 0);
  CHECK(r.network.pending_waits() == 1);
  r.acceptor.close();
  CHECK(r.network.run_until_idle(1s));
  CHECK(r.network.pending_waits() == 0);
  CHECK(r.network.live_listeners() == 0);
}

TEST_CASE("memory: network, io_context, streams and timers die in any order",
          "[transport][memory]") {
  struct world {
    std::optional<asio::io_context> io{std::in_place, 1};
    std::optional<memory_network> network{std::in_place, *io};
    std::optional<memory_context> context{std::in_place, io->get_executor(),
                                          memory_options{.network = &*network}};
    std::optional<memory_acceptor> acceptor{std::in_place, *context};
    std::optional<memory_connector> connector{std::in_place, *context};
    std::optional<memory_timer> timer{std::in_place, *context};
    std::optional<memory_stream> client, server;
    note notes;
  };
  int const parts = 6;
  std::array<int, parts> order{0, 1, 2, 3, 4, 5};
  int permutations = 0;
  do {
    for (bool const posted : {false, true}) {
      world w;
      REQUIRE(!w.acceptor->open({.port = 80}));
      w.connector->connect(url_of("ws://h"),
                           [&](result<memory_stream> s) { w.client.emplace(std::move(*s)); });
      w.network->run_ready();
      w.server.emplace(std::move(*w.acceptor->accept()));
      w.network->set_link({.latency = 5ms});
      w.network->connection(0).set_link({.latency = 5ms});
      // Handlers that own what they wait on, as those of a server do.
      auto owned = std::make_shared<std::optional<memory_stream>>();
      w.connector->connect(url_of("ws://h"), [owned](result<memory_stream> s) {
        if (s) owned->emplace(std::move(*s));
      });
      w.network->run_for(10ms);
      REQUIRE(*owned);
      (*owned)->wait_readable([owned, n = w.notes](std::error_code e) { n(e); });
      w.client->wait_readable(w.notes);
      w.server->wait_readable(w.notes);
      auto const unused = w.acceptor->accept();
      w.acceptor->wait(w.notes);
      w.timer->wait_until(w.timer->now() + 1h, w.notes);
      w.connector->connect(url_of("ws://h"),
                           [n = w.notes](result<memory_stream> s) { n(s.error()); });
      write(*w.client, "on the way");
      owned.reset();
      if (posted) w.network->stall(1h);
      bool io_alive = true;
      for (int const part : order) {
        if (part == 0) w.network.reset();
        if (part == 1) w.client.reset();
        if (part == 2) w.server.reset();
        if (part == 3) w.timer.reset();
        if (part == 4) {
          if (posted) w.io->poll();
          w.io.reset();
          io_alive = false;
        }
        if (part == 5) {
          w.acceptor.reset();
          w.connector.reset();
        }
        if (posted && io_alive) w.io->restart();
        if (posted && io_alive) w.io->poll();
        if (w.server) read_error(*w.server);
        if (w.client) {
          write(*w.client, "x");
          w.client->wait_writable([](std::error_code) {});
        }
        if (w.timer) w.timer->now();
        if (w.network) w.network->run_for(1ms);
      }
      if (w.notes.count() > 6) FAIL("a handler was called twice");
      ++permutations;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(permutations == 1'440);
}

TEST_CASE("memory: every wait completes once when the network goes", "[transport][memory]") {
  asio::io_context io;
  std::optional<memory_network> network(std::in_place, io);
  memory_context context(io.get_executor(), {.network = &*network});
  memory_acceptor acceptor(context);
  memory_connector connector(context);
  memory_timer timer(context);
  REQUIRE(!acceptor.open({.port = 80}));
  std::optional<memory_stream> client;
  connector.connect(url_of("ws://h"),
                    [&](result<memory_stream> s) { client.emplace(std::move(*s)); });
  network->run_ready();
  network->silence(81);
  note notes;
  client->wait_readable(notes);
  auto const server = acceptor.accept();
  acceptor.wait(notes);
  timer.wait_until(timer.now() + 1s, notes);
  connector.connect(url_of("ws://h:81"), [&](result<memory_stream> s) { notes(s.error()); });
  network.reset();
  CHECK(notes.count() == 0);
  io.restart();
  io.poll();
  CHECK(*notes.seen == std::vector<std::error_code>(4, aborted));
  client->wait_readable(notes);
  acceptor.wait(notes);
  timer.wait_until(timer.now(), notes);
  connector.connect(url_of("ws://h"), [&](result<memory_stream> s) {
    CHECK(s.error() == asio::error::network_down);
    notes(aborted);
  });
  CHECK(acceptor.open({.port = 1}) == asio::error::network_down);
  io.restart();
  io.poll();
  CHECK(*notes.seen == std::vector<std::error_code>(8, aborted));
  CHECK(write(*client, "x").error == asio::error::bad_descriptor);
}
