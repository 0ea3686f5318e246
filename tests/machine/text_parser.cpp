// The text parser as a whole: the golden vectors both ways, attachments one by one and of several
// peers at once, limits, and that the time is linear.
#include <hawser/machine/text_parser.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/sio/differences.hpp"
#include "machine/parsing.hpp"
#include "support/fixture_json.hpp"

using namespace hawser;
using namespace hawser_test;
using simdjson::dom::element;

namespace {

bool has(element from, char const* key, element& found) {
  return from[key].get(found) == simdjson::SUCCESS;
}

kept_packet packet_of(element from) {
  kept_packet made;
  made.type = static_cast<sio::packet_type>(std::int64_t(from["type"]));
  made.nsp = std::string(std::string_view(from["nsp"]));
  element found;
  if (has(from, "id", found)) {
    // Ids that JavaScript rounds are no integers here.
    made.id = found.is_uint64() || found.is_int64() ? std::uint64_t(found) : ~std::uint64_t{0};
  }
  if (has(from, "data", found)) made.data = json_of(found);
  return made;
}

// A tree of the encoding vectors, which has more than JSON: written as JavaScript writes it. Binary
// has to stay until the packet has left.
struct written_tree {
  element root;
  mutable std::deque<std::string> binaries{};
};

void write_tree(value_writer& out, written_tree const& of, element from) {
  using simdjson::dom::element_type;
  element found;
  if (from.is_object()) {
    std::string bytes;
    if (binary_of(from, bytes)) {
      return out.binary(as_bytes(of.binaries.emplace_back(std::move(bytes))));
    }
    if (has(from, "$undefined", found)) return out.null();
    if (has(from, "$date", found)) return out.string(std::string_view(found));
    if (has(from, "$number", found)) {
      std::string_view const name(found);
      if (name == "-0") return out.number(-0.0);
      return out.number(name == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                                      : std::numeric_limits<double>::infinity());
    }
    std::size_t count = 0;
    for (auto const one : from.get_object()) count += has(one.value, "$undefined", found) ? 0 : 1;
    out.begin_object(count);
    for (auto const one : from.get_object()) {
      if (has(one.value, "$undefined", found)) continue;
      out.key(one.key);
      write_tree(out, of, one.value);
    }
    return out.end_object();
  }
  switch (from.type()) {
    case element_type::NULL_VALUE: return out.null();
    case element_type::BOOL: return out.boolean(bool(from));
    case element_type::INT64: return out.integer(std::int64_t(from));
    case element_type::UINT64: return out.unsigned_integer(std::uint64_t(from));
    case element_type::DOUBLE: return out.number(double(from));
    case element_type::STRING: return out.string(std::string_view(from));
    default: break;
  }
  out.begin_array(from.get_array().size());
  for (element const one : from.get_array()) write_tree(out, of, one);
  out.end_array();
}

std::string const one_attachment = R"(51-["e",{"_placeholder":true,"num":0}])";

std::string announcing(std::size_t count) {
  std::string text = "5" + std::to_string(count) + "-[\"e\"";
  for (std::size_t i = 0; i < count; ++i) {
    text += R"(,{"_placeholder":true,"num":)" + std::to_string(i) + '}';
  }
  return text + ']';
}

errc error_of(std::string_view text, packet_limits const& limits = {}) {
  text_parser parser(limits);
  return decode_all(parser, {{false, std::string(text)}}).error;
}

}  // namespace

TEST_CASE("text parser: what the reference decodes", "[machine][text_parser]") {
  difference_check table("sio-decode.");
  difference_check own("parser.sio-decode.");
  std::size_t const count = for_each_fixture("wire-sio-decode.jsonl", [&](auto name, auto line) {
    packet_limits limits;
    std::uint64_t most = 0;
    if (line["decoder_opts"]["maxAttachments"].get(most) == simdjson::SUCCESS) {
      limits.max_attachments = static_cast<std::size_t>(most);
    }
    text_parser parser(limits);
    auto const frames = frames_of(line);
    kept_packets const ours = decode_all(parser, frames);
    kept_packets theirs;
    for (element const one : line["packets"].get_array()) theirs.packets.push_back(packet_of(one));
    theirs.is_waiting = bool(line["awaiting_attachments"]);
    bool const same = (ours.error == errc{}) == bool(line["accepted"]) &&
                      ours.packets == theirs.packets && ours.is_waiting == theirs.is_waiting;
    if (std::string const mine = "parser." + name; own.has(mine)) {
      own.note(mine, same, ours.error);
    } else {
      table.note(name, same, ours.error);
    }
    // Where it lies makes no difference, nor what the parser had before.
    CHECK(decode_all(parser, frames, true) == ours);
    text_parser fresh(limits);
    CHECK(decode_all(fresh, frames, true) == ours);
  });
  CHECK(count == 120);
  table.finish();
  own.finish();
}

