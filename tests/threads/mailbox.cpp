#include <hawser/endpoint/mailbox.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

using namespace hawser;

TEST_CASE("mailbox: four threads push, each thread's tasks run once and in order",
          "[threads][mailbox]") {
  constexpr int threads = 4;
  constexpr int each = 5'000;
  mailbox mail;
  std::binary_semaphore awake{0};
  mail.open({.max_messages = 64}, [&] { awake.release(); });
  std::array<int, threads> next{};
  int ran = 0;
  std::vector<std::thread> pushers;
  for (int who = 0; who < threads; ++who) {
    pushers.emplace_back([&, who] {
      for (int i = 0; i < each; ++i) {
        for (;;) {
          auto const error = mail.push(
              [&, who, i] {
                auto& mine = next[static_cast<std::size_t>(who)];
                if (mine == i) ++mine;
                ++ran;
              },
              8);
          if (!error) break;
          std::this_thread::yield();  // full: the owner catches up
        }
      }
    });
  }
  while (ran < threads * each) {
    awake.acquire();
    mail.drain([](callback<void()>& task) { task(); });
  }
  for (auto& one : pushers) one.join();
  for (int const count : next) CHECK(count == each);
  mail.close();
}

TEST_CASE("mailbox: may be closed while others push", "[threads][mailbox]") {
  for (int round = 0; round < 50; ++round) {
    mailbox mail;
    std::atomic<bool> closed{false};
    std::atomic<int> pushed{0};
    mail.open({}, [&] {
      if (closed) std::terminate();  // woken after the end
    });
    std::vector<std::thread> pushers;
    for (int who = 0; who < 4; ++who) {
      pushers.emplace_back([&] {
        while (!mail.push([] {}, 1)) ++pushed;
      });
    }
    while (pushed < 100) mail.drain([](callback<void()>& task) { task(); });
    mail.close();
    closed = true;
    for (auto& one : pushers) one.join();
    CHECK(mail.push([] {}, 1) == errc::not_open);
  }
}
