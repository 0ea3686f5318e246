// Our client against somebody else's echo server: connects, has messages echoed, verifies every
// byte, closes, and prints what happened as one line of JSON.
//   client URL [--count N] [--size BYTES] [--kind text|binary] [--window MESSAGES] [--ca FILE]
//              [--deflate off|shared|dedicated] [--subprotocol NAME] [--code CODE] [--reason TEXT]

#include <cstddef>
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

// Repeats with an odd period, so that a part in the wrong place is noticed.
std::string content(std::size_t size, std::size_t number, bool text) {
  std::string made(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    auto const value = (i * 7 + number + i / 251) % 251;
    made[i] = static_cast<char>(text ? ' ' + value % 95 : value);
  }
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string const url = argv[1];
  arguments const given(argc - 1, argv + 1,
                        {"count", "size", "kind", "window", "ca", "deflate", "subprotocol", "code",
                         "reason"});
  auto const count = given.number<std::size_t>("count", 1);
  auto const size = given.number<std::size_t>("size", 100);
  auto const window = given.number<std::size_t>("window", 1);
  bool const text = given.text("kind", "text") == "text";
  auto const deflate = given.text("deflate", "off");

  hawser::websocket_client::options options;
  options.framing.max_message_size = size + size / 8 + 100;  // deflate may also lengthen
  options.framing.deflate.enabled = deflate != "off";
  options.backpressure.max_bytes = (size + 100) * (window + 1);
  if (deflate == "dedicated") {
    options.framing.deflate.kind = hawser::ws::compressor::dedicated;
    options.framing.deflate.server_no_context_takeover = false;
    options.framing.deflate.client_no_context_takeover = false;
  }
  if (given.has("subprotocol")) options.subprotocols = {given.text("subprotocol")};
  if constexpr (requires { options.transport.ca_file; }) {
    options.transport.ca_file = given.text("ca");
  }

  asio::io_context io;
  hawser::websocket_client client{io, std::move(options)};
  asio::steady_timer limit(io, std::chrono::seconds(60));
  limit.async_wait([&](std::error_code error) {
    if (!error) io.stop();
  });

  std::size_t sent = 0;
  std::size_t received = 0;
  std::size_t wrong = 0;
  unsigned code = 0;
  std::string subprotocol;
  std::error_code connected;
  std::error_code closed = make_error_code(hawser::errc::not_open);
  auto const send = [&] {
    auto const message = content(size, sent, text);
    auto const error = text ? client.send(message) : client.send(hawser::as_bytes(message));
    if (error) ++wrong;
    ++sent;
  };
  auto const leave = [&] {
    auto const with = static_cast<hawser::close_code>(given.number<std::uint16_t>("code", 1000));
    client.async_close(with, given.text("reason"), [&](std::error_code error) {
      closed = error;
      limit.cancel();
    });
  };

  client.on_message([&](hawser::message const& what) {
    if (what.is_text() != text || what.text() != content(size, received, text)) ++wrong;
    ++received;
    if (sent < count) send();
    if (received == count) leave();
  });
  client.on_close([&](hawser::close_event const& event) {
    code = static_cast<unsigned>(event.code);
    if (received < count) limit.cancel();
  });
  client.async_connect(url, [&](std::error_code error) {
    connected = error;
    if (error) return void(limit.cancel());
    subprotocol = client.socket().subprotocol();
    while (sent < count && sent < window) send();
    if (count == 0) leave();
  });
  io.run();

  bool const good = !connected && !closed && received == count && wrong == 0;
  std::printf(
      "{\"ok\": %s, \"connect\": \"%s\", \"status\": %d, \"close\": \"%s\", \"code\": %u, "
      "\"received\": %zu, \"wrong\": %zu, \"subprotocol\": \"%s\", \"bytesOut\": %ju, "
      "\"bytesIn\": %ju}\n",
      good ? "true" : "false", connected.message().c_str(), client.status(),
      closed.message().c_str(), code, received, wrong, subprotocol.c_str(),
      std::uintmax_t{client.counters().bytes_out}, std::uintmax_t{client.counters().bytes_in});
  return good ? 0 : 1;
}
