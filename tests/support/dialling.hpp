// Peers for a client to dial on loopback: one listens, one is silent, one is not there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <hawser/codec/http/url.hpp>
#include <hawser/transport/socket_stream.hpp>

#include "support/loopback.hpp"

#include <unistd.h>

namespace hawser_test {

/// Runs the loop until it has no more work; false after ten seconds.
inline bool run_to_end(asio::io_context& io) {
  io.restart();
  io.run_for(std::chrono::seconds(10));
  return io.stopped();
}

inline hawser::http::url loopback(std::uint16_t port, std::string const& host = "127.0.0.1",
                                  std::string const& scheme = "ws") {
  auto url = hawser::http::parse_url(scheme + "://" + host + ":" + std::to_string(port));
  if (!url) throw std::runtime_error("url");
  return *url;
}

/// What came of a connect.
struct dialled {
  using stream_type = hawser::socket_stream<asio::io_context::executor_type>;

  int calls = 0;
  std::error_code error{};
  std::optional<stream_type> stream{};

  void take(hawser::result<stream_type> made) {
    ++calls;
    error = made.error();
    if (made) stream.emplace(std::move(*made));
  }
  auto handler() {
    return [this](hawser::result<stream_type> made) { take(std::move(made)); };
  }
};

/// Listens; connections wait in its queue.
class listener {
 public:
  explicit listener(asio::io_context& io)
      : acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {}

  asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  std::uint16_t port() const { return endpoint().port(); }
  asio::ip::tcp::acceptor& acceptor() { return acceptor_; }

  bool accept_blocking() {
    std::error_code error;
    (void)acceptor_.accept(error);
    return !error;
  }

 private:
  asio::ip::tcp::acceptor acceptor_;
};

/// An address that neither accepts nor refuses: its queue is full.
class deaf_listener {
 public:
  deaf_listener() : acceptor_(io_) {
    acceptor_.open(asio::ip::tcp::v4());
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    // What connects is in the queue; the first that doesn't within this time finds it full. One
    // that was only slow would make the queue fuller still.
    for (int i = 0; i < 64; ++i) {
      waiting_.emplace_back(io_);
      bool connected = false;
      waiting_.back().async_connect(endpoint(), [&](std::error_code error) { connected = !error; });
      io_.restart();
      io_.run_for(std::chrono::milliseconds(50));
      if (connected) continue;
      waiting_.pop_back();
      io_.restart();
      io_.run();
      return;
    }
    throw std::runtime_error("the queue of a listener is never full");
  }

  asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<asio::ip::tcp::socket> waiting_;
};

/// A port of loopback that nobody listens on.
inline std::uint16_t closed_port(asio::io_context& io) {
  return listener(io).port();
}

/// How many sockets this process has open; 0 where that can't be told.
inline std::size_t open_sockets() {
  std::size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    auto const what = std::filesystem::read_symlink(at->path(), gone);
    if (!gone && what.native().starts_with("socket:")) ++count;
  }
  return count;
}

/// A path for a socket that isn't there yet.
inline std::string temporary_path(std::string const& name) {
  auto const path = std::filesystem::temp_directory_path() /
                    ("hawser-" + std::to_string(::getpid()) + "-" + name);
  std::filesystem::remove(path);
  return path.string();
}

}  // namespace hawser_test