TEST_CASE("text parser: what the reference encodes", "[machine][text_parser]") {
  difference_check table("sio-encode.");
  text_parser parser{packet_limits{}};
  std::size_t const count = for_each_fixture("wire-sio-encode.jsonl", [&](auto name, auto line) {
    element const from = line["packet"];
    outgoing_packet what{.type = static_cast<sio::packet_type>(std::int64_t(from["type"])),
                         .nsp = std::string_view(from["nsp"])};
    element found;
    if (has(from, "id", found)) what.id = std::uint64_t(found);
    written_tree tree{.root = from};
    if (has(from, "data", tree.root)) {
      what.payload = {[](void const* self, value_writer& out, std::string_view) {
                        auto const& all = *static_cast<written_tree const*>(self);
                        write_tree(out, all, all.root);
                      },
                      &tree};
    }
    auto const ours = encode(parser, what);
    auto const theirs = frames_of(line);
    bool same = ours.size() == theirs.size();
    for (std::size_t i = 0; same && i < ours.size(); ++i) {
      // The first is an Engine.IO message, too.
      std::string const expected = (i == 0 ? "4" : "") + theirs[i].bytes;
      same = ours[i].binary == theirs[i].binary && ours[i].bytes == expected;
    }
    table.note(name, same, errc{});
  });
  CHECK(count == 22);
  table.finish();
}

