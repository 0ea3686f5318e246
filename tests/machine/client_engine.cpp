// A client's Engine.IO session as a machine: the opening, polling, the upgrade.
#include <hawser/machine/client_engine.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/json/parse.hpp>

using hawser::client_engine;
using hawser::errc;
using hawser::eio::packet;
using hawser::eio::packet_type;
using hawser::eio::transport_kind;
using verdict = client_engine::verdict;

namespace {

packet of(packet_type type, std::string_view data = {}, bool binary = false) {
  return {type, binary, hawser::as_bytes(data)};
}

errc read(std::string_view text, hawser::eio::session_terms& out) {
  hawser::json_parser parser;
  hawser::value_tape tape;
  REQUIRE(parser.parse(text, {}, tape) == errc{});
  return hawser::eio::read_open(tape.root(), out);
}

client_engine opened(transport_kind by = transport_kind::polling) {
  client_engine engine;
  engine.begin(by);
  engine.open();
  return engine;
}

}  // namespace

TEST_CASE("an open packet that a server writes is read", "[machine][client_engine]") {
  std::string const sid = "0123456789abcdefABCDEF-_";
  std::string const text = hawser::eio::write_open({.sid = sid, .can_upgrade = true});
  hawser::eio::session_terms terms;
  REQUIRE(read(text.substr(1), terms) == errc{});
  CHECK(terms.sid == sid);
  CHECK(terms.can_upgrade);
  CHECK(terms.ping_interval == std::chrono::milliseconds(25'000));
  CHECK(terms.ping_timeout == std::chrono::milliseconds(20'000));
  CHECK(terms.max_payload == 1'000'000);
}

TEST_CASE("terms that can't be kept are refused", "[machine][client_engine]") {
  hawser::eio::session_terms terms;
  std::string const good =
      R"({"sid":"a","upgrades":["webtransport"],"pingInterval":1,"pingTimeout":1})";
  CHECK(read(good, terms) == errc{});
  CHECK_FALSE(terms.can_upgrade);
  CHECK(terms.max_payload == 0);
  for (std::string_view const bad : {
           R"([])",
           R"({})",
           R"({"sid":"","upgrades":[],"pingInterval":1,"pingTimeout":1})",
           R"({"sid":"a&b","upgrades":[],"pingInterval":1,"pingTimeout":1})",
           R"({"sid":"a b","upgrades":[],"pingInterval":1,"pingTimeout":1})",
           R"({"sid":7,"upgrades":[],"pingInterval":1,"pingTimeout":1})",
           R"({"sid":"a","upgrades":{},"pingInterval":1,"pingTimeout":1})",
           R"({"sid":"a","upgrades":[],"pingInterval":0,"pingTimeout":1})",
           R"({"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":-1})",
           R"({"sid":"a","upgrades":[],"pingInterval":1e12,"pingTimeout":1})",
           R"({"sid":"a","upgrades":[],"pingInterval":2000000000,"pingTimeout":1})",
           R"({"sid":"a","upgrades":[],"pingInterval":"1","pingTimeout":1})",
       }) {
    CAPTURE(bad);
    CHECK(read(bad, terms) == errc::bad_open_packet);
  }
  std::string const wide(129, 'a');
  CHECK(read(R"({"sid":")" + wide + R"(","upgrades":[],"pingInterval":1,"pingTimeout":1})",
             terms) == errc::bad_open_packet);
}

TEST_CASE("a session begins with its open packet and nothing else", "[machine][client_engine]") {
  client_engine engine;
  CHECK(engine.on_packet(of(packet_type::message)) == verdict::ignore);
  engine.begin(transport_kind::websocket);
  CHECK(engine.on_packet(of(packet_type::open, "{}")) == verdict::opened);
  CHECK(engine.on_packet(of(packet_type::message, "0")) == verdict::violation);
  CHECK(engine.on_packet(of(packet_type::open, {}, true)) == verdict::violation);
  engine.open();
  CHECK(engine.on_packet(of(packet_type::open, "{}")) == verdict::violation);
  CHECK(engine.on_packet(of(packet_type::message, "0")) == verdict::deliver);
  CHECK(engine.on_packet(of(packet_type::ping)) == verdict::answer_ping);
  CHECK(engine.on_packet(of(packet_type::close)) == verdict::close);
  CHECK(engine.on_packet(of(packet_type::noop)) == verdict::ignore);
  CHECK(engine.on_packet(of(packet_type::pong)) == verdict::ignore);
  CHECK(engine.on_packet(of(packet_type::upgrade)) == verdict::ignore);
}

TEST_CASE("polling pauses between the probe's answer and the change", "[machine][client_engine]") {
  client_engine engine = opened();
  CHECK(engine.may_ask());
  CHECK_FALSE(engine.try_switch());
  engine.begin_probe();
  CHECK(engine.is_probing());
  CHECK(engine.may_ask());  // what is sent meanwhile leaves by polling
  CHECK_FALSE(engine.try_switch());
  CHECK(engine.on_probe_packet(of(packet_type::pong, "probe")) == verdict::pause);
  CHECK_FALSE(engine.may_ask());
  CHECK(engine.polls());
  CHECK(engine.try_switch());
  CHECK_FALSE(engine.polls());
  CHECK_FALSE(engine.may_ask());
  CHECK_FALSE(engine.try_switch());
}

TEST_CASE("a probe that answers anything else is given up", "[machine][client_engine]") {
  for (packet const& odd :
       {of(packet_type::pong), of(packet_type::pong, "prob"), of(packet_type::message, "probe"),
        of(packet_type::pong, "probe", true), of(packet_type::open, "{}")}) {
    client_engine engine = opened();
    engine.begin_probe();
    CHECK(engine.on_probe_packet(odd) == verdict::refuse_probe);
    engine.end_probe();
    CHECK(engine.may_ask());
  }
  client_engine engine = opened();
  CHECK(engine.on_probe_packet(of(packet_type::pong, "probe")) == verdict::refuse_probe);
  engine.begin_probe();
  (void)engine.on_probe_packet(of(packet_type::pong, "probe"));
  CHECK(engine.on_probe_packet(of(packet_type::pong, "probe")) == verdict::refuse_probe);
}

TEST_CASE("a session that closes asks on, and changes no more", "[machine][client_engine]") {
  client_engine engine = opened();
  engine.begin_probe();
  (void)engine.on_probe_packet(of(packet_type::pong, "probe"));
  engine.begin_closing();
  CHECK(engine.may_ask());
  CHECK_FALSE(engine.try_switch());
  engine.end();
  CHECK_FALSE(engine.may_ask());
  CHECK(engine.at() == client_engine::stage::closed);
}
