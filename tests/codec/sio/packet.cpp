// Heads of Socket.IO packets: what the reference writes, what is read, and what isn't.
#include <hawser/codec/sio/packet.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/fixtures.hpp"

using namespace hawser;
using namespace hawser_test;
using sio::packet_head;
using sio::packet_type;
using sio::read_head;

namespace {

constexpr std::size_t max_attachments = 10;

std::string write(packet_head const& head) {
  byte_buffer out;
  sio::write_head(out, head.type, head.attachments, head.nsp, head.id);
  return std::string(as_text(out.view())).append(head.data);
}

bool equal(packet_head const& a, packet_head const& b) {
  return a.type == b.type && a.attachments == b.attachments && a.nsp == b.nsp && a.id == b.id &&
         a.data == b.data;
}

errc read(std::string_view text) {
  packet_head head;
  return read_head(text, max_attachments, head);
}

}  // namespace

TEST_CASE("head: what the reference writes", "[codec][sio]") {
  std::size_t const count = for_each_fixture("wire-sio-encode.jsonl", [&](auto name, auto line) {
    CAPTURE(name);
    auto const frames = frames_of(line);
    std::string const& text = frames[0].bytes;
    packet_head head;
    errc const error = read_head(text, 11, head);
    REQUIRE(error == errc{});
    CHECK(head.attachments == frames.size() - 1);
    auto const packet = line["packet"];
    int const type = static_cast<int>(std::int64_t(packet["type"]));
    CHECK(static_cast<int>(head.type) == (frames.size() > 1 ? type + 3 : type));
    CHECK(head.nsp == std::string_view(packet["nsp"]));
    std::uint64_t id = 0;
    bool const has_id = packet["id"].get(id) == simdjson::SUCCESS;
    CHECK(head.id == (has_id ? std::optional(id) : std::nullopt));
    simdjson::dom::element data;
    CHECK(head.data.empty() == (packet["data"].get(data) != simdjson::SUCCESS));
    // And the same text again.
    CHECK(write(head) == text);
  });
  CHECK(count == 22);
}

