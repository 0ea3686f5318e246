// A WebSocket echo on websocketpp, on standalone Asio, with its default configuration.
#define ASIO_STANDALONE
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <exception>

#include "peer.hpp"

namespace {
using server = websocketpp::server<websocketpp::config::asio>;
}

int main(int argc, char** argv) {
  peer::options const chosen = peer::parse_command_line(argc, argv);
  peer::raise_file_limit();
  server echo;
  echo.clear_access_channels(websocketpp::log::alevel::all);
  echo.clear_error_channels(websocketpp::log::elevel::all);
  echo.init_asio();
  echo.set_reuse_addr(true);
  echo.set_listen_backlog(4096);
  echo.set_tcp_pre_init_handler([&echo](websocketpp::connection_hdl handle) {
    echo.get_con_from_hdl(handle)->get_raw_socket().set_option(asio::ip::tcp::no_delay(true));
  });
  echo.set_message_handler(
      [&echo](websocketpp::connection_hdl handle, server::message_ptr message) {
        websocketpp::lib::error_code ignored;
        echo.send(handle, message->get_payload(), message->get_opcode(), ignored);
      });
  echo.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), chosen.port));
  echo.start_accept();
  websocketpp::lib::asio::error_code ignored;
  peer::announce(chosen, echo.get_local_endpoint(ignored).port());
  echo.run();
}
