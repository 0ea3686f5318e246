#include "sim/harness.hpp"

#include <future>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

using namespace sim;

namespace {

// A client whose key is known, opposite a raw server.
struct rig : world {
  hawser::memory_host host{net, 80};
  std::unique_ptr<client> c;
  std::vector<std::error_code> connected;
  std::vector<ending> endings;

  explicit rig(std::function<void(client::options&)> const& change = {}) {
    auto numbers = options<client>();
    numbers.random = {[](void*, hawser::mutable_bytes out) {
                        for (auto& one : out) one = std::byte{0};
                      },
                      nullptr};
    if (change) change(numbers);
    c = std::make_unique<client>(io, std::move(numbers));
    c->on_close([this](hawser::close_event const& event) { endings.emplace_back(event); });
  }
  void connect(std::string const& url = "ws://x/") {
    c->async_connect(url, [this](std::error_code error) { connected.push_back(error); });
    run();
  }
  auto& server_end() { return host[host.size() - 1]; }
};

std::string accepted(std::string const& extra = {}, std::string const& accept = "") {
  auto const key = accept.empty() ? hawser::ws::accept_key("AAAAAAAAAAAAAAAAAAAAAA==") : accept;
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " + key + "\r\n" + extra + "\r\n";
}
std::string say(std::string_view what) { return wire(1, what, true, false); }

}  // namespace

