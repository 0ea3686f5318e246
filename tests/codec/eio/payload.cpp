// Engine.IO payloads: the golden vectors, violations, limits, and that the time is linear.
#include <hawser/codec/eio/payload.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

#include "support/fixtures.hpp"

using namespace hawser;
using namespace hawser_test;
using namespace std::string_literals;
using eio::packet_type;
using eio::payload_reader;

namespace {

struct copy {
  packet_type type;
  bool binary;
  std::string data;
  bool operator==(copy const&) const = default;
};

struct reading {
  std::vector<copy> packets;
  errc error{};
};

reading read(std::string body, eio::payload_limits const& limits = {}) {
  reading all;
  // An allocation of exactly that size, so that sanitizers see a read past its end.
  std::vector<char> exact(body.begin(), body.end());
  payload_reader reader({reinterpret_cast<std::byte*>(exact.data()), exact.size()}, limits);
  eio::packet packet;
  auto status = reader.next(packet);
  for (; status == payload_reader::status::packet; status = reader.next(packet)) {
    all.packets.push_back({packet.type, packet.binary, std::string(as_text(packet.data))});
    CHECK(reader.error() == errc{});
  }
  all.error = reader.error();
  CHECK((status == payload_reader::status::violation) == (all.error != errc{}));
  // For ever.
  for (int i = 0; i < 3; ++i) {
    CHECK(reader.next(packet) == status);
    CHECK(reader.error() == all.error);
  }
  return all;
}

copy text(packet_type type, std::string data = {}) { return {type, false, std::move(data)}; }
copy message(std::string data) { return text(packet_type::message, std::move(data)); }
copy binary(std::string data) { return {packet_type::message, true, std::move(data)}; }

std::string write(std::vector<copy> const& packets) {
  byte_buffer out;
  eio::payload_writer writer(out);
  for (auto const& packet : packets) {
    std::string const whole = eio::type_character(packet.type) + packet.data;
    std::size_t const before = writer.size_with_text(whole.size());
    if (packet.binary) {
      std::size_t const after = writer.size_with_binary(packet.data.size());
      writer.add_binary(as_bytes(packet.data));
      CHECK(writer.size() == after);
    } else {
      writer.add_text(whole);
      CHECK(writer.size() == before);
    }
    CHECK(writer.size() == out.size());
  }
  CHECK(writer.packets() == packets.size());
  return std::string(as_text(out.view()));
}

}  // namespace

TEST_CASE("payload: what the reference reads", "[codec][eio]") {
  std::size_t const count = for_each_fixture("wire-eio-payload.jsonl", [&](auto name, auto line) {
    CAPTURE(name);
    if (std::string_view(line["op"]) != "decodePayload") return;
    std::vector<copy> expected;
    for (simdjson::dom::element const packet : line["result"].get_array()) {
      std::string_view const type = packet["type"];
      if (type == "error") continue;
      std::string data;
      simdjson::dom::element said;
      bool is_binary = false;
      if (packet["data"].get(said) == simdjson::SUCCESS) {
        is_binary = binary_of(said, data);
        if (!is_binary) data = std::string(std::string_view(said));
      }
      if (type == "message") expected.push_back({packet_type::message, is_binary, data});
      if (type == "ping") expected.push_back({packet_type::ping, is_binary, data});
      if (type == "noop") expected.push_back({packet_type::noop, is_binary, data});
    }
    auto const all = read(frames_of(line)[0].bytes);
    CHECK(all.packets == expected);
    CHECK(all.error == (bool(line["accepted"]) ? errc{} : errc::bad_engine_packet));
    if (all.error == errc{}) CHECK(write(all.packets) == frames_of(line)[0].bytes);
  });
  CHECK(count == 12);
}

