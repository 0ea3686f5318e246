// Five thousand Socket.IO clients and one server that restarts: whether they come back soon, and
// not all at once.
#include "sim/socketio_harness.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

using namespace sim;

namespace {

constexpr std::size_t population = 5'000;

// The crowd, and the times at which the server of the day has seen somebody connect.
struct crowd : world {
  using server_type = hawser::basic_server<io_plain>;

  std::unique_ptr<server_type> server = open({});
  std::vector<std::unique_ptr<io_client>> clients;
  std::vector<hawser::time_point> connects;

  crowd() {
    net.set_link({.latency = 20ms});
    for (std::size_t i = 0; i < population; ++i) {
      auto numbers = options<io_client>();
      only(numbers, by_websocket);
      numbers.receive_buffer = numbers.send_buffer = 1'024;
      clients.push_back(std::make_unique<io_client>(io, std::move(numbers)));
      REQUIRE(!clients.back()->connect("ws://x/"));
    }
    run(10s);
    REQUIRE(connects.size() == population);
    REQUIRE(connected() == population);
    run(100s);  // heartbeats go their way
    REQUIRE(connected() == population);
    connects.clear();
  }

  /// A server under a name, or under every name that no other one has.
  std::unique_ptr<server_type> open(std::string const& host) {
    auto made = std::make_unique<server_type>(io, options<server_type>());
    made->on_connect([this](hawser::socket) { connects.push_back(net.now()); });
    REQUIRE(!made->listen({.host = host, .port = 80, .backlog = 10'000}));
    return made;
  }

  std::size_t connected() const {
    return static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(),
                                                  [](auto const& c) { return c->connected(); }));
  }

  /// How many came in each second since then.
  std::vector<std::size_t> seconds_since(hawser::time_point begin) const {
    std::vector<std::size_t> all;
    for (auto const at : connects) {
      auto const second = static_cast<std::size_t>((at - begin) / 1s);
      if (all.size() <= second) all.resize(second + 1);
      ++all[second];
    }
    return all;
  }
};

void print(char const* what, std::vector<std::size_t> const& each) {
  std::printf("%s:", what);
  for (auto const one : each) std::printf(" %zu", one);
  std::printf("\n");
}

}  // namespace

TEST_CASE("sim: five thousand clients of a killed server are back soon, in one wave",
          "[sim][client][storm]") {
  crowd all;
  for (auto const down : {2s, 7s, 60s}) {
    all.connects.clear();
    for (auto& one : all.net.connections()) one.reset();
    all.server.reset();
    all.run(down);
    CHECK(all.connected() == 0);
    auto const back = all.net.now();
    all.server = all.open({});
    all.run(60s);
    CHECK(all.connected() == population);
    CHECK(all.connects.size() == population);  // nobody came twice

    auto const each = all.seconds_since(back);
    auto const by_15s = static_cast<std::size_t>(
        std::count_if(all.connects.begin(), all.connects.end(),
                      [&](hawser::time_point at) { return at < back + 15s; }));
    std::printf("killed, away for %lld s: %.1f %% back within 15 s, the last after %.1f s\n",
                static_cast<long long>(down.count()),
                100.0 * static_cast<double>(by_15s) / population,
                std::chrono::duration<double>(all.connects.back() - back).count());
    print("  in each second", each);
    CHECK(by_15s >= population * 95 / 100);

    // One wave: it rises to its peak and falls, and once it has fallen below the half of the peak
    // no second comes near that again.
    auto const peak = std::max_element(each.begin(), each.end());
    auto const fallen = std::find_if(peak, each.end(), [&](auto one) { return 2 * one < *peak; });
    CHECK(std::all_of(fallen, each.end(), [&](auto one) { return 2 * one < *peak; }));
    CHECK(peak - each.begin() < 5);
    all.run(100s);
    CHECK(all.connected() == population);
  }
}

TEST_CASE("sim: five thousand clients of a server that drains come evenly to the next one",
          "[sim][client][storm]") {
  crowd all;
  constexpr auto window = 30s;
  // As behind a balancer: newcomers are led to the other server.
  auto const next = all.open("x");
  auto const begin = all.net.now();
  bool drained = false;
  all.server->drain({.window = window, .deadline = 60s}, [&] { drained = true; });
  all.run(90s);
  CHECK(drained);
  CHECK(all.connected() == population);
  CHECK(all.connects.size() == population);
  CHECK(next->size() == population);

  auto const each = all.seconds_since(begin);
  double const mean = static_cast<double>(population) / window.count();
  auto const peak = static_cast<double>(*std::max_element(each.begin(), each.end()));
  std::printf("drained over 30 s: at most %.0f a second, %.2f times the mean\n", peak, peak / mean);
  print("  in each second", each);
  CHECK(peak <= 1.5 * mean);
}
