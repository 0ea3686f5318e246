// Uses every member of a server and of a client, the templates among them too.
#pragma once

#include <catch2/catch.hpp>

#include <asio/io_context.hpp>

#include <optional>
#include <string>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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

/// The handlers and verbs of a namespace. Answers how often somebody was told something, which
/// comes with the next turn of the loop: 2.
template <class Nsp>
std::shared_ptr<int> use_nsp(Nsp& in) {
  using hawser::socket;
  in.authenticate([](hawser::handshake const&, hawser::decision d) { d.accept(1); });
  in.use([](socket, hawser::decision d) { d.accept(); });
  in.on_connect([](socket) {});
  in.on_disconnecting([](socket, hawser::disconnect_reason) {});
  in.on_disconnect([](socket, hawser::disconnect_reason) {});
  in.on_room([](hawser::room_event const&) {});
  in.on("a", [](socket, int, hawser::ack<int> done) { (void)done(1); });
  in.once("b", [](std::string_view) { return true; });
  CHECK(in.off("a"));
  in.handlers(std::move(hawser::event_handlers().on("a", [] {})));
  in.on_any([](socket, hawser::event_view const&) {});
  in.on_any_outgoing([](socket, hawser::event_view const&) {});
  in.on_bad_event([](socket, std::string_view, std::error_code) {});
  in.may_join([](socket, std::string_view) { return true; });
  in.may_send([](socket, hawser::event_view const&) { return true; });
  in.may_receive([](socket) { return true; });
  static constexpr hawser::event<"pos", int> position{.delivery = hawser::latest};
  in.on(position, [](socket, int) {});
  CHECK(in.emit("nobody", "is here") == 0);
  CHECK(in.emit(position, 1) == 0);
  CHECK(in.to("room").in("other").except("few").local().unreliable().emit("nobody") == 0);
  CHECK(in.room("room").emit("nobody") == 0);
  CHECK(in.all().size() == 0);
  in.all().for_each([](socket) {});
  auto const told = std::make_shared<int>(0);
  in.emit_with_ack("nobody",
                   [told](std::error_code, std::vector<int> all) { *told += all.empty() ? 1 : 0; });
  in.fetch_sockets([told](std::error_code, std::vector<hawser::socket_description> all) {
    *told += all.empty() ? 1 : 0;
  });
  in.sockets_join("room");
  in.sockets_leave("room");
  in.disconnect_sockets();
  in.on_server_event("other", [](int) {});
  (void)in.server_side_emit("other", 1);
  return told;
}

/// Likewise for a server with sessions.
template <class Policies>
void use_socketio_server() {
  asio::io_context io;
  hawser::basic_server<Policies> server{io};
  auto const told = use_nsp(server);
  auto chat = server.of("/chat");
  auto const told_chat = use_nsp(chat);
  auto many = server.of([](std::string_view, hawser::json const&) { return false; });
  many.on_child([](hawser::nsp) {});
  server.allow_request([](hawser::handshake const&, hawser::decision d) { d.accept(); });
  server.on_connection_error([](hawser::connection_error const&) {});
  server.on_error([](std::error_code, std::string_view) {});
  server.get("/a", [](hawser::http_request const&, hawser::http_reply) {});
  CHECK_FALSE(server.listen({.host = "127.0.0.1"}));
  CHECK(server.port() != 0);
  CHECK_FALSE(server.remote().emit(server.all(), "nobody", 1));
  CHECK(server.size() == 0);
  server.poll();
  CHECK(*told == 2);
  CHECK(*told_chat == 2);
  server.flush();
  server.drain();
  server.stop();
  CHECK(server.counters().sockets_connected == 0);
}

/// What all clients have.
template <class Client>
void use_manager(Client& client) {
  client.on_state([](hawser::client_state) {});
  client.on_error([](hawser::attempt_failure const&) {});
  client.on_reconnect_attempt([](std::uint32_t) {});
  client.on_reconnect([](std::uint32_t) {});
  client.on_reconnect_error([](hawser::attempt_failure const&) {});
  client.on_reconnect_failed([] {});
  CHECK(client.connect("no URL") == hawser::errc::bad_url);
  CHECK(client.state() == hawser::client_state::disconnected);
  CHECK_FALSE(client.is_connecting());
  CHECK(client.counters().opened == 0);
}

/// The handlers and verbs of a client's namespace.
template <class Socket>
void use_client_socket(Socket const& s) {
  using hawser::client_socket;
  s.on("a", [](client_socket, int, hawser::ack<int> done) { (void)done(1); });
  s.once("b", [](std::string_view) { return true; });
  CHECK(s.off("a"));
  s.on_any([](hawser::event_view const&) {});
  s.on_any_outgoing([](hawser::event_view const&) {});
  s.on_bad_event([](std::string_view, std::error_code) {});
  s.on_connect([](client_socket) {});
  s.on_connect_error([](hawser::connect_failure const&) {});
  s.on_disconnect([](hawser::disconnect_reason) {});
  s.on_dropped([](hawser::event_view const&, std::error_code) {});
  s.auth([](hawser::auth_reply reply) { reply(hawser::json::object()); });
  s.auth(hawser::json::object({{"token", "t"}}));
  static constexpr hawser::event<"pos", int> position{.delivery = hawser::latest};
  s.on(position, [](client_socket, int) {});
  (void)s.emit("nobody", "is here");
  (void)s.emit(position, 1);
  CHECK(s.unreliable().emit("nobody") == hawser::errc::dropped);
  (void)s.compress(false).timeout(std::chrono::seconds(1)).emit("nobody");
  s.emit_with_ack("nobody", [](std::error_code, int) {});
  s.template async_emit_with_ack<int>("nobody", 1, [](std::error_code, int) {});
  CHECK(s.connect() == hawser::errc::not_open);
  CHECK_FALSE(s.connected());
  CHECK_FALSE(s.recovered());
  CHECK_FALSE(s.active());
  CHECK(s.id().empty());
}

/// Likewise for a client with sessions.
template <class Policies>
void use_socketio_client() {
  asio::io_context io;
  int completed = 0;
  {
    hawser::basic_client<Policies> client{io};
    use_manager(client);
    client.on_open([] {});
    client.on_close([](hawser::disconnect_reason, std::error_code) {});
    client.on_ping([] {});
    client.on_upgrade([] {});
    auto const chat = client.socket("chat");
    CHECK(chat.nsp() == "/chat");
    use_client_socket(chat);
    use_client_socket(client.socket());
    client.emit("nobody");
    client.async_connect("ws://127.0.0.1:1", [&](std::error_code) { ++completed; });
    chat.async_connect([&](std::error_code) { ++completed; });
    chat.async_receive([&](std::error_code, hawser::received_event) { ++completed; });
    client.async_close([&](std::error_code) { ++completed; });
    CHECK_FALSE(client.is_open());
    CHECK(client.transport().empty());
    CHECK_FALSE(client.remote().emit(chat, "nobody", 1));
    client.poll();
    client.flush();
    CHECK_FALSE(chat.disconnect());
    client.close();
  }
  io.restart();
  io.run();
  CHECK(completed == 4);
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
    client.on_open([] {});
    client.on_dropped([](hawser::dropped_message const&) {});
    use_manager(client);
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