TEST_CASE("payload: what the reference writes", "[codec][eio]") {
  std::size_t const count = for_each_fixture("wire-eio-encode.jsonl", [&](auto name, auto line) {
    CAPTURE(name);
    auto const frame = frames_of(line)[0];
    simdjson::dom::element data;
    std::string bytes;
    bool const has_data = line["packet"]["data"].get(data) == simdjson::SUCCESS;
    bool const is_binary = has_data && binary_of(data, bytes);
    if (has_data && !is_binary) bytes = std::string(std::string_view(data));
    if (frame.binary) {  // a WebSocket frame: nothing to write
      CHECK(frame.bytes == bytes);
      return;
    }
    std::string_view const type = line["packet"]["type"];
    auto const kind = type == "ping"   ? packet_type::ping
                      : type == "noop" ? packet_type::noop
                                       : packet_type::message;
    CHECK(write({{kind, is_binary, bytes}}) == frame.bytes);
  });
  CHECK(count == 7);

  CHECK(write({message("a"), text(packet_type::ping), binary("\x00\xff"s), message("\xc3\xa9")}) ==
        "4a\x1e"
        "2\x1e"
        "bAP8=\x1e"
        "4\xc3\xa9");
}

TEST_CASE("payload: violations, and what came before them", "[codec][eio]") {
  struct row {
    std::string body;
    errc error;
    std::vector<copy> before;
  };
  row const rows[] = {
      {"", errc::bad_engine_packet, {}},
      {"\x1e", errc::bad_engine_packet, {}},
      {"\x1e"
       "4a",
       errc::bad_engine_packet,
       {}},
      {"4a\x1e", errc::bad_engine_packet, {message("a")}},
      {"4a\x1e\x1e"
       "4b",
       errc::bad_engine_packet,
       {message("a")}},
      {"7", errc::bad_engine_packet, {}},
      {"4a\x1e"
       "7\x1e"
       "4b",
       errc::bad_engine_packet,
       {message("a")}},
      {"4a\x1e"
       "B\x1e"
       "4b",
       errc::bad_engine_packet,
       {message("a")}},
      {"4a\x1e 4b", errc::bad_engine_packet, {message("a")}},
      {"4a\n4b\x1e\0"s, errc::bad_engine_packet, {message("a\n4b")}},
      {"4a\x1e"
       "bAQ\x1e"
       "4b",
       errc::bad_base64,
       {message("a")}},
      {"4a\x1e"
       "bAR==",
       errc::bad_base64,
       {message("a")}},
      {"4a\x1e"
       "bAQ=\x1e=",
       errc::bad_base64,
       {message("a")}},
      {"bAQID bAQID", errc::bad_base64, {}},
      {"bAQID\r\n", errc::bad_base64, {}},
      {"4\xff", errc::invalid_utf8, {}},
      {"4a\x1e"
       "4\xc3",
       errc::invalid_utf8,
       {}},  // cut short
      {"4\xc3\x1e"
       "4\xa9",
       errc::invalid_utf8,
       {}},                                       // cut by a separator
      {"4\xed\xa0\x80", errc::invalid_utf8, {}},  // a surrogate
      {"4\xc0\xae", errc::invalid_utf8, {}},      // not in the shortest form
      {"4a\x1e"
       "b\xff\xff\xff\xff",
       errc::invalid_utf8,
       {}},
  };
  for (auto const& row : rows) {
    CAPTURE(row.body);
    auto const all = read(row.body);
    CHECK(all.error == row.error);
    CHECK(all.packets == row.before);
  }
}

TEST_CASE("payload: bodies without a violation", "[codec][eio]") {
  CHECK(read("4").packets == std::vector{message("")});
  CHECK(read("b").packets == std::vector{binary("")});
  CHECK(read("b\x1e"
             "b")
            .packets == std::vector{binary(""), binary("")});
  CHECK(read("bAQID\x1e"
             "3\x1e"
             "bAQ==")
            .packets ==
        std::vector{binary("\x01\x02\x03"), text(packet_type::pong), binary("\x01")});
  CHECK(read("1\x1e"
             "4a")
            .packets == std::vector{text(packet_type::close), message("a")});
  CHECK(read("4\0\x7f"s).packets == std::vector{message("\0\x7f"s)});
}

