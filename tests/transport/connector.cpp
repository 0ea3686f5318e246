// How a client reaches its peer: addresses that race, names that don't resolve, time that runs out,
// and an end to it at any moment. All over real sockets.
#include <hawser/transport/connector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/strand.hpp>
#include <catch2/catch.hpp>

#include <hawser/transport/tcp.hpp>
#include <hawser/transport/unix_socket.hpp>

#include "support/dialling.hpp"

using namespace std::literals;
using hawser::errc;
using hawser::tcp_options;
using hawser_test::closed_port;
using hawser_test::deaf_listener;
using hawser_test::dialled;
using hawser_test::listener;
using hawser_test::loopback;
using hawser_test::open_sockets;
using hawser_test::run_to_end;
using hawser_test::run_until;

namespace {

using executor = asio::io_context::executor_type;
using tcp_endpoint = asio::ip::tcp::endpoint;
using endpoint = hawser::socket_dial<executor>::endpoint;

constexpr auto never = std::chrono::milliseconds(24h);

// A resolver whose answer the test gives, if it wants to.
struct manual_resolver {
  struct entry {
    tcp_endpoint at;
    tcp_endpoint endpoint() const { return at; }
  };
  using handler = hawser::callback<void(std::error_code, std::vector<entry> const&)>;
  static inline handler asked{};

  explicit manual_resolver(executor const&) {}
  template <class Handler>
  void async_resolve(std::string const&, std::string const&, asio::ip::resolver_base::flags,
                     Handler done) {
    asked = std::move(done);
  }
};

template <class Resolver = asio::ip::basic_resolver<asio::ip::tcp, executor>>
struct dialler {
  using dial = hawser::socket_dial<executor, Resolver>;
  asio::io_context io;
  dialled outcome{};
  std::weak_ptr<dial> under_way{};

  std::shared_ptr<dial> make(tcp_options const& options = {}) {
    auto made = std::make_shared<dial>(io.get_executor(), options, outcome.handler());
    under_way = made;
    return made;
  }
};

}  // namespace

TEST_CASE("connector: families take turns, beginning with the first", "[transport]") {
  auto const at = [](char const* address) {
    return tcp_endpoint(asio::ip::make_address(address), 80);
  };
  auto const a1 = at("192.0.2.1"), a2 = at("192.0.2.2"), a3 = at("192.0.2.3");
  auto const b1 = at("2001:db8::1"), b2 = at("2001:db8::2"), b3 = at("2001:db8::3");
  using list = std::vector<tcp_endpoint>;
  CHECK(hawser::in_turns({}, 9).empty());
  CHECK(hawser::in_turns({a1}, 9) == list{a1});
  CHECK(hawser::in_turns({a1, a2, b1, b2}, 9) == list{a1, b1, a2, b2});
  CHECK(hawser::in_turns({b1, b2, b3, a1}, 9) == list{b1, a1, b2, b3});
  CHECK(hawser::in_turns({a1, b1, b2, b3}, 9) == list{a1, b1, b2, b3});
  CHECK(hawser::in_turns({a1, b1, a2, a3, b2}, 9) == list{a1, b1, a2, b2, a3});
  CHECK(hawser::in_turns({a1, a2, b1, b2}, 2) == list{a1, b1});
}

TEST_CASE("connector: an address that listens is reached, one that doesn't is an error",
          "[transport]") {
  dialler<> it;
  listener peer(it.io);
  it.make()->start(loopback(peer.port()));
  CHECK(it.outcome.calls == 0);
  REQUIRE(run_to_end(it.io));
  REQUIRE(it.outcome.calls == 1);
  REQUIRE(it.outcome.stream);
  CHECK(it.outcome.stream->remote_address() == "127.0.0.1:" + std::to_string(peer.port()));
  CHECK(it.under_way.expired());

  dialler<> other;
  other.make()->start(loopback(closed_port(other.io)));
  CHECK(other.outcome.calls == 0);
  REQUIRE(run_to_end(other.io));
  CHECK(other.outcome.calls == 1);
  CHECK(other.outcome.error == asio::error::connection_refused);
  CHECK(other.under_way.expired());
}

