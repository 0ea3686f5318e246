// Engine.IO packets: the golden vectors, and what is no packet.
#include <hawser/codec/eio/packet.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include "codec/sio/differences.hpp"
#include "support/fixtures.hpp"

using namespace hawser;
using namespace hawser_test;
using eio::packet_type;

namespace {

packet_type type_named(std::string_view name) {
  constexpr std::string_view names[] = {"open",    "close",   "ping", "pong",
                                        "message", "upgrade", "noop"};
  for (int i = 0; i < 7; ++i) {
    if (names[i] == name) return static_cast<packet_type>(i);
  }
  FAIL("no type " << name);
  return {};
}

bool equal(eio::packet const& packet, simdjson::dom::element expected) {
  std::string data;
  simdjson::dom::element said;
  bool binary = false;
  if (expected["data"].get(said) == simdjson::SUCCESS) {
    binary = binary_of(said, data);
    if (!binary) data = std::string(std::string_view(said));
  }
  return packet.type == type_named(expected["type"]) && packet.binary == binary &&
         as_text(packet.data) == data;
}

mutable_bytes writable(std::string& text) {
  return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

}  // namespace

TEST_CASE("engine packet: what the reference reads", "[codec][eio]") {
  difference_check table("eio-decode.");
  std::size_t const count = for_each_fixture("wire-eio-decode.jsonl", [&](auto name, auto line) {
    auto frames = frames_of(line);
    REQUIRE(frames.size() == 1);
    std::string& text = frames[0].bytes;
    if (frames[0].binary) {  // a message as it stands
      CHECK(equal({packet_type::message, true, as_bytes(text)}, line["result"]));
      return;
    }
    bool const base64 = text.starts_with('b');
    auto const plain = eio::read_packet(text);
    CAPTURE(name);
    CHECK(plain.has_value() == (!base64 && bool(line["accepted"])));
    if (plain) CHECK(equal(*plain, line["result"]));

    eio::packet packet;
    errc const error = eio::read_packet(writable(text), packet);
    bool const accepted = error == errc{};
    table.note(name,
               accepted == bool(line["accepted"]) && (!accepted || equal(packet, line["result"])),
               error);
    if (!accepted && !base64) CHECK(error == errc::bad_engine_packet);
  });
  CHECK(count == 19);
  table.finish();
}

TEST_CASE("engine packet: every first character", "[codec][eio]") {
  for (int c = 0; c < 256; ++c) {
    for (std::string const rest : {"", "probe", "AQID"}) {
      std::string text = static_cast<char>(c) + rest;
      CAPTURE(c, rest);
      auto const plain = eio::read_packet(text);
      bool const known = c >= '0' && c <= '6';
      REQUIRE(plain.has_value() == known);
      if (known) {
        CHECK(static_cast<int>(plain->type) == c - '0');
        CHECK(eio::type_character(plain->type) == c);
        CHECK(as_text(plain->data) == rest);
        CHECK(plain->data.data() == as_bytes(text).data() + 1);
        CHECK_FALSE(plain->binary);
      }
      eio::packet packet;
      errc const error = eio::read_packet(writable(text), packet);
      if (c == 'b') {
        CHECK(error == (rest == "probe" ? errc::bad_base64 : errc{}));
      } else {
        CHECK(error == (known ? errc{} : errc::bad_engine_packet));
      }
    }
  }
}

TEST_CASE("engine packet: nothing is no packet", "[codec][eio]") {
  CHECK_FALSE(eio::read_packet(std::string_view()));
  eio::packet packet;
  CHECK(eio::read_packet(mutable_bytes(), packet) == errc::bad_engine_packet);
}

TEST_CASE("engine packet: base64 is decoded where it lies", "[codec][eio]") {
  std::string text = "bAQIDBA==";
  eio::packet packet;
  REQUIRE(eio::read_packet(writable(text), packet) == errc{});
  CHECK(packet.binary);
  CHECK(packet.type == packet_type::message);
  CHECK(as_text(packet.data) == "\x01\x02\x03\x04");
  CHECK(packet.data.data() == as_bytes(text).data() + 1);
  for (std::string bad :
       {"b=", "bA", "bAQ", "bAQ=", "bAR==", "bAQI", "bAQID\n", "b AQID", "bAQI-"}) {
    CAPTURE(bad);
    CHECK(eio::read_packet(writable(bad), packet) == errc::bad_base64);
  }
}
