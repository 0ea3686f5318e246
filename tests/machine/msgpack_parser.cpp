// The MessagePack parser as a whole: packets there and back, what official clients send, and what
// is no packet: every beginning, every changed byte, limits, and that the time is linear.
#include <hawser/machine/msgpack_parser.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/value/json.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "machine/parsing.hpp"

using namespace hawser;
using namespace hawser_test;

namespace {

constexpr sio::packet_type all_types[] = {sio::packet_type::connect, sio::packet_type::disconnect,
                                          sio::packet_type::event, sio::packet_type::ack,
                                          sio::packet_type::connect_error};

std::string packed(json const& tree) {
  byte_buffer out;
  value_writer writer(out, value_format::msgpack);
  write_value(writer, tree);
  return std::string(as_text(out.view()));
}

std::string written(msgpack_parser& parser, kept_packet const& one) {
  outgoing_packet what{.type = one.type, .nsp = one.nsp, .id = one.id};
  if (one.data) what.payload = source_of(*one.data);
  return encode(parser, what)[0].bytes;
}

kept_packets read(std::string bytes, packet_limits const& limits = {}) {
  msgpack_parser parser(limits);
  return decode_all(parser, {{true, std::move(bytes)}});
}
errc error_of(json const& tree, packet_limits const& limits = {}) {
  return read(packed(tree), limits).error;
}

json packet(int type, json data, char const* nsp = "/") {
  return json::object({{"type", type}, {"data", std::move(data)}, {"nsp", nsp}});
}
json event(json id) {
  json made = packet(2, json::array({"e"}));
  made["id"] = std::move(id);
  return made;
}

}  // namespace

