// Coroutines: a client of raw WebSocket messages, whose conversation reads from top to bottom, with
// co_await for every step. (acks.cpp has a Socket.IO server that converses so.)
//
// Start `echo --port 9001` first, then
//   coroutine_client                                what is said comes back
//   coroutine_client wss://echo.example.com/path    any other echo server

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <hawser/client.hpp>

namespace {

using namespace std::chrono_literals;
using asio::use_awaitable;

asio::awaitable<void> converse(hawser::websocket_client& client, std::string url) {
  co_await client.async_connect(url, use_awaitable);
  std::printf("connected to %s\n", url.c_str());

  asio::steady_timer pause(client.get_executor());
  for (auto const* line : {"Is anybody there?", "I hear only myself.", "Goodbye, then."}) {
    if (auto const error = client.send(line)) throw std::system_error(error);
    auto const answer = co_await client.async_receive(use_awaitable);
    std::printf("  %s\n    %s\n", line, answer.data.c_str());
    pause.expires_after(100ms);
    co_await pause.async_wait(use_awaitable);
  }

  co_await client.async_close(hawser::close_code::normal, "done", use_awaitable);
  std::printf("closed properly\n");
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context io;
  hawser::websocket_client client{io};
  int result = 0;
  asio::co_spawn(io, converse(client, argc > 1 ? argv[1] : "ws://127.0.0.1:9001/"),
                 [&](std::exception_ptr failure) {
                   try {
                     if (failure) std::rethrow_exception(failure);
                   } catch (std::exception const& error) {
                     std::fprintf(stderr, "coroutine_client: %s\n", error.what());
                     result = 1;
                   }
                 });
  io.run();
  return result;
}