TEST_CASE("head: what is read", "[codec][sio]") {
  struct row {
    std::string_view text;
    packet_head head;
  };
  std::string const longest = "/" + std::string(sio::max_namespace_size - 1, 'x');
  std::string const with_longest = "2" + longest + ",7[\"e\"]";
  std::string const longest_alone = "0" + longest;
  row const rows[] = {
      {"0", {packet_type::connect, 0, "/", {}, ""}},
      {"0{}", {packet_type::connect, 0, "/", {}, "{}"}},
      {"0/a", {packet_type::connect, 0, "/a", {}, ""}},
      {"0/a,", {packet_type::connect, 0, "/a", {}, ""}},
      {"0/a?t=1&u=2,{}", {packet_type::connect, 0, "/a?t=1&u=2", {}, "{}"}},
      {"0/,{}", {packet_type::connect, 0, "/", {}, "{}"}},
      {"0/", {packet_type::connect, 0, "/", {}, ""}},
      {"0//,{}", {packet_type::connect, 0, "//", {}, "{}"}},
      {longest_alone, {packet_type::connect, 0, longest, {}, ""}},
      {"1", {packet_type::disconnect, 0, "/", {}, ""}},
      {"1/a,", {packet_type::disconnect, 0, "/a", {}, ""}},
      {"1/a", {packet_type::disconnect, 0, "/a", {}, ""}},
      {"1{}", {packet_type::disconnect, 0, "/", {}, "{}"}},
      {"2", {packet_type::event, 0, "/", {}, ""}},
      {"2[\"e\"]", {packet_type::event, 0, "/", {}, "[\"e\"]"}},
      {"20[\"e\"]", {packet_type::event, 0, "/", 0, "[\"e\"]"}},
      {"27", {packet_type::event, 0, "/", 7, ""}},
      {"2007[\"e\"]", {packet_type::event, 0, "/", 7, "[\"e\"]"}},
      {"2/a,456[\"e\"]", {packet_type::event, 0, "/a", 456, "[\"e\"]"}},
      {"2/a,[\"e,f\"]", {packet_type::event, 0, "/a", {}, "[\"e,f\"]"}},
      {"2/adm\"in,[\"a,b\"]", {packet_type::event, 0, "/adm\"in", {}, "[\"a,b\"]"}},
      {"2/a[\"e\"]", {packet_type::event, 0, "/a[\"e\"]", {}, ""}},
      {with_longest, {packet_type::event, 0, longest, 7, "[\"e\"]"}},
      {"20000000000000001[]", {packet_type::event, 0, "/", 1, "[]"}},
      {"29007199254740990[]", {packet_type::event, 0, "/", sio::max_id - 1, "[]"}},
      {"29007199254740991[]", {packet_type::event, 0, "/", sio::max_id, "[]"}},
      // A first character that belongs to no number belongs to the payload.
      {"2 [\"e\"]", {packet_type::event, 0, "/", {}, " [\"e\"]"}},
      {"2-1[]", {packet_type::event, 0, "/", {}, "-1[]"}},
      {"2+1[]", {packet_type::event, 0, "/", {}, "+1[]"}},
      {"21.5[]", {packet_type::event, 0, "/", 1, ".5[]"}},
      {"20x1[]", {packet_type::event, 0, "/", 0, "x1[]"}},
      {"21e0[]", {packet_type::event, 0, "/", 1, "e0[]"}},
      {"21 [\"e\"]", {packet_type::event, 0, "/", 1, " [\"e\"]"}},
      {"2a,1[]", {packet_type::event, 0, "/", {}, "a,1[]"}},
      {"21-[]", {packet_type::event, 0, "/", 1, "-[]"}},
      {"313[]", {packet_type::ack, 0, "/", 13, "[]"}},
      {"3[]", {packet_type::ack, 0, "/", {}, "[]"}},
      {"4{}", {packet_type::connect_error, 0, "/", {}, "{}"}},
      {"4/a,\"no\"", {packet_type::connect_error, 0, "/a", {}, "\"no\""}},
      {"50-[]", {packet_type::binary_event, 0, "/", {}, "[]"}},
      {"51-[]", {packet_type::binary_event, 1, "/", {}, "[]"}},
      {"51-", {packet_type::binary_event, 1, "/", {}, ""}},
      {"509-[]", {packet_type::binary_event, 9, "/", {}, "[]"}},
      {"510-[]", {packet_type::binary_event, 10, "/", {}, "[]"}},
      {"51-/a,45[]", {packet_type::binary_event, 1, "/a", 45, "[]"}},
      {"51-45[]", {packet_type::binary_event, 1, "/", 45, "[]"}},
      {"51-1-[]", {packet_type::binary_event, 1, "/", 1, "-[]"}},
      {"61-15[]", {packet_type::binary_ack, 1, "/", 15, "[]"}},
      {"61-[]", {packet_type::binary_ack, 1, "/", {}, "[]"}},
  };
  for (auto const& row : rows) {
    CAPTURE(row.text);
    packet_head head;
    head.attachments = 77;  // nothing stays of what was in it
    head.id = 77;
    CHECK(read_head(row.text, max_attachments, head) == errc{});
    CHECK(equal(head, row.head));
    // What is read is written, and reads the same.
    std::string const again = write(row.head);
    if (row.head.data.empty() || row.head.id || row.head.nsp != "/") {
      CHECK(read_head(again, max_attachments, head) == errc{});
      CHECK(equal(head, row.head));
    }
  }
}

TEST_CASE("head: what is refused", "[codec][sio]") {
  for (std::string_view const bad :
       {"", " ", "\n", "a", "7", "8", "9[\"a\"]", "-1", "/", "+2", "\0", "\xd9\xa2",
        // Counts.
        "5", "6", "5-", "6-[]", "5-[]", "51", "51[]", "51,", "5[]", "5 1-[]", "5+1-[]", "51e0-[]",
        "50x1-[]", "51.5-[]", "5abc-[]", "51 -[]", "5-1-[]", "5100-[]", "5001-[]", "510", "500",
        "599999999999-[]", "5/a,1-[]", "51\x00-[]",
        // Ids.
        "29007199254740992[]", "29999999999999999[]", "200000000000000001[]",
        "299999999999999999999[]", "2/a,90071992547409920[]",
        // Ids where there are none.
        "012{}", "0/a,1{}", "11", "1/a,1", "40", "4/a,1{}"}) {
    CAPTURE(bad);
    CHECK(read(bad) == errc::bad_packet);
  }
}