TEST_CASE("payload: the number of packets is limited", "[codec][eio]") {
  auto const body = [](std::size_t count) {
    std::string all = "3";
    for (std::size_t i = 1; i < count; ++i)
      all +=
          "\x1e"
          "3";
    return all;
  };
  for (std::size_t const max :
       {std::size_t{1}, std::size_t{3}, eio::payload_limits{}.max_packets}) {
    for (std::size_t const count : {max - 1, max, max + 1}) {
      if (count == 0) continue;
      CAPTURE(max, count);
      auto const all = read(body(count), {max});
      CHECK(all.packets.size() == std::min(count, max));
      CHECK(all.error == (count <= max ? errc{} : errc::too_many_packets));
    }
  }
  CHECK(eio::payload_limits{}.max_packets == 10'000);
  CHECK(read("4a", {0}).error == errc::too_many_packets);
  // What isn't a packet doesn't matter any more.
  CHECK(read("4a\x1e"
             "7",
             {1})
            .error == errc::too_many_packets);
}

TEST_CASE("payload: what is written is read again", "[codec][eio]") {
  seeded_random random(7);
  auto const draw = [&](std::uint64_t below) { return random.uniform(below); };
  for (int round = 0; round < 200; ++round) {
    std::vector<copy> packets;
    for (auto left = 1 + draw(8); left > 0; --left) {
      std::string data;
      bool const is_binary = draw(2) == 1;
      for (auto size = draw(40); size > 0; --size) {
        data += static_cast<char>(is_binary ? draw(256) : 0x20 + draw(0x5f));
      }
      auto const type = is_binary ? packet_type::message : static_cast<packet_type>(draw(7));
      packets.push_back({type, is_binary, data});
    }
    auto const all = read(write(packets));
    CHECK(all.error == errc{});
    CHECK(all.packets == packets);
  }
}

TEST_CASE("payload: a writer goes on behind what is there", "[codec][eio]") {
  byte_buffer out;
  out.append(as_bytes("head\r\n\r\n"));
  eio::payload_writer writer(out);
  CHECK(writer.size() == 0);
  CHECK(writer.size_with_text(3) == 3);
  CHECK(writer.size_with_binary(0) == 1);
  CHECK(writer.size_with_binary(1) == 5);
  writer.add_text("4a");
  CHECK(writer.size_with_text(3) == 6);
  CHECK(writer.size_with_binary(3) == 8);
  writer.add_binary(as_bytes("abc"));
  CHECK(as_text(out.view()) ==
        "head\r\n\r\n4a\x1e"
        "bYWJj");
  CHECK(writer.size() == 8);
}

TEST_CASE("payload: a megabyte of separators takes no time", "[codec][eio]") {
  auto const timed = [](std::string body, eio::payload_limits const& limits = {}) {
    payload_reader reader({reinterpret_cast<std::byte*>(body.data()), body.size()}, limits);
    auto const start = std::chrono::steady_clock::now();
    eio::packet packet;
    std::size_t count = 0;
    while (reader.next(packet) == payload_reader::status::packet) ++count;
    // Milliseconds in a build without optimisation; a second is for sanitizers on a busy machine.
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
    return count;
  };
  CHECK(timed(std::string(1'000'000, '\x1e')) == 0);
  std::string pongs;
  for (int i = 0; i < 500'000; ++i)
    pongs += i == 0 ? "3"
                    : "\x1e"
                      "3";
  CHECK(timed(pongs) == 10'000);
  CHECK(timed(pongs, {500'000}) == 500'000);
  CHECK(timed("4" + std::string(1'000'000, 'a')) == 1);
  CHECK(timed("b" + std::string(1'000'000, 'A')) == 1);
  CHECK(timed("b" + std::string(1'000'001, 'A')) == 0);
}