TEST_CASE("connector: a name is resolved by the system", "[transport]") {
  dialler<> it;
  listener peer(it.io);
  it.make()->start(loopback(peer.port(), "localhost"));  // ::1 may come first, and is closed
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.stream);
  CHECK(it.outcome.calls == 1);
}

TEST_CASE("connector: after an address that fails the next one is tried at once", "[transport]") {
  dialler<> it;
  listener peer(it.io);
  auto const closed = closed_port(it.io);
  it.make({.attempt_delay = never})
      ->race({tcp_endpoint(asio::ip::address_v4::loopback(), closed),
              tcp_endpoint(asio::ip::address_v6::loopback(), closed), peer.endpoint()});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.stream);
}

TEST_CASE("connector: beside an address that is silent the next one is tried", "[transport]") {
  auto const delay = GENERATE(0ms, 1ms, 20ms);
  dialler<> it;
  deaf_listener deaf;
  listener peer(it.io);
  auto const before = open_sockets();
  it.make({.attempt_delay = delay})->race({deaf.endpoint(), deaf.endpoint(), peer.endpoint()});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  REQUIRE(it.outcome.stream);
  CHECK(it.outcome.stream->remote_address() == "127.0.0.1:" + std::to_string(peer.port()));
  CHECK(it.under_way.expired());
  it.outcome.stream.reset();
  CHECK(open_sockets() == before);  // the others are closed
}

TEST_CASE("connector: the first of several that answer is taken, the others are closed",
          "[transport]") {
  dialler<> it;
  listener one(it.io);
  listener two(it.io);
  auto const before = open_sockets();
  it.make({.attempt_delay = 0ms})->race({one.endpoint(), two.endpoint(), one.endpoint()});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.stream);
  it.outcome.stream.reset();
  CHECK(open_sockets() == before);
}

TEST_CASE("connector: when all addresses fail, the last error is told", "[transport]") {
  auto const delay = GENERATE(0ms, never);
  dialler<> it;
  auto const closed = closed_port(it.io);
  endpoint const nobody = tcp_endpoint(asio::ip::address_v4::loopback(), closed);
  it.make({.attempt_delay = delay})->race({nobody, nobody, nobody});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.error == asio::error::connection_refused);
  dialler<> none;
  none.make()->race({});
  REQUIRE(run_to_end(none.io));
  CHECK(none.outcome.error == asio::error::host_not_found);
}

TEST_CASE("connector: all addresses together have a time", "[transport]") {
  dialler<> it;
  deaf_listener deaf;
  auto const before = open_sockets();
  it.make({.attempt_delay = 1ms, .dial_timeout = 30ms})
      ->race({deaf.endpoint(), deaf.endpoint(), deaf.endpoint()});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.error == asio::error::timed_out);
  CHECK(it.under_way.expired());
  CHECK(open_sockets() == before);
}

TEST_CASE("connector: times that make no sense do no harm", "[transport]") {
  dialler<> it;
  listener peer(it.io);
  auto const forever = std::chrono::milliseconds::max();
  it.make({.attempt_delay = forever, .dial_timeout = forever})->race({peer.endpoint()});
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.stream);

  dialler<> hasty;
  deaf_listener deaf;
  auto const past = std::chrono::milliseconds::min();
  hasty.make({.attempt_delay = past, .dial_timeout = past})->race({deaf.endpoint()});
  REQUIRE(run_to_end(hasty.io));
  CHECK(hasty.outcome.error == asio::error::timed_out);
}

