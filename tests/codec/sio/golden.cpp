// What the reference's decoder makes of messages, held against ours the whole way: head, JSON with
// its attachments, payload.
#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/sio/payload.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/sio/differences.hpp"
#include "support/fixtures.hpp"

using namespace hawser;
using namespace hawser_test;
using simdjson::dom::element;

namespace {

// One whole packet, with what its values are views of.
struct decoded {
  sio::packet_head head;
  std::string text;
  std::vector<std::string> attachments;
  json_parser parser;
  value_tape tape;

  errc finish() {
    if (!head.data.empty()) {
      std::vector<bytes_view> views;
      for (auto const& bytes : attachments) views.push_back(as_bytes(bytes));
      // In a packet that isn't binary a placeholder is an object like any other.
      errc const error = sio::is_binary(head.type) ? parser.parse(head.data, views, {}, tape)
                                                   : parser.parse(head.data, {}, tape);
      if (error != errc{}) return error;
    }
    return sio::check_payload(head.type, tape.root());
  }
};

struct decoding {
  std::vector<std::unique_ptr<decoded>> packets;
  bool awaiting = false;
  errc error{};
};

decoding decode(std::vector<fixture_frame> const& frames, std::size_t max_attachments) {
  decoding all;
  std::unique_ptr<decoded> open;
  for (auto const& frame : frames) {
    if (frame.binary != (open != nullptr)) {
      all.error = errc::bad_attachments;
      return all;
    }
    if (open) {
      open->attachments.push_back(frame.bytes);
    } else {
      open = std::make_unique<decoded>();
      open->text = frame.bytes;
      all.error = sio::read_head(open->text, max_attachments, open->head);
    }
    if (all.error == errc{} && open->attachments.size() == open->head.attachments) {
      all.error = open->finish();
      if (all.error == errc{}) all.packets.push_back(std::move(open));
    }
    if (all.error != errc{}) return all;
  }
  all.awaiting = open != nullptr;
  return all;
}

bool equal(value const& ours, element theirs);

bool equal_members(value const& ours, simdjson::dom::object theirs) {
  std::size_t keys = 0;
  for (auto const member : theirs) {
    ++keys;
    if (!equal(ours[member.key], member.value)) return false;
  }
  // Duplicates are on the tape once more, and none of them is a key of its own.
  for (auto const member : ours.members()) {
    if (theirs[member.key].error() != simdjson::SUCCESS) return false;
  }
  return ours.size() >= keys;
}

bool equal(value const& ours, element theirs) {
  std::string bytes;
  if (theirs.is_object() && binary_of(theirs, bytes)) {
    auto const binary = ours.binary();
    return binary && as_text(*binary) == bytes;
  }
  switch (theirs.type()) {
    case simdjson::dom::element_type::NULL_VALUE: return ours.is_null();
    case simdjson::dom::element_type::BOOL: return ours.boolean() == bool(theirs);
    case simdjson::dom::element_type::STRING: return ours.string() == std::string_view(theirs);
    case simdjson::dom::element_type::OBJECT:
      return ours.kind() == value_kind::object && equal_members(ours, theirs.get_object());
    case simdjson::dom::element_type::ARRAY: {
      auto const array = theirs.get_array().value();
      if (ours.kind() != value_kind::array || ours.size() != array.size()) return false;
      std::size_t at = 0;
      for (element const each : array) {
        if (!equal(ours[at++], each)) return false;
      }
      return true;
    }
    default: {
      auto const number = ours.number();
      return number && !(*number < double(theirs)) && !(*number > double(theirs));
    }
  }
}

bool equal(decoded const& ours, element theirs) {
  // The reference tells a binary packet as one of the plain type.
  auto const type =
      static_cast<std::int64_t>(ours.head.type) - (sio::is_binary(ours.head.type) ? 3 : 0);
  if (type != std::int64_t(theirs["type"])) return false;
  if (ours.head.nsp != std::string_view(theirs["nsp"])) return false;
  std::uint64_t id = 0;
  element found;
  bool const has_id = theirs["id"].get(found) == simdjson::SUCCESS;
  if (has_id != ours.head.id.has_value()) return false;
  if (has_id && (found.get(id) != simdjson::SUCCESS || id != *ours.head.id)) return false;
  if (theirs["data"].get(found) != simdjson::SUCCESS) return !ours.tape.root().exists();
  return equal(ours.tape.root(), found);
}

}  // namespace

TEST_CASE("golden: what the reference decodes", "[codec][sio]") {
  difference_check table("sio-decode.");
  std::size_t const count = for_each_fixture("wire-sio-decode.jsonl", [&](auto name, auto line) {
    std::uint64_t max = 0;
    if (line["decoder_opts"]["maxAttachments"].get(max) != simdjson::SUCCESS) max = 10;
    auto const ours = decode(frames_of(line), static_cast<std::size_t>(max));
    auto const packets = line["packets"].get_array().value();
    bool same = (ours.error == errc{}) == bool(line["accepted"]) &&
                ours.awaiting == bool(line["awaiting_attachments"]) &&
                ours.packets.size() == packets.size();
    std::size_t at = 0;
    for (element const packet : packets) same = same && equal(*ours.packets[at++], packet);
    table.note(name, same, ours.error);
  });
  CHECK(count == 120);
  table.finish();
}
