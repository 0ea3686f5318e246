#include <hawser/testing/memory_network.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace std::chrono_literals;

TEST_CASE("memory peer: talks to a host in bytes", "[testing][peer]") {
  asio::io_context io;
  memory_network network(io);
  network.set_link({.latency = 3ms, .max_read = 5, .max_write = 7});
  memory_host host(network);
  REQUIRE(!host.error());
  memory_peer peer(network, host.port(), "192.0.2.7");
  peer.send("sent before the connection was there");
  CHECK(!peer.connected());
  REQUIRE(network.run_until([&] { return host.size() == 1 && host[0].text().size() == 36; }, 1s));
  CHECK(peer.connected());
  CHECK(host[0].text() == "sent before the connection was there");
  CHECK(host[0].next_layer().remote_address() == "192.0.2.7:1024");
  CHECK(peer.connection().is_open(memory_end::acceptor));
  host[0].send("answer");
  host[0].shutdown();
  network.run_for(10ms);
  CHECK(peer.take() == "answer");
  CHECK(peer.text().empty());
  CHECK(peer.eof());
  peer.close();
  network.run_for(10ms);
  CHECK(host[0].eof());
  CHECK(network.operations() == 0);  // peers aren't counted
}

TEST_CASE("memory peer: resets, refusals and cuts are seen", "[testing][peer]") {
  asio::io_context io;
  memory_network network(io);
  memory_host host(network, 80);
  CHECK(memory_host(network, 80).error() == asio::error::address_in_use);
  memory_peer refused(network, 81);
  memory_peer a(network, 80);
  memory_peer b(network, 80);
  network.run_ready();
  CHECK(refused.error() == asio::error::connection_refused);
  REQUIRE(host.size() == 2);
  a.reset();
  b.connection().cut();
  b.send("lost");
  b.close();
  network.run_ready();
  CHECK(host[0].was_reset());
  CHECK(!host[1].error());
  CHECK(host[1].text().empty());
}

TEST_CASE("memory peer: one that doesn't read fills the sender's buffers", "[testing][peer]") {
  asio::io_context io;
  memory_network network(io);
  network.set_link({.buffer = 1000});
  memory_host host(network);
  memory_peer peer(network, host.port());
  peer.pause_reading(true);
  network.run_ready();
  host[0].send(std::string(5000, 'x'));
  host[0].shutdown();
  network.run_for(1h);
  CHECK(host[0].unsent() == 4000);
  CHECK(peer.connection().unread(memory_end::dialler) == 1000);
  CHECK(peer.received().empty());
  peer.pause_reading(false);
  network.run_ready();
  CHECK(peer.received().size() == 5000);
  CHECK(peer.eof());
}

TEST_CASE("memory peer: may be destroyed at any moment", "[testing][peer]") {
  asio::io_context io;
  memory_network network(io);
  network.set_link({.latency = 1ms});
  memory_host host(network);
  for (int i = 0; i < 8; ++i) {
    {
      memory_peer peer(network, host.port());
      peer.send("x");
      network.run_for(i * 500us);
    }
    network.run_for(10ms);
    CHECK(network.live_connections() == host.size());
    for (std::size_t n = 0; n < host.size(); ++n) {
      if (host[n].error()) host[n].close();
    }
  }
}

namespace {

// What happens, and when, between peers that do random things over a random network.
std::vector<std::string> story(std::uint64_t seed) {
  std::vector<std::string> log;
  seeded_random random(seed);
  asio::io_context io;
  memory_network network(io);
  memory_context context(io.get_executor(), {.network = &network});
  auto const start = network.now();
  network.on_operation([&](memory_call const& call) -> std::error_code {
    log.push_back(std::to_string((network.now() - start).count()) + " " +
                  std::to_string(static_cast<int>(call.what)) + " #" + std::to_string(call.number) +
                  " @" + std::to_string(call.connection));
    if (random.one_in(20)) return make_error_code(asio::error::connection_reset);
    return {};
  });
  raw_host<memory> host(io.get_executor(), {.network = &network}, {.port = 80});
  http::url where = *http::parse_url("ws://h");
  std::vector<raw_peer<memory>> peers;
  for (int i = 0; i < 50; ++i) {
    network.set_link({.latency = std::chrono::microseconds(random.uniform(5'000)),
                      .bandwidth = random.between(1'000, 100'000),
                      .max_read = random.between(1, 100),
                      .max_write = random.between(1, 100)});
    peers.emplace_back(io.get_executor(), memory_options{.network = &network}, where);
    auto& chosen = peers[random.uniform(peers.size())];
    chosen.send(std::string(random.uniform(300), 'x'));
    if (random.one_in(9)) chosen.reset();
    if (random.one_in(9)) chosen.shutdown();
    if (random.one_in(9)) network.connection(random.uniform(network.dialled())).cut();
    network.run_for(std::chrono::microseconds(random.uniform(20'000)));
  }
  network.run_for(1min);
  for (auto const& peer : peers) log.push_back(peer.error().message());
  log.push_back(std::to_string(network.live_streams()));
  peers.clear();
  return log;
}

}  // namespace

TEST_CASE("memory network: the same seed tells the same story", "[testing][memory]") {
  auto const first = story(1);
  CHECK(first.size() > 200);
  CHECK(story(1) == first);
  CHECK(story(2) != first);
  for (std::uint64_t seed = 3; seed < 40; ++seed) story(seed);
}