TEST_CASE("sim: a client tells every failure of the handshake apart", "[sim][client]") {
  struct row {
    std::string answer;
    errc error;
    int status;
  };
  std::string informational;
  for (int i = 0; i < 9; ++i) informational += "HTTP/1.1 102 Processing\r\n\r\n";
  for (auto const& one : std::vector<row>{
           {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", errc::unexpected_status, 403},
           {"HTTP/1.1 200 OK\r\n\r\n", errc::unexpected_status, 200},
           {accepted("", "AAAA"), errc::bad_websocket_accept, 101},
           {accepted("Sec-WebSocket-Protocol: none of these\r\n"), errc::bad_subprotocol, 101},
           {accepted("Sec-WebSocket-Protocol: other\r\n"), errc::bad_subprotocol, 101},
           {accepted("Sec-WebSocket-Extensions: x-unknown\r\n"), errc::bad_extension, 101},
           {"SSH-2.0-OpenSSH\r\n\r\n", errc::bad_status_line, 0},
           {std::string(1000, '\0'), errc::bad_status_line, 0},
           {informational, errc::unexpected_status, 102},
           {"HTTP/1.1 101 X\r\nA: " + std::string(100'000, 'a') + "\r\n\r\n", errc::field_too_large, 0},
       }) {
    INFO(one.answer.substr(0, 100));
    rig r([](auto& numbers) { numbers.subprotocols = {"chat"}; });
    r.connect();
    REQUIRE(r.host.size() == 1);
    r.server_end().send(one.answer);
    r.run(1ms);
    REQUIRE(r.connected.size() == 1);
    CHECK(r.connected[0] == one.error);
    CHECK(r.c->status() == one.status);
    CHECK(!r.c->is_open());
    r.run(1min);
    CHECK(r.connected.size() == 1);
    CHECK(r.endings.empty());
    CHECK(r.c->counters().objects == 0);
    // The same client connects again.
    r.connect();
    r.server_end().send(accepted("Sec-WebSocket-Protocol: chat\r\n"));
    r.run();
    REQUIRE(r.connected.size() == 2);
    CHECK(!r.connected[1]);
    CHECK(r.c->socket().subprotocol() == "chat");
  }
}

TEST_CASE("sim: a client answers bad URLs, closed ports, resets and FINs with errors",
          "[sim][client]") {
  rig r;
  r.connect("http//x");
  r.connect("ws://x:81/");
  REQUIRE(r.connected.size() == 2);
  CHECK(r.connected[0] == errc::bad_url);
  CHECK(r.connected[1] == asio::error::connection_refused);
  r.connect();
  r.server_end().reset();
  r.run();
  r.connect();
  r.server_end().shutdown();
  r.run();
  REQUIRE(r.connected.size() == 4);
  CHECK(r.connected[2] == asio::error::connection_reset);
  CHECK(r.connected[3] == errc::end_of_stream);
  CHECK(r.endings.empty());
  CHECK(r.c->counters().transport_failures == 2);
}

TEST_CASE("sim: connect_timeout counts from the call, wherever the server goes silent",
          "[sim][client]") {
  int const where = GENERATE(0, 1, 2);
  rig r;
  if (where == 0) r.net.silence(80);
  r.connect();
  if (where == 2) {
    r.run(5s);
    r.server_end().send(accepted().substr(0, 30));
  }
  r.run(where == 2 ? 4900ms : 9900ms);
  CHECK(r.connected.empty());
  CHECK(r.c->is_connecting());
  r.run(200ms);
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == errc::handshake_timeout);
  CHECK(!r.c->is_connecting());
  r.run(1min);
  CHECK(r.connected.size() == 1);
  CHECK(r.c->counters().objects == 0);
}

TEST_CASE("sim: a client has one connection at a time", "[sim][client]") {
  rig r;
  r.connect();
  r.connect();
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == errc::already_connected);
  r.server_end().send(accepted());
  r.run();
  REQUIRE(r.connected.size() == 2);
  CHECK(!r.connected[1]);
  r.connect();
  REQUIRE(r.connected.size() == 3);
  CHECK(r.connected[2] == errc::already_connected);
  auto const old = r.c->socket();
  r.server_end().reset();
  r.run();
  CHECK(r.endings.size() == 1);
  CHECK(r.c->send(std::string_view("x")) == errc::not_open);
  r.connect();
  r.server_end().send(accepted());
  r.run();
  CHECK(!r.connected[3]);
  CHECK(old.send("through an old handle") == errc::not_open);
  CHECK(!old.is_open());
  CHECK(!r.c->socket().send("through a new one"));
}

TEST_CASE("sim: a connect that is given up answers operation_aborted", "[sim][client]") {
  rig r;
  std::vector<std::error_code> closed;
  r.connect();
  r.c->async_close([&](std::error_code error) { closed.push_back(error); });
  CHECK(closed.empty());
  r.run(1min);
  REQUIRE(r.connected.size() == 1);
  CHECK(r.connected[0] == asio::error::operation_aborted);
  REQUIRE(closed.size() == 1);
  CHECK(!closed[0]);
  CHECK(r.server_end().was_reset());
  r.c->async_close([&](std::error_code error) { closed.push_back(error); });
  r.run();
  CHECK(closed.at(1) == errc::not_open);
}

TEST_CASE("sim: async_receive hands messages out in order, several waiting or none",
          "[sim][client]") {
  rig r([](auto& numbers) { numbers.max_received = 8; });
  r.connect();
  r.server_end().send(accepted() + say("0") + say("1"));  // glued to the handshake
  r.run();
  std::vector<std::string> got;
  std::vector<std::error_code> errors;
  auto const receive = [&] {
    r.c->async_receive([&](std::error_code error, hawser::received_message what) {
      error ? errors.push_back(error) : got.push_back(what.data);
    });
  };
  for (int i = 0; i < 4; ++i) receive();
  r.run();
  CHECK(got.size() == 2);
  std::string many;
  for (int i = 2; i < 100; ++i) many += say(std::to_string(i));
  r.server_end().send(many);
  r.run();
  CHECK(got.size() == 4);
  auto const read = r.c->counters().messages_in;
  CHECK(read == 2 + 2 + 8);  // then it reads no more
  while (got.size() < 100) {
    auto const before = got.size();
    receive();
    r.run();
    REQUIRE(got.size() == before + 1);
  }
  for (std::size_t i = 0; i < 100; ++i) CHECK(got[i] == std::to_string(i));
  receive();
  r.run();
  CHECK(errors.empty());
  r.server_end().send(say("last") + say("but one") + wire(8, close_body(1000), true, false));
  r.run();
  CHECK(got.back() == "last");
  receive();  // what came before the Close is still handed out
  receive();
  r.run();
  CHECK(got.back() == "but one");
  CHECK(errors == std::vector<std::error_code>{error_of(errc::not_open)});
  CHECK(r.endings.size() == 1);
}

TEST_CASE("sim: a paused client keeps to what it was told when its input turns out bad",
          "[sim][client]") {
  rig r([](auto& numbers) { numbers.max_received = 2; });
  r.connect();
  r.server_end().send(accepted() + say("1") + say("2") + say("3") + wire(1, "masked"));
  r.run();
  CHECK(r.endings.empty());
  r.net.on_operation([](hawser::memory_call const& call) {
    return call.what == hawser::memory_operation::write ? error_of(asio::error::broken_pipe)
                                                        : std::error_code{};
  });
  int received = 0;
  for (int i = 0; i < 4; ++i) {
    r.c->async_receive([&](std::error_code error, hawser::received_message) { received += !error; });
  }
  r.run(1min);
  CHECK(received == 3);
  REQUIRE(r.endings.size() == 1);
  CHECK(r.endings[0].error == errc::frame_masked);
  CHECK(r.c->counters().objects == 0);
}

TEST_CASE("sim: async_close waits for the peer's answer, or for close_timeout", "[sim][client]") {
  bool const answers = GENERATE(true, false);
  rig r;
  r.connect();
  r.server_end().send(accepted());
  r.run();
  std::vector<std::error_code> closed;
  auto const note = [&](std::error_code error) { closed.push_back(error); };
  r.c->async_close(close_code::abnormal, "", note);
  r.run();
  CHECK(closed == std::vector<std::error_code>{error_of(errc::bad_argument)});
  closed.clear();
  r.c->async_close(close_code::going_away, "bye", note);
  r.c->async_close(note);
  CHECK(r.c->send(std::string_view("x")) == errc::not_open);
  r.run(4s);
  CHECK(closed.empty());
  if (answers) r.server_end().send(wire(8, close_body(1001), true, false));
  r.run(2s);
  REQUIRE(closed.size() == 2);
  REQUIRE(r.endings.size() == 1);
  auto const expected = answers ? std::error_code{} : error_of(errc::close_timeout);
  CHECK(closed[0] == expected);
  CHECK(closed[1] == expected);
  CHECK(r.endings[0].error == expected);
  CHECK(r.endings[0].code == (answers ? close_code::going_away : close_code::abnormal));
  r.run(1min);
  CHECK(r.c->counters().objects == 0);
}

TEST_CASE("sim: completions may be futures, and each comes once", "[sim][client]") {
  house h;
  client c(h.io, h.options<client>());
  auto connected = c.async_connect("ws://x/", asio::use_future);
  auto first = c.async_receive(asio::use_future);
  h.run();
  CHECK_NOTHROW(connected.get());
  CHECK_THROWS(first.get());  // asked before there was a connection
  auto message = c.async_receive(asio::use_future);
  REQUIRE(!c.send(std::string_view("hello")));
  h.run();
  CHECK(message.get().data == "hello");
  auto closed = c.async_close(asio::use_future);
  auto late = c.async_receive(asio::use_future);
  h.run();
  CHECK_NOTHROW(closed.get());
  CHECK_THROWS(late.get());
}

#ifdef ASIO_HAS_CO_AWAIT
TEST_CASE("sim: a coroutine waits for every verb, and is woken once for each", "[sim][client]") {
  house h;
  client c(h.io, h.options<client>());
  std::vector<std::string> steps;
  auto const talk = [&]() -> asio::awaitable<void> {
    co_await c.async_connect("ws://x/", asio::use_awaitable);
    steps.push_back("connected");
    for (std::string const what : {"one", "two"}) {
      (void)c.send(what);
      steps.push_back((co_await c.async_receive(asio::use_awaitable)).data);
    }
    co_await c.async_close(asio::use_awaitable);
    steps.push_back("closed");
    try {
      co_await c.async_receive(asio::use_awaitable);
    } catch (std::system_error const& failure) {
      steps.push_back(failure.code() == errc::not_open ? "not open" : "something else");
    }
  };
  asio::co_spawn(h.io, talk, asio::detached);
  h.run(1s);
  CHECK(steps == std::vector<std::string>{"connected", "one", "two", "closed", "not open"});
  CHECK(h.closes == 1);
}
#endif
