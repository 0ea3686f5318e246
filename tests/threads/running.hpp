// A server on a thread of its own, and clients that speak to it over loopback.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

namespace threads_test {

using plain = hawser::websocket_policies::with_transport<hawser::tcp>;
using plain_server = hawser::basic_server<plain>;
using plain_client = hawser::basic_client<plain>;

/// A thread that runs an `io_context` until this goes.
class loop {
 public:
  loop() : work_(io.get_executor()), thread_([this] { io.run(); }) {}
  ~loop() {
    work_.reset();
    io.stop();
    thread_.join();
  }

  /// Runs `call` on the thread and waits for what it returns.
  template <class Call>
  auto on_thread(Call call) {
    std::packaged_task<decltype(call())()> task(std::move(call));
    auto result = task.get_future();
    asio::post(io, std::move(task));
    return result.get();
  }

  asio::io_context io;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

inline std::string url_of(std::uint16_t port) { return "ws://127.0.0.1:" + std::to_string(port); }

}  // namespace threads_test