TEST_CASE("connector: what a name resolves to is tried in turns, and not without end",
          "[transport]") {
  dialler<manual_resolver> it;
  listener peer(it.io);
  auto const closed = closed_port(it.io);
  tcp_endpoint const nobody(asio::ip::address_v4::loopback(), closed);
  tcp_endpoint const nobody6(asio::ip::address_v6::loopback(), closed);
  auto const dial = [&](std::size_t most) {
    it.outcome = {};
    it.make({.max_addresses = most})->start(loopback(80, "several.example"));
    asio::post(it.io, [&] {
      manual_resolver::asked({}, {{nobody6}, {nobody6}, {nobody6}, {nobody}, {peer.endpoint()}});
    });
    REQUIRE(run_to_end(it.io));
    REQUIRE(it.outcome.calls == 1);
    return it.outcome.error;
  };
  CHECK(!dial(4));  // v6, v4, v6, peer
  CHECK(dial(3));
  CHECK(dial(0));
  manual_resolver::asked = {};
}

TEST_CASE("connector: a resolver that doesn't answer is given up", "[transport]") {
  dialler<manual_resolver> it;
  bool const cancelled = GENERATE(false, true);
  it.make({.resolve_timeout = cancelled ? never : 1ms})->start(loopback(80, "silent.example"));
  if (cancelled) it.under_way.lock()->cancel();
  CHECK(it.outcome.calls == 0);
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.outcome.error == (cancelled ? std::error_code(asio::error::operation_aborted)
                                       : std::error_code(asio::error::host_not_found_try_again)));
  // An answer that comes late is overlooked.
  manual_resolver::asked({}, {{tcp_endpoint(asio::ip::address_v4::loopback(), 1)}});
  manual_resolver::asked = {};
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.calls == 1);
  CHECK(it.under_way.expired());
}

TEST_CASE("connector: a name that can't be resolved is the resolver's error", "[transport]") {
  dialler<manual_resolver> it;
  it.make()->start(loopback(80, "nowhere.example"));
  asio::post(it.io, [] { manual_resolver::asked(asio::error::host_not_found, {}); });
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.error == asio::error::host_not_found);
  manual_resolver::asked = {};
}

// -- cancelling ----------------------------------------------------------------------------------

namespace {

struct connecting {
  asio::io_context io;
  hawser::tcp::context context;
  std::optional<hawser::tcp::connector> connector;
  dialled outcome{};

  explicit connecting(tcp_options const& options = {}) : context(io.get_executor(), options) {
    connector.emplace(context);
  }
  void abort(bool destroy) {
    int const calls = outcome.calls;
    destroy ? connector.reset() : connector->cancel();
    CHECK(outcome.calls == calls);  // posted, not inline
    if (connector) connector->cancel();
  }
  void check_aborted() {
    REQUIRE(run_to_end(io));
    CHECK(outcome.calls == 1);
    CHECK(outcome.error == asio::error::operation_aborted);
  }
};

}  // namespace

TEST_CASE("connector: cancelled before anything has happened", "[transport]") {
  bool const destroy = GENERATE(false, true);
  std::string const host = GENERATE("127.0.0.1", "localhost");
  connecting it;
  listener peer(it.io);
  auto const before = open_sockets();
  it.connector->connect(loopback(peer.port(), host), it.outcome.handler());
  it.abort(destroy);
  it.check_aborted();
  CHECK(open_sockets() == before);
}

TEST_CASE("connector: cancelled while addresses race", "[transport]") {
  bool const destroy = GENERATE(false, true);
  connecting it;
  deaf_listener deaf;
  auto const before = open_sockets();
  it.connector->connect(loopback(deaf.endpoint().port()), it.outcome.handler());
  CHECK(open_sockets() == before + 1);
  it.io.poll();
  it.abort(destroy);
  CHECK(open_sockets() == before);
  it.check_aborted();
}

TEST_CASE("connector: cancelled when the connection is there already", "[transport]") {
  bool const destroy = GENERATE(false, true);
  connecting it;
  listener peer(it.io);
  it.connector->connect(loopback(peer.port()), it.outcome.handler());
  // The loop has seen nothing of it yet.
  REQUIRE(peer.accept_blocking());
  it.abort(destroy);
  it.check_aborted();
}

