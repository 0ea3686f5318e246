// Our client through somebody else's HTTP proxy: connects, has one message echoed, closes, and
// prints what happened as one line of JSON.
//   proxy_client URL --proxy-port PORT [--proxy-host HOST] [--user NAME] [--password TEXT]
//                    [--ca FILE] [--pins SHA256,...]

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <hawser/client.hpp>

#include "../../examples/arguments.hpp"

namespace {

template <class Options>
void set_up(Options& transport, arguments const& given) {
  hawser::proxy_options proxy;
  proxy.host = given.text("proxy-host", "127.0.0.1");
  proxy.port = given.number<std::uint16_t>("proxy-port", 0);
  proxy.user = given.text("user");
  proxy.password = given.text("password");
  if constexpr (requires { transport.tcp; }) {
    transport.tcp.proxy = std::move(proxy);
    transport.ca_file = given.text("ca");
    std::string pins = given.text("pins");
    while (!pins.empty()) {
      auto const comma = pins.find(',');
      transport.pinned_keys.push_back(pins.substr(0, comma));
      pins.erase(0, comma == std::string::npos ? comma : comma + 1);
    }
  } else {
    transport.proxy = std::move(proxy);  // a build without TLS
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string const url = argv[1];
  arguments const given(argc - 1, argv + 1,
                        {"proxy-host", "proxy-port", "user", "password", "ca", "pins"});

  hawser::websocket_client::options options;
  set_up(options.transport, given);

  asio::io_context io;
  hawser::websocket_client client{io, std::move(options)};
  asio::steady_timer limit(io, std::chrono::seconds(60));
  limit.async_wait([&](std::error_code error) {
    if (!error) io.stop();
  });

  std::error_code connected = make_error_code(hawser::errc::not_open);
  std::error_code closed = connected;
  std::string echoed;
  client.on_message([&](hawser::message const& what) {
    echoed = what.text();
    client.async_close(hawser::close_code::normal, "", [&](std::error_code error) {
      closed = error;
      limit.cancel();
    });
  });
  client.on_close([&](hawser::close_event const&) { limit.cancel(); });
  client.async_connect(url, [&](std::error_code error) {
    connected = error;
    if (error) return void(limit.cancel());
    (void)client.send("through the proxy");
  });
  io.run();

  bool const good = !connected && !closed && echoed == "through the proxy";
  std::printf("{\"ok\": %s, \"connect\": \"%s\", \"close\": \"%s\", \"status\": %d}\n",
              good ? "true" : "false", connected.message().c_str(), closed.message().c_str(),
              client.status());
  return good ? 0 : 1;
}
