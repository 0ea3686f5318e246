// A WebSocket echo on Boost.Beast, in the way its documentation teaches: tcp_stream, suggested
// timeouts, one asynchronous read and one asynchronous write per message.
//
//   beast_echo --port 0 [--deflate] [--tls certificate.pem key.pem]
//
// Without PEER_TLS it is the plain echo alone, for the sake of compile times.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#if defined(PEER_TLS)
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket/ssl.hpp>
#endif

#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "peer.hpp"

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;

bool deflates = false;

template <class Lower>
class session : public std::enable_shared_from_this<session<Lower>> {
  using std::enable_shared_from_this<session<Lower>>::shared_from_this;

 public:
  template <class... Args>
  explicit session(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  void start() {
#if defined(PEER_TLS)
    if constexpr (!std::is_same_v<Lower, beast::tcp_stream>) {
      auto const shaken = [self = shared_from_this()](beast::error_code error) {
        if (!error) self->accept();
      };
      return stream_.next_layer().async_handshake(boost::asio::ssl::stream_base::server, shaken);
    }
#endif
    accept();
  }

 private:
  void accept() {
    if (deflates) {
      websocket::permessage_deflate wanted;
      wanted.server_enable = true;
      stream_.set_option(wanted);
    }
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true));
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream_.async_accept([self = shared_from_this()](beast::error_code error) {
      if (!error) self->read();
    });
  }

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

  websocket::stream<Lower> stream_;
  beast::flat_buffer buffer_;
};

#if defined(PEER_TLS)
boost::asio::ssl::context& tls_context() {
  static boost::asio::ssl::context made(boost::asio::ssl::context::tls_server);
  return made;
}
bool secure = false;
#endif

void start(tcp::socket socket) {
#if defined(PEER_TLS)
  if (secure) {
    using lower = beast::ssl_stream<beast::tcp_stream>;
    return std::make_shared<session<lower>>(std::move(socket), tls_context())->start();
  }
#endif
  std::make_shared<session<beast::tcp_stream>>(std::move(socket))->start();
}

void accept_next(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
    if (!error) start(std::move(socket));
    accept_next(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--deflate") == 0) {
      deflates = true;
#if defined(PEER_TLS)
    } else if (std::strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
      tls_context().use_certificate_chain_file(argv[++i]);
      tls_context().use_private_key_file(argv[++i], boost::asio::ssl::context::pem);
      secure = true;
#endif
    } else {
      argv[left++] = argv[i];
    }
  }
  peer::options const chosen = peer::parse_command_line(left, argv);
  peer::raise_file_limit();
  boost::asio::io_context io(1);
  tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), chosen.port});
  acceptor.listen(4096);
  accept_next(acceptor);
  peer::announce(chosen, acceptor.local_endpoint().port());
  io.run();
}
