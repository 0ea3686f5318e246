// Retrofit: a program that has its own Asio acceptor and reads HTTP by itself already, and now
// hands the connections that want to be WebSockets over. They carry raw messages here; a
// hawser::server takes connections over in the same way, those that ask for /socket.io/.
//
//   retrofit --port 3002
// A browser at http://127.0.0.1:3002 gets the old program's page, a WebSocket client at
// ws://127.0.0.1:3002/live is hawser's, and gets an echo.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>

#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using asio::ip::tcp;

// The program as it was, but for the lines in `hand_over`.
class old_program {
 public:
  old_program(asio::io_context& io, std::uint16_t port, hawser::websocket_server& live)
      : acceptor_(io, {asio::ip::address_v4::loopback(), port}), live_(live) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  struct visit {
    explicit visit(tcp::socket from) : socket(std::move(from)) {}
    tcp::socket socket;
    std::string read;
    std::string answer;
  };

  void accept() {
    acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
      if (error) return;
      auto const one = std::make_shared<visit>(std::move(socket));
      asio::async_read_until(one->socket, asio::dynamic_buffer(one->read, 8192), "\r\n\r\n",
                             [this, one](std::error_code failed, std::size_t head) {
                               if (!failed) answer(one, head);
                             });
      accept();
    });
  }

  void answer(std::shared_ptr<visit> const& one, std::size_t head) {
    if (one->read.starts_with("GET /live ")) return hand_over(*one, head);
    std::string_view const page = "The old program still answers here.\n";
    one->answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                  "Content-Length: " + std::to_string(page.size()) + "\r\n\r\n";
    one->answer += page;
    asio::async_write(one->socket, asio::buffer(one->answer),
                      [one](std::error_code, std::size_t) {});
  }

  // A program with a parser of its own would fill the request in from it.
  void hand_over(visit& one, std::size_t head) {
    std::string_view const read = one.read;
    hawser::http::request_parser parser;
    if (parser.parse(read.substr(0, head)).error) return;
    auto const rest = hawser::as_bytes(read.substr(head));
    if (auto const error = live_.adopt(std::move(one.socket), rest, parser.take())) {
      std::fprintf(stderr, "retrofit: %s\n", error.message().c_str());
    }
  }

  tcp::acceptor acceptor_;
  hawser::websocket_server& live_;
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port"});
  asio::io_context io;
  hawser::websocket_server live{io};  // never listens by itself
  live.on_message([](hawser::websocket peer, hawser::message const& what) { peer.send(what); });
  old_program program(io, given.number<std::uint16_t>("port", 3002), live);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { io.stop(); });
  std::printf("listening on http://127.0.0.1:%u and ws://127.0.0.1:%u/live\n", program.port(),
              program.port());
  std::fflush(stdout);
  io.run();
}
