#include "sim/harness.hpp"

#include <array>

using namespace sim;

namespace {

// What the life of one connection has to come to, whatever failed on the way.
struct outcome {
  int connects = 0, receives = 0, closings = 0;
  int client_opens = 0, client_closes = 0;
};

// A client and a server of ours: accept, handshake, messages small and large, close. The nth
// operation of the side under test fails.
void live_through(std::uint64_t nth, std::error_code error, bool of_server, bool server_closes) {
  house h([&](auto& numbers) {
    numbers.transport.counted = of_server;
    numbers.framing.deflate.enabled = nth % 2 == 0;
  });
  h.net.set_link({.buffer = 4000, .max_read = 100, .max_write = 90});
  auto numbers = h.options<client>();
  numbers.transport.counted = !of_server;
  numbers.framing.deflate.enabled = true;
  outcome seen;
  std::string large(12'000, '\0');  // does not compress
  h.random.fill({reinterpret_cast<std::byte*>(large.data()), large.size()});
  {
    client c(h.io, std::move(numbers));
    c.on_close([&](hawser::close_event const&) { ++seen.client_closes; });
    h.net.fail_at(nth, error);
    c.async_connect("ws://x/", [&](std::error_code failed) {
      ++seen.connects;
      if (failed) return;
      ++seen.client_opens;
      for (auto const& what : {std::string("one"), large, std::string("three")}) {
        c.async_receive([&](std::error_code, hawser::received_message) { ++seen.receives; });
        (void)c.send(hawser::as_bytes(what));
      }
    });
    h.run(2s);
    if (server_closes && !h.sockets.empty()) (void)h.sockets[0].close();
    c.async_close([&](std::error_code) { ++seen.closings; });
    h.run(5min);
    INFO("n " << nth << ", " << error.message() << (of_server ? ", server" : ", client"));
    CHECK(seen.connects == 1);
    CHECK(seen.closings == 1);
    CHECK(seen.receives == (seen.client_opens ? 3 : 0));
    CHECK(seen.client_closes == seen.client_opens);
    CHECK(h.opens == h.closes);
    CHECK(h.opens <= 1);
    CHECK(c.counters().objects == 0);
    CHECK(h.counters().objects == 0);
    CHECK(h.counters().partial_bytes == 0);
    CHECK(!h.net.stuck());
    // It was among them, and the server still serves.
    CHECK(h.net.operations() >= nth);
    if (h.net.operations() >= nth) {
      peer other(h);
      other.send(text("still there?"));
      h.run(10s);
      CHECK(other.texts() == std::vector<std::string>{"still there?"});
    }
  }
  h.run(10s);
  CHECK(h.net.live_streams() == 0);
  CHECK(h.net.live_connections() == 0);
  h.server.reset();
  h.run();
  CHECK(h.empty());
}

std::array<std::error_code, 5> errors() {
  return {error_of(asio::error::connection_reset), error_of(asio::error::timed_out),
          hawser::would_block(), error_of(asio::error::no_descriptors),
          make_error_code(asio::error::eof)};
}

void all(bool of_server, bool server_closes) {
  for (std::uint64_t n = 1; n <= 200; ++n) {
    live_through(n, errors()[n % errors().size()], of_server, server_closes);
    live_through(n, errors()[(n + 2) % errors().size()], of_server, server_closes);
  }
}

}  // namespace

TEST_CASE("sim: whichever operation of a server fails, events and completions are paired",
          "[sim]") {
  all(true, false);
}

TEST_CASE("sim: whichever operation of a client fails, events and completions are paired",
          "[sim]") {
  all(false, false);
}

TEST_CASE("sim: whichever operation fails while the server closes, events are paired", "[sim]") {
  all(true, true);
  all(false, true);
}

TEST_CASE("sim: a server whose every third operation would block behaves all the same", "[sim]") {
  house h;
  h.net.on_operation([](hawser::memory_call const& call) {
    return call.number % 3 == 0 ? hawser::would_block() : std::error_code{};
  });
  peer p(h);
  for (int i = 0; i < 50; ++i) p.send(text(std::to_string(i)));
  h.run(1s);
  auto const got = p.texts();
  REQUIRE(got.size() == 50);
  for (std::size_t i = 0; i < 50; ++i) CHECK(got[i] == std::to_string(i));
  p.send(goodbye(1001));
  h.run(1s);
  CHECK(p.closed_with() == 1001);
  CHECK(h.closes == 1);
}

TEST_CASE("sim: a server out of descriptors pauses, then accepts again", "[sim]") {
  house h;
  std::vector<std::error_code> reported;
  h.server->on_error([&](std::error_code error, std::string_view) { reported.push_back(error); });
  bool exhausted = true;
  h.net.on_operation([&](hawser::memory_call const& call) {
    return exhausted && call.what == hawser::memory_operation::accept
               ? error_of(asio::error::no_descriptors)
               : std::error_code{};
  });
  peer p(h);
  h.run(10s);
  CHECK(reported.size() > 3);
  CHECK(reported.size() < 20);  // at least a second between two tries in the end
  CHECK(h.counters().accept_failures == reported.size());
  CHECK(!p.is_open());
  exhausted = false;
  h.run(2s);
  CHECK(p.is_open());
}