TEST_CASE("connector: cancelled when its time is over already", "[transport]") {
  connecting it({.dial_timeout = 1ms});
  deaf_listener deaf;
  it.connector->connect(loopback(deaf.endpoint().port()), it.outcome.handler());
  std::this_thread::sleep_for(5ms);
  it.abort(false);
  it.check_aborted();
}

TEST_CASE("connector: cancelled after it has failed, but before that is told", "[transport]") {
  connecting it({.proxy = {.host = "127.0.0.1", .port = 0}});
  it.connector->connect(loopback(80), it.outcome.handler());
  it.abort(false);
  it.check_aborted();
}

TEST_CASE("connector: its handler may cancel, destroy and connect again", "[transport]") {
  connecting it;
  listener peer(it.io);
  auto const url = loopback(peer.port());
  dialled second;
  it.connector->connect(url, [&](hawser::result<hawser::tcp::stream> made) {
    it.outcome.take(std::move(made));
    it.connector->cancel();
    it.connector->connect(url, [&](hawser::result<hawser::tcp::stream> again) {
      second.take(std::move(again));
      it.connector.reset();
    });
  });
  REQUIRE(run_to_end(it.io));
  CHECK(it.outcome.stream);
  CHECK(second.stream);
}

TEST_CASE("connector: to connect again cancels what is under way", "[transport]") {
  connecting it;
  deaf_listener deaf;
  listener peer(it.io);
  it.connector->connect(loopback(deaf.endpoint().port()), it.outcome.handler());
  dialled second;
  it.connector->connect(loopback(peer.port()), second.handler());
  it.check_aborted();
  CHECK(second.stream);
}

TEST_CASE("connector: a loop that is destroyed takes everything along", "[transport]") {
  dialled outcome;
  deaf_listener deaf;
  auto const before = open_sockets();
  {
    asio::io_context io;
    hawser::tcp::context context(io.get_executor(), {});
    {
      hawser::tcp::connector connector(context);
      connector.connect(loopback(deaf.endpoint().port()), outcome.handler());
      io.poll();
    }
  }
  CHECK(outcome.calls == 0);
  CHECK(open_sockets() == before);
}

// -- other executors and transports --------------------------------------------------------------

TEST_CASE("connector: on a strand", "[transport]") {
  asio::io_context io;
  using strand = asio::strand<executor>;
  using transport = hawser::basic_tcp<strand>;
  auto const mine = asio::make_strand(io.get_executor());
  transport::context context(mine, {});
  transport::connector connector(context);
  listener peer(io);
  bool reached = false;
  connector.connect(loopback(peer.port(), "localhost"),
                    [&](hawser::result<transport::stream> made) {
                      CHECK(mine.running_in_this_thread());
                      reached = made.has_value();
                    });
  REQUIRE(run_to_end(io));
  CHECK(reached);
}

TEST_CASE("connector: unix paths, with a proxy set or not", "[transport]") {
  bool const proxied = GENERATE(false, true);
  tcp_options options;
  if (proxied) options.proxy = {.host = "127.0.0.1", .port = 1};
  asio::io_context io;
  hawser::unix_socket::context context(io.get_executor(), options);
  hawser::unix_socket::acceptor acceptor(context);
  hawser::unix_socket::connector connector(context);
  std::string const path = hawser_test::temporary_path("connector.sock");
  REQUIRE(!acceptor.open({.path = path}));
  dialled outcome;
  connector.connect(*hawser::http::parse_url("ws+unix:" + path), outcome.handler());
  REQUIRE(run_to_end(io));
  CHECK(outcome.stream);
  dialled long_path;
  connector.connect(*hawser::http::parse_url("ws+unix:/" + std::string(200, 'x')),
                    long_path.handler());
  CHECK(long_path.calls == 0);
  REQUIRE(run_to_end(io));
  CHECK(long_path.error == errc::bad_url);
}
