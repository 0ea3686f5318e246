// An HTTP proxy written with Asio, which makes tunnels or answers what a test tells it to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include "support/dialling.hpp"

namespace hawser_test {

class tunnel_proxy {
 public:
  /// Sent when a request has come; empty: it stays silent.
  std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n";
  /// Bytes sent at a time.
  std::size_t piece = 4096;
  /// Behind the answer it ends the connection, instead of making a tunnel.
  bool ends = false;
  /// The requests that have come, one behind the other.
  std::string asked;
  std::size_t tunnels = 0;

  explicit tunnel_proxy(asio::io_context& io) : listener_(io) { accept(); }
  ~tunnel_proxy() { *alive_ = false; }
  tunnel_proxy(tunnel_proxy const&) = delete;
  tunnel_proxy& operator=(tunnel_proxy const&) = delete;

  std::uint16_t port() const { return listener_.port(); }

 private:
  using socket = asio::ip::tcp::socket;

  struct session : std::enable_shared_from_this<session> {
    explicit session(socket taken) : client(std::move(taken)), server(client.get_executor()) {}
    socket client;
    socket server;
    std::string head;
    std::string left;
    std::array<std::array<char, 16 * 1024>, 2> buffers;

    void relay(socket& from, socket& to, std::size_t buffer) {
      from.async_read_some(
          asio::buffer(buffers[buffer]),
          [self = shared_from_this(), &from, &to, buffer](std::error_code error, std::size_t size) {
            if (error) return self->end();
            asio::async_write(to, asio::buffer(self->buffers[buffer], size),
                              [self, &from, &to, buffer](std::error_code failed, std::size_t) {
                                failed ? self->end() : self->relay(from, to, buffer);
                              });
          });
    }
    void end() {
      std::error_code ignored;
      client.close(ignored);
      server.close(ignored);
    }
  };

  void accept() {
    listener_.acceptor().async_accept([this, alive = alive_](std::error_code error, socket taken) {
      if (error || !*alive) return;
      read(std::make_shared<session>(std::move(taken)));
      accept();
    });
  }

  void read(std::shared_ptr<session> const& of) {
    asio::async_read_until(of->client, asio::dynamic_buffer(of->head), "\r\n\r\n",
                           [this, alive = alive_, of](std::error_code error, std::size_t) {
                             if (error || !*alive) return;
                             asked += of->head;
                             of->left = answer;
                             write(of);
                           });
  }

  void write(std::shared_ptr<session> const& of) {
    if (answer.empty()) return silent(of);
    if (of->left.empty()) return ends ? of->end() : open(of);
    of->client.set_option(asio::ip::tcp::no_delay(true));
    asio::async_write(of->client, asio::buffer(of->left, piece),
                      [this, alive = alive_, of](std::error_code error, std::size_t size) {
                        if (error || !*alive) return;
                        of->left.erase(0, size);
                        write(of);
                      });
  }

  // Until the client goes.
  void silent(std::shared_ptr<session> const& of) {
    of->client.async_read_some(asio::buffer(of->buffers[0]),
                               [of](std::error_code, std::size_t) { of->end(); });
  }

  // Whatever name the client asks for, this machine is it.
  void open(std::shared_ptr<session> const& of) {
    auto const target = of->head.substr(8, of->head.find(' ', 8) - 8);
    auto const port = static_cast<std::uint16_t>(std::stoul(target.substr(target.rfind(':') + 1)));
    of->server.async_connect({asio::ip::address_v4::loopback(), port},
                             [this, alive = alive_, of](std::error_code error) {
                               if (error || !*alive) return of->end();
                               ++tunnels;
                               of->relay(of->client, of->server, 0);
                               of->relay(of->server, of->client, 1);
                             });
  }

  listener listener_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hawser_test