TEST_CASE("head: limits", "[codec][sio]") {
  for (std::size_t const max : {std::size_t{0}, std::size_t{1}, std::size_t{10}, std::size_t{99}}) {
    for (std::size_t count = max == 0 ? 0 : max - 1; count <= max + 1; ++count) {
      for (char const type : {'5', '6'}) {
        CAPTURE(max, count, type);
        packet_head head;
        auto const expected = count > 99    ? errc::bad_packet
                              : count > max ? errc::too_many_attachments
                                            : errc{};
        CHECK(read_head(type + std::to_string(count) + "-[]", max, head) == expected);
      }
    }
  }
  for (std::size_t const size : {127u, 128u, 129u, 1'000'000u}) {
    std::string const name = "/" + std::string(size - 1, 'x');
    errc const expected = size <= sio::max_namespace_size ? errc{} : errc::bad_packet;
    CAPTURE(size);
    CHECK(read("2" + name + ",[\"e\"]") == expected);
    CHECK(read("2" + name) == expected);
    CHECK(read("51-" + name + ",1[\"e\"]") == expected);
  }
}

TEST_CASE("head: long garbage takes no time", "[codec][sio]") {
  auto const start = std::chrono::steady_clock::now();
  for (std::string text : {std::string(1'000'000, '9'), "51-" + std::string(1'000'000, '/'),
                           "2/a," + std::string(1'000'000, '0')}) {
    for (char const type : {'0', '2', '5'}) {
      if (text[0] == '9') text[0] = type;
      for (int i = 0; i < 1000; ++i) {
        packet_head head;
        if (read_head(text, max_attachments, head) != errc::bad_packet) FAIL(text.substr(0, 9));
      }
    }
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("head: every way to write one is read", "[codec][sio]") {
  std::optional<std::uint64_t> const ids[] = {std::nullopt, 0, 9, 10, 12'345, sio::max_id};
  for (int type = 0; type <= 6; ++type) {
    for (std::uint32_t attachments = 0; attachments <= 99; ++attachments) {
      packet_head head;
      head.type = static_cast<packet_type>(type);
      if (!sio::is_binary(head.type) && attachments > 0) break;
      head.attachments = attachments;
      for (auto const name : {"/", "/a", "/chat/room?x=1"}) {
        for (auto const& id : ids) {
          if (id && !sio::takes_id(head.type)) continue;
          head.nsp = name;
          head.id = id;
          head.data = "[\"e\"]";
          std::string const text = write(head);
          packet_head again;
          CAPTURE(text);
          CHECK(read_head(text, 99, again) == errc{});
          CHECK(equal(again, head));
        }
      }
    }
  }
}

TEST_CASE("head: written behind what is in the buffer", "[codec][sio]") {
  byte_buffer out;
  out.append(as_bytes("4"));
  sio::write_head(out, packet_type::binary_event, 2, "/admin", 18'446'744'073'709'551'615u);
  CHECK(as_text(out.view()) == "452-/admin,18446744073709551615");
  out.clear();
  sio::write_head(out, packet_type::event, 3, "", std::nullopt);  // no attachments, no namespace
  CHECK(as_text(out.view()) == "2");
  out.clear();
  std::string const name = "/" + std::string(2000, 'n');
  sio::write_head(out, packet_type::disconnect, 0, name, std::nullopt);
  CHECK(as_text(out.view()) == "1" + name + ",");
}

TEST_CASE("events: reserved names", "[codec][sio]") {
  for (auto const name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener",
                          "removeListener", "error"}) {
    CHECK(sio::is_reserved_event(name));
  }
  for (auto const name : {"", "Connect", "connect ", "connection", "errors", "newlistener",
                          "message", "disconnectin"}) {
    CHECK_FALSE(sio::is_reserved_event(name));
  }
}
