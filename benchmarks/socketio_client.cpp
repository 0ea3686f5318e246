// The client that run.sh measures beside Node's socket.io-client.
//   socketio_client --url URL --connections N --in-flight D --seconds S   events there and back
//   socketio_client --url URL --idle --connections N                      memory of idle clients
// Prints one line of JSON: messages that came back and CPU seconds, or bytes per client.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <hawser/client.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include "../examples/arguments.hpp"
#include "peers/peer.hpp"

namespace {

using namespace std::chrono_literals;

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto const seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Of the process, resident.
std::size_t memory() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class crowd {
 public:
  crowd(asio::io_context& io, std::size_t count, std::size_t in_flight) : io_(io) {
    for (std::size_t i = 0; i < count; ++i) {
      hawser::client::options numbers;
      numbers.engine.transports = {hawser::eio::transport_kind::websocket};
      numbers.reconnect.attempts = 0;
      clients_.push_back(std::make_unique<hawser::client>(io, std::move(numbers)));
      hawser::client& one = *clients_.back();
      one.on("m", [&](double a, double b) {
        ++messages;
        one.emit("m", a, b);
      });
      one.on_connect([&one, in_flight](hawser::client_socket) {
        for (std::size_t k = 0; k < in_flight; ++k) one.emit("m", 1.5, 2.5);
      });
      one.on_disconnect([&](hawser::disconnect_reason) { ++failures; });
    }
  }

  // A few hundred at a time: a server's backlog is short.
  void connect(std::string const& url) {
    std::size_t connected = 0, next = 0;
    while (connected + failures < clients_.size()) {
      while (next < clients_.size() && next < connected + failures + 200) {
        clients_[next++]->async_connect(
            url, [&](std::error_code error) { error ? ++failures : ++connected; });
      }
      io_.run_one();
    }
  }

  std::size_t messages = 0;
  std::size_t failures = 0;

 private:
  asio::io_context& io_;
  std::vector<std::unique_ptr<hawser::client>> clients_;
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"url", "connections", "in-flight", "seconds"}, {"idle"});
  peer::raise_file_limit();
  bool const idle = given.has("idle");
  auto const count = given.number<std::size_t>("connections", 1);
  auto const depth = given.number<std::size_t>("in-flight", 1);
  auto const seconds = given.number<int>("seconds", 2);

  asio::io_context io(1);
  std::size_t const before = memory();
  crowd all(io, count, idle ? 0 : depth);
  all.connect(given.text("url", "http://127.0.0.1:3000"));
  if (idle) {
    io.run_for(1s);
    std::printf("{\"bytes_per_client\": %.0f, \"failures\": %zu}\n",
                static_cast<double>(memory() - before) / static_cast<double>(count), all.failures);
    return all.failures > 0;
  }
  io.run_for(300ms);  // warm
  std::size_t const messages = all.messages;
  double const cpu = cpu_seconds();
  io.run_for(std::chrono::seconds(seconds));
  std::printf("{\"messages\": %zu, \"cpu_seconds\": %.4f, \"failures\": %zu}\n",
              all.messages - messages, cpu_seconds() - cpu, all.failures);
  return all.failures > 0;
}
