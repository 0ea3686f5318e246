// Running a loop over real sockets for a bounded time, and a blocking-free raw client.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

namespace hawser_test {

/// Runs the loop until `done()`; false after ten seconds without it.
template <class Done>
bool run_until(asio::io_context& io, Done&& done) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    if (io.stopped()) io.restart();
    io.run_one_for(std::chrono::milliseconds(50));
  }
  return true;
}

inline constexpr std::string_view upgrade_request =
    "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Speaks bytes; what it asks of the loop it gets by polling.
class plain_client {
 public:
  using endpoint = asio::generic::stream_protocol::endpoint;

  plain_client(asio::io_context& io, endpoint const& to) : io_(io), socket_(io) {
    socket_.connect(to, error_);
    if (!error_) socket_.non_blocking(true, error_);
  }
  std::error_code error() const { return error_; }
  void say(std::string_view bytes) {
    std::error_code failed;
    socket_.send(asio::buffer(bytes.data(), bytes.size()), 0, failed);
    if (failed) error_ = failed;
  }
  /// All that has come so far.
  std::string const& heard() {
    char chunk[4096];
    std::error_code failed;
    while (auto const size = socket_.receive(asio::buffer(chunk), 0, failed)) {
      heard_.append(chunk, size);
      if (failed) break;
    }
    if (failed && failed != asio::error::would_block) error_ = failed;
    return heard_;
  }
  bool hears(std::string_view what) {
    return run_until(io_, [&] { return heard().find(what) != std::string::npos; });
  }
  bool is_ended() {
    return run_until(io_, [&] { return heard(), bool(error_); });
  }
  bool upgrade() {
    say(upgrade_request);
    return hears("HTTP/1.1 101 ") && hears("\r\n\r\n");
  }
  void close() { socket_.close(); }

 private:
  asio::io_context& io_;
  asio::generic::stream_protocol::socket socket_;
  std::error_code error_;
  std::string heard_;
};

inline plain_client::endpoint at(char const* address, std::uint16_t port) {
  return asio::ip::tcp::endpoint(asio::ip::make_address(address), port);
}

}  // namespace hawser_test
