#include <hawser/endpoint/handshake.hpp>

#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <threads/running.hpp>

using namespace hawser;
using namespace threads_test;
using namespace std::chrono_literals;

namespace {

// Threads that answer what they are given.
class judges {
 public:
  using task = callback<void()>;

  judges() {
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this] { work(); });
  }
  ~judges() {
    {
      std::lock_guard const lock(mutex_);
      over_ = true;
    }
    awake_.notify_all();
    for (auto& one : threads_) one.join();
  }
  void give(task one) {
    {
      std::lock_guard const lock(mutex_);
      tasks_.push_back(std::move(one));
    }
    awake_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      task one;
      {
        std::unique_lock lock(mutex_);
        awake_.wait(lock, [&] { return over_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        one = std::move(tasks_.front());
        tasks_.pop_front();
      }
      one();
    }
  }

  std::mutex mutex_;
  std::condition_variable awake_;
  std::deque<task> tasks_;
  std::vector<std::thread> threads_;
  bool over_ = false;
};

struct verdicts {
  int accepted = 0;
  int rejected = 0;
  int other = 0;
};

// That many clients connect, each with its number as path.
verdicts connect(std::uint16_t port, int count) {
  asio::io_context io;
  std::vector<std::unique_ptr<plain_client>> clients;
  verdicts seen;
  int open = count;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<plain_client>(io));
    auto& one = *clients.back();
    one.async_connect(url_of(port) + "/" + std::to_string(i), [&](std::error_code error) {
      if (!error) {
        ++seen.accepted;
      } else if (one.status() == 403) {
        ++seen.rejected;
      } else {
        ++seen.other;
      }
      if (--open == 0) io.stop();
    });
  }
  io.run_for(60s);
  return seen;
}

}  // namespace

TEST_CASE("decision: may be made on any thread", "[threads][decision]") {
  loop at;
  judges bench;
  std::unique_ptr<plain_server> server;
  int opened = 0;
  bool data_is_right = true;
  auto const port = at.on_thread([&] {
    server = std::make_unique<plain_server>(at.io);
    server->authenticate([&](handshake const& h, decision d) {
      int const number = std::stoi(std::string(h.path().substr(1)));
      if (number % 4 == 3) return d.accept(std::to_string(number));  // at once
      bench.give([number, d = std::move(d)]() mutable {
        if (number % 4 == 0) return d.accept(std::to_string(number));
        if (number % 4 == 1) return d.reject(403, "no");
        // else: dropped, which refuses
      });
    });
    server->on_open([&](hawser::websocket s) {
      ++opened;
      auto const* const name = s.data<std::string>();
      data_is_right =
          data_is_right && name && (std::stoi(*name) % 4 == 0 || std::stoi(*name) % 4 == 3);
    });
    if (server->listen({.host = "127.0.0.1"})) std::terminate();
    return server->port();
  });
  auto const seen = connect(port, 200);
  CHECK(seen.accepted == 100);
  CHECK(seen.rejected == 100);
  CHECK(seen.other == 0);
  at.on_thread([&] { server.reset(); });
  CHECK(opened == 100);
  CHECK(data_is_right);
}

TEST_CASE("decision: a server may be destroyed while others decide", "[threads][decision]") {
  for (int round = 0; round < 20; ++round) {
    loop at;
    judges bench;
    std::unique_ptr<plain_server> server;
    int asked = 0;
    auto const port = at.on_thread([&] {
      server = std::make_unique<plain_server>(at.io);
      server->authenticate([&](handshake const&, decision d) {
        bench.give([d = std::move(d)]() mutable { d.accept(1); });
        if (++asked == 20 + round) server.reset();
      });
      if (server->listen({.host = "127.0.0.1"})) std::terminate();
      return server->port();
    });
    auto const seen = connect(port, 60);
    CHECK(seen.accepted + seen.rejected + seen.other == 60);
    CHECK(at.on_thread([&] { return server == nullptr; }));
  }
}