TEST_CASE("text parser: what it writes it reads", "[machine][text_parser]") {
  text_parser parser{packet_limits{}};
  json const binary(as_bytes("\x01\x02"));
  json const payloads[] = {json::array({"e"}),
                           json::array({"e", 1, nullptr, json::object({{"a", binary}}), binary}),
                           json::array({7, "x"}), json::array({"", std::string(100'000, 'x')})};
  std::optional<std::uint64_t> const ids[] = {std::nullopt, 0, sio::max_id};
  for (auto const& payload : payloads) {
    for (auto const& id : ids) {
      for (std::string const& nsp : {std::string("/"), "/" + std::string(127, 'n')}) {
        for (auto const type : {sio::packet_type::event, sio::packet_type::ack}) {
          kept_packet const packet{type, nsp, id, payload};
          auto frames =
              encode(parser, {.type = type, .nsp = nsp, .id = id, .payload = source_of(payload)});
          frames.front().bytes.erase(0, 1);
          CHECK(decode_all(parser, frames) == kept_packets{{packet}, {}, false});
        }
      }
    }
  }
  auto const offset = encode(parser, {.payload = source_of(payloads[0]), .offset = "o1"});
  CHECK(offset.front().bytes == R"(42["e","o1"])");
  CHECK(encode(parser, {.type = sio::packet_type::disconnect}).front().bytes == "41");
}

TEST_CASE("text parser: attachments of several peers, one by one", "[machine][text_parser]") {
  text_parser parser{packet_limits{}};
  std::vector<text_parser::peer> peers(10);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    std::size_t const count = i + 1;
    auto const said = decode(parser, peers[i], {false, announcing(count)});
    REQUIRE(said.status == parse_status::need_more);
    REQUIRE(peers[i].is_waiting());
  }
  // Round and round: each waits for one more than the one before it.
  for (std::size_t turn = 0; turn < peers.size(); ++turn) {
    for (std::size_t i = turn; i < peers.size(); ++i) {
      std::string const bytes = std::to_string(i) + ':' + std::to_string(turn);
      auto const said = decode(parser, peers[i], {true, bytes});
      if (i > turn) {
        REQUIRE(said.status == parse_status::need_more);
        continue;
      }
      REQUIRE(said.status == parse_status::packet);
      CHECK_FALSE(peers[i].is_waiting());
      REQUIRE(said.packet.data->size() == turn + 2);
      for (std::size_t k = 0; k <= turn; ++k) {
        auto const one = (*said.packet.data)[k + 1].binary();
        REQUIRE(one);
        CHECK(as_text(*one) == std::to_string(i) + ':' + std::to_string(k));
      }
      // It goes on with a packet of any kind.
      CHECK(decode(parser, peers[i], {false, "2[\"next\"]"}).status == parse_status::packet);
    }
  }
}

TEST_CASE("text parser: nothing comes between a packet and its attachments",
          "[machine][text_parser]") {
  text_parser parser{packet_limits{}};
  auto const error = [&](std::vector<fixture_frame> const& frames) {
    return decode_all(parser, frames).error;
  };
  CHECK(error({{true, "x"}}) == errc::bad_attachments);
  CHECK(error({{true, ""}}) == errc::bad_attachments);
  CHECK(error({{false, one_attachment}, {false, "2[\"e\"]"}}) == errc::bad_attachments);
  CHECK(error({{false, one_attachment}, {false, ""}}) == errc::bad_attachments);
  CHECK(error({{false, one_attachment}, {true, "x"}, {true, "x"}}) == errc::bad_attachments);
  CHECK(error({{false, "50-[\"e\"]"}, {true, "x"}}) == errc::bad_attachments);
  CHECK(error({{false, one_attachment}, {true, ""}}) == errc{});
}

TEST_CASE("text parser: a packet that will be none keeps nothing", "[machine][text_parser]") {
  for (std::string_view const text :
       {R"(51-["e"])", R"(51-["e",{"_placeholder":true,"num":1}])", R"(51-{"_placeholder":true})",
        R"(51-["connect",{"_placeholder":true,"num":0}])", "51-", "51-[",
        R"(52-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])", R"(511-["e"])",
        R"(5-["e"])"}) {
    CAPTURE(text);
    text_parser parser{packet_limits{}};
    text_parser::peer peer;
    CHECK(decode(parser, peer, {false, std::string(text)}).status == parse_status::violation);
    CHECK_FALSE(peer.is_waiting());
  }
}

TEST_CASE("text parser: limits", "[machine][text_parser]") {
  packet_limits limits;
  for (std::size_t const most : {0u, 1u, 3u, 99u}) {
    limits.max_attachments = most;
    CHECK(error_of(announcing(most), limits) == errc{});
    CHECK(error_of(announcing(most + 1), limits) ==
          (most < 99 ? errc::too_many_attachments : errc::bad_packet));
  }

  limits = {};
  limits.max_event_name = 4;
  CHECK(error_of("2[\"four\"]", limits) == errc{});
  CHECK(error_of("2[\"fiver\"]", limits) == errc::bad_event_name);
  limits.values.max_depth = 2;
  CHECK(error_of("2[\"e\",[1]]", limits) == errc{});
  CHECK(error_of("2[\"e\",[[1]]]", limits) == errc::too_deep);
  CHECK(error_of("0{\"a\":{\"b\":{}}}", limits) == errc::too_deep);
  CHECK(error_of("2/" + std::string(127, 'n') + ",[\"e\"]", limits) == errc{});
  CHECK(error_of("2/" + std::string(128, 'n') + ",[\"e\"]", limits) == errc::bad_packet);
}

TEST_CASE("text parser: bytes of a packet count with its text", "[machine][text_parser]") {
  std::string const text = announcing(2);
  for (std::size_t const spare : {0u, 1u, 10u}) {
    packet_limits limits;
    limits.max_attachment_bytes = text.size() + spare;
    text_parser parser(limits);
    auto const said = [&](std::size_t first, std::size_t second) {
      return decode_all(
          parser,
          {{false, text}, {true, std::string(first, 'x')}, {true, std::string(second, 'x')}});
    };
    CHECK(said(0, spare).error == errc{});
    CHECK(said(spare, 0).error == errc{});
    CHECK(said(spare / 2, spare - spare / 2).packets.size() == 1);
    CHECK(said(spare + 1, 0).error == errc::message_too_big);
    CHECK(said(0, spare + 1).error == errc::message_too_big);
    CHECK(said(spare, 1).error == errc::message_too_big);
  }
  packet_limits limits;
  limits.max_attachment_bytes = text.size() - 1;
  CHECK(error_of(text, limits) == errc::message_too_big);
  CHECK(error_of("2[\"" + std::string(text.size(), 'x') + "\"]", limits) == errc{});
}

TEST_CASE("text parser: every beginning of a packet is a packet or a violation",
          "[machine][text_parser]") {
  std::string const whole = R"(2/chat,17["name",{"a":[1,2.5,-3e4,true,null,"\u00e9\n"]},"end"])";
  std::size_t good = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    text_parser parser{packet_limits{}};
    for (bool const padded : {false, true}) {
      text_parser::peer peer;
      auto const said = decode(parser, peer, {false, whole.substr(0, size)}, padded);
      REQUIRE(said.status != parse_status::need_more);
      good += said.status == parse_status::packet ? 1 : 0;
    }
  }
  CHECK(good == 2);
}

TEST_CASE("text parser: the time is linear", "[machine][text_parser]") {
  auto const start = std::chrono::steady_clock::now();
  packet_limits limits;
  limits.max_attachment_bytes = 100'000'000;
  limits.max_attachments = 99;
  text_parser parser(limits);
  std::string const megabyte(1'000'000, 'x');
  for (int i = 0; i < 3; ++i) {
    // Large texts, much that is announced, attachments that are large, and many that are small.
    CHECK(decode_all(parser, {{false, "2[\"" + megabyte + "\"]"}}).error == errc::bad_event_name);
    CHECK(decode_all(parser, {{false, "2[\"e\",\"" + megabyte + "\"]"}}).packets.size() == 1);
    CHECK(decode_all(parser, {{false, "2/" + megabyte}}).error == errc::bad_packet);
    CHECK(decode_all(parser, {{false, "2" + std::string(1'000'000, '1')}}).error ==
          errc::bad_packet);
    CHECK(decode_all(parser, {{false, "2" + std::string(1'000'000, '[')}}).error != errc{});
    std::vector<fixture_frame> frames{{false, announcing(99)}};
    for (int k = 0; k < 99; ++k) frames.push_back({true, megabyte.substr(0, 100'000)});
    CHECK(decode_all(parser, frames).packets.size() == 1);
  }
  std::vector<fixture_frame> small;
  for (int i = 0; i < 5'000; ++i) {
    small.push_back({false, one_attachment});
    small.push_back({true, "x"});
  }
  CHECK(decode_all(parser, small).packets.size() == 5'000);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}
