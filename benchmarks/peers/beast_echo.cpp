// A WebSocket echo on Boost.Beast, in the way its documentation teaches: tcp_stream, suggested
// timeouts, one asynchronous read and one asynchronous write per message.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <cstdio>
#include <memory>
#include <utility>

#include "peer.hpp"

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket socket) : stream_(std::move(socket)) {}

  void start() {
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true));
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream_.async_accept([self = shared_from_this()](beast::error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return;
                          self->buffer_.consume(self->buffer_.size());
                          self->read();
                        });
  }

  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
};

void accept_next(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<session>(std::move(socket))->start();
    accept_next(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  peer::options const chosen = peer::parse_command_line(argc, argv);
  peer::raise_file_limit();
  boost::asio::io_context io(1);
  tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), chosen.port});
  acceptor.listen(4096);
  accept_next(acceptor);
  peer::announce(chosen, acceptor.local_endpoint().port());
  io.run();
}
