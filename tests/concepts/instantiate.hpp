// Uses every member of a server and of a client, the templates among them too.
#pragma once

#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <concepts/archetypes.hpp>
#include <hawser/client.hpp>
#include <hawser/server.hpp>

namespace concepts_test {

template <class Policies>
void use_server() {
  asio::io_context io;
  hawser::basic_server<Policies> server{io};
  server.authenticate([](hawser::handshake const&, hawser::decision d) { d.accept(1); });
  server.on_open([](hawser::websocket) {});
  server.on_message([](hawser::websocket, hawser::message const&) {});
  server.on_close([](hawser::websocket, hawser::close_event const&) {});
  server.on_drain([](hawser::websocket) {});
  server.on_error([](std::error_code, std::string_view) {});
  server.get("/a", [](hawser::http_request const&, hawser::http_reply) {});
  server.post("/b", [](hawser::http_request const&, hawser::http_reply) {});
  server.get_prefix("/c", [](hawser::http_request const&, hawser::http_reply) {});
  CHECK_FALSE(server.listen({.host = "127.0.0.1"}));
  CHECK(server.port() != 0);
  CHECK(server.all().send("nobody is here") == 0);
  CHECK(server.to("room").except("other").send("nobody is here") == 0);
  CHECK(server.room("room").size() == 0);
  server.for_each([](hawser::websocket) {});
  CHECK(server.size() == 0);
  server.poll();
  server.flush();
  CHECK_FALSE(server.remote().post([] {}));
  server.drain();
  server.stop();
  CHECK(server.counters().accepted == 0);
  CHECK(server.get_executor() == io.get_executor());
}

template <class Policies>
void use_client() {
  asio::io_context io;
  int completed = 0;
  {
    hawser::basic_client<Policies> client{io};
    client.on_message([](hawser::message const&) {});
    client.on_close([](hawser::close_event const&) {});
    client.on_drain([] {});
    client.async_connect("ws://127.0.0.1:1", [&](std::error_code) { ++completed; });
    client.async_receive([&](std::error_code, hawser::received_message) { ++completed; });
    client.async_close([&](std::error_code) { ++completed; });
    CHECK(client.send("not open") == hawser::errc::not_open);
    CHECK_FALSE(client.is_open());
    CHECK_FALSE(client.socket().is_open());
    CHECK_FALSE(client.remote().post([] {}));
    client.poll();
    client.flush();
    CHECK(client.status() == 0);
  }
  io.restart();
  io.run();
  CHECK(completed == 3);
}

}  // namespace concepts_test