TEST_CASE("msgpack parser: what it writes it reads", "[machine][msgpack_parser]") {
  msgpack_parser parser{packet_limits{}};
  json const binary(as_bytes(std::string(1'000, '\xff')));
  json const payloads[] = {
      json::array({"e"}),
      json::array({"e", 1, -1, 2.5, nullptr, true, json::object({{"a", binary}}), binary}),
      json::array({7, json::array()}),
      json::array({"", std::string(100'000, 'x')}),
  };
  std::optional<std::uint64_t> const ids[] = {std::nullopt, 0, 127, 128, sio::max_id};
  for (auto const& payload : payloads) {
    for (auto const& id : ids) {
      for (std::string const& nsp : {std::string("/"), "/" + std::string(127, 'n')}) {
        for (auto const type : {sio::packet_type::event, sio::packet_type::ack}) {
          kept_packet const whole{type, nsp, id, payload};
          auto const frames =
              encode(parser, {.type = type, .nsp = nsp, .id = id, .payload = source_of(payload)});
          REQUIRE(frames.size() == 1);  // binary stands in it
          CHECK(frames[0].binary);
          CHECK(decode_all(parser, frames) == kept_packets{{whole}, {}, false});
          CHECK(decode_all(parser, frames, true) == kept_packets{{whole}, {}, false});
        }
      }
    }
  }
  json const object = json::object({{"sid", "x"}});
  for (auto const type : {sio::packet_type::connect, sio::packet_type::connect_error}) {
    auto const frames = encode(parser, {.type = type, .nsp = "/a", .payload = source_of(object)});
    CHECK(decode_all(parser, frames).packets ==
          std::vector<kept_packet>{{type, "/a", std::nullopt, object}});
  }
  for (auto const type : {sio::packet_type::connect, sio::packet_type::disconnect}) {
    CHECK(decode_all(parser, encode(parser, {.type = type})).packets ==
          std::vector<kept_packet>{{type, "/", std::nullopt, std::nullopt}});
  }
}

TEST_CASE("msgpack parser: bytes of the wire", "[machine][msgpack_parser]") {
  msgpack_parser parser{packet_limits{}};
  // Keys in the order of the official clients: type, data, nsp, id.
  json const payload = json::array({"e", 1});
  auto const with_id = encode(parser, {.nsp = "/a", .id = 300, .payload = source_of(payload)});
  CHECK(with_id[0].bytes == from_hex("84a47479706502a46461746192a16501a36e7370a22f61a26964cd012c"));
  auto const bare = encode(parser, {.type = sio::packet_type::disconnect});
  CHECK(bare[0].bytes == from_hex("82a47479706501a36e7370a12f"));
  auto const offset = encode(parser, {.payload = source_of(payload), .offset = "o"});
  CHECK(offset[0].bytes == from_hex("83a47479706502a46461746193a16501a16fa36e7370a12f"));

  // CONNECT as they send it; undefined is null, and options that aren't ours are passed over.
  CHECK(read(from_hex("83a47479706500a464617461c0a36e7370a12f")).packets ==
        std::vector<kept_packet>{{sio::packet_type::connect, "/", std::nullopt, std::nullopt}});
  json extra = packet(2, json::array({"e"}));
  extra["options"] = json::object({{"compress", true}});
  extra["attachments"] = 3;
  CHECK(read(packed(extra)).packets.size() == 1);
}

TEST_CASE("msgpack parser: ids", "[machine][msgpack_parser]") {
  auto const id_of = [](json const& id) { return read(packed(event(id))).packets.at(0).id; };
  CHECK(id_of(nullptr) == std::nullopt);
  CHECK(id_of(0) == 0u);
  CHECK(id_of(sio::max_id) == sio::max_id);
  for (json const& bad : {json(-1), json(sio::max_id + 1), json(~std::uint64_t{0}), json("1"),
                          json(1.5), json(true), json::array(), json::object()}) {
    CHECK(error_of(event(bad)) == errc::bad_packet);
  }
  for (auto const type : all_types) {
    bool const takes = sio::takes_id(type);
    json whole = packet(static_cast<int>(type), nullptr);
    if (takes) whole["data"] = json::array({"e"});
    if (type == sio::packet_type::connect_error) whole["data"] = "no";
    CHECK(error_of(whole) == errc{});
    whole["id"] = 1;
    CHECK(error_of(whole) == (takes ? errc{} : errc::bad_packet));
  }
}

TEST_CASE("msgpack parser: types, namespaces and payloads", "[machine][msgpack_parser]") {
  json const list = json::array({"e"});
  // Binary types are those of texts: here nothing is taken out of a packet.
  for (json const& type : {json(-1), json(5), json(6), json(7), json(255), json("2"), json(2.5),
                           json(nullptr), json(true), json::array()}) {
    json whole = packet(2, list);
    whole["type"] = type;
    CHECK(error_of(whole) == errc::bad_packet);
  }
  for (json const& nsp : {json(nullptr), json(""), json("a"), json(1), json::array(),
                          json("/" + std::string(128, 'n')), json(as_bytes("/"))}) {
    json whole = packet(2, list);
    whole["nsp"] = nsp;
    CHECK(error_of(whole) == errc::bad_packet);
  }
  CHECK(error_of(packet(2, list, ("/" + std::string(127, 'n')).c_str())) == errc{});
  for (char const* const key : {"type", "nsp", "data"}) {
    json whole = packet(2, list);
    whole.erase(key);
    CHECK(error_of(whole) == errc::bad_packet);
  }
  for (json const& data : {json(nullptr), json(1), json("e"), json::object()}) {
    CHECK(error_of(packet(2, data)) == errc::bad_packet);
    CHECK(error_of(packet(3, data)) == errc::bad_packet);
  }
  for (json const& name : {json(nullptr), json(true), json(1.5), json::array(), json("connect"),
                           json("disconnect"), json(as_bytes("e")), json(std::string(257, 'n'))}) {
    CHECK(error_of(packet(2, json::array({name}))) == errc::bad_event_name);
  }
  CHECK(error_of(packet(2, json::array())) == errc::bad_event_name);
  CHECK(error_of(packet(0, list)) == errc::bad_packet);
  CHECK(error_of(packet(1, list)) == errc::bad_packet);
  CHECK(error_of(packet(4, list)) == errc::bad_packet);
  for (json const& no_packet : {json(1), json("x"), json(nullptr), json::array({2, list, "/"})}) {
    CHECK(error_of(no_packet) == errc::bad_packet);
  }
}

TEST_CASE("msgpack parser: no text, and nothing in pieces", "[machine][msgpack_parser]") {
  msgpack_parser parser{packet_limits{}};
  msgpack_parser::peer peer;
  CHECK(decode(parser, peer, {false, "2[\"e\"]"}).status == parse_status::violation);
  CHECK(parser.error() == errc::bad_packet);
  CHECK(decode(parser, peer, {false, packed(packet(1, nullptr))}).status ==
        parse_status::violation);
  CHECK_FALSE(peer.is_waiting());
  CHECK(decode(parser, peer, {true, packed(packet(1, nullptr))}).status == parse_status::packet);
}

TEST_CASE("msgpack parser: every beginning, and one byte more", "[machine][msgpack_parser]") {
  json const binary(as_bytes("\x01\x02\x03"));
  json whole = packet(2, json::array({"name", 1.5, binary, json::object({{"a", "\u00e9"}})}), "/a");
  whole["id"] = 70'000;
  std::string const bytes = packed(whole);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(read(bytes.substr(0, size)).error != errc{});
  }
  CHECK(read(bytes).error == errc{});
  CHECK(read(bytes + '\xc0').error != errc{});
}

TEST_CASE("msgpack parser: whatever byte is changed", "[machine][msgpack_parser]") {
  json const binary(as_bytes("\x01\x02\x03"));
  json whole = packet(2, json::array({"name", 1.5, binary, json::object({{"a", "b"}})}), "/a");
  whole["id"] = 70'000;
  std::string const bytes = packed(whole);
  msgpack_parser parser{packet_limits{}};
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(byte);
      kept_packets const said = decode_all(parser, {{true, changed}});
      REQUIRE(said.packets.size() == (said.error == errc{} ? 1u : 0u));
      REQUIRE_FALSE(said.is_waiting);
      if (said.error != errc{}) continue;
      // What was read can be written, and is the same then; NaN is among it, so bytes are compared.
      std::string const once = written(parser, said.packets[0]);
      kept_packets const again = decode_all(parser, {{true, once}});
      REQUIRE(again.packets.size() == 1);
      REQUIRE(written(parser, again.packets[0]) == once);
    }
  }
}

TEST_CASE("msgpack parser: chance", "[machine][msgpack_parser]") {
  seeded_random random(3);
  msgpack_parser parser{packet_limits{}};
  std::string const head = from_hex("83a47479706502a36e7370a12fa464617461");
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = head;
    auto const size = random.uniform(40);
    for (std::uint64_t k = 0; k < size; ++k) bytes += static_cast<char>(random.uniform(256));
    kept_packets const said = decode_all(parser, {{true, bytes}});
    REQUIRE((said.error == errc{}) == (said.packets.size() == 1));
  }
}

TEST_CASE("msgpack parser: limits", "[machine][msgpack_parser]") {
  packet_limits limits;
  limits.max_event_name = 4;
  CHECK(error_of(packet(2, json::array({"four"})), limits) == errc{});
  CHECK(error_of(packet(2, json::array({"fiver"})), limits) == errc::bad_event_name);
  // The packet itself is an object, and its data an array in it.
  limits.values.max_depth = 3;
  CHECK(error_of(packet(2, json::array({"e", json::array({1})})), limits) == errc{});
  CHECK(error_of(packet(2, json::array({"e", json::array({json::array({1})})})), limits) ==
        errc::too_deep);
  // Counts that are claimed, with nothing behind them.
  for (std::string_view const claimed : {"dcffff", "ddffffffff", "deffff", "dfffffffff",
                                         "c6ffffffff", "dbffffffff", "c9ffffffff01"}) {
    std::string const head = "83a47479706502a36e7370a12fa464617461";
    CHECK(read(from_hex(head + std::string(claimed))).error != errc{});
  }
}

TEST_CASE("msgpack parser: the time is linear", "[machine][msgpack_parser]") {
  auto const start = std::chrono::steady_clock::now();
  std::string const head = from_hex("83a47479706502a36e7370a12fa464617461");
  for (int i = 0; i < 3; ++i) {
    CHECK(error_of(packet(2, json::array({"e", std::string(1'000'000, 'x')}))) == errc{});
    CHECK(read(head + std::string(1'000'000, '\x91')).error != errc{});
    CHECK(read(head + std::string(1'000'000, '\x81')).error != errc{});
    CHECK(read(head + from_hex("dd000f4240") + std::string(1'000'000, '\x01')).error != errc{});
    CHECK(read(std::string(1'000'000, '\xdf')).error != errc{});
    // Keys that are looked for among many.
    std::string many = from_hex("df0000c350");
    for (int k = 0; k < 50'000; ++k) many += from_hex("a16b01");
    CHECK(read(many).error != errc{});
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}
