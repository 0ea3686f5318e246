#include <hawser/testing/raw_peer.hpp>

#include <chrono>
#include <string>

#include <asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <hawser/transport/tcp.hpp>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

template <class Done>
bool run(asio::io_context& io, Done&& done) {
  auto const end = std::chrono::steady_clock::now() + 10s;
  io.restart();
  while (!done()) {
    if (io.run_one_until(end) == 0) return done();
  }
  return true;
}

}  // namespace

TEST_CASE("raw peer: the same script runs over real sockets", "[testing][peer]") {
  asio::io_context io;
  raw_host<tcp> host(io.get_executor(), {}, {.host = "127.0.0.1"});
  REQUIRE(!host.error());
  auto const where = http::parse_url("ws://127.0.0.1:" + std::to_string(host.port()));
  raw_peer<tcp> peer(io.get_executor(), {}, *where);
  peer.send("early ");
  REQUIRE(run(io, [&] { return host.size() == 1 && peer.connected(); }));
  std::string const big(3'000'000, 'x');
  peer.send(big);
  peer.shutdown();
  REQUIRE(run(io, [&] { return host[0].eof(); }));
  CHECK(host[0].text() == "early " + big);
  host[0].send("answer");
  REQUIRE(run(io, [&] { return peer.text() == "answer"; }));
  host[0].reset();
  REQUIRE(run(io, [&] { return bool(peer.error()); }));
  CHECK(peer.was_reset());

  raw_peer<tcp> second(io.get_executor(), {}, *where);
  REQUIRE(run(io, [&] { return host.size() == 2; }));
  second.close();
  REQUIRE(run(io, [&] { return host[1].eof(); }));
  host.close();
  raw_peer<tcp> refused(io.get_executor(), {}, *where);
  REQUIRE(run(io, [&] { return bool(refused.error()); }));
  CHECK(refused.error() == asio::error::connection_refused);
}
