// Feeds arbitrary texts to the reader of Socket.IO heads and holds it against the grammar, written
// out plainly; then head, JSON and payload together.
#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/sio/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hawser;

void require(bool holds) {
  if (!holds) std::abort();
}

/// An id as a number, -1 for none.
std::int64_t id_of(sio::packet_head const& head) {
  return head.id ? static_cast<std::int64_t>(*head.id) : -1;
}

/// Takes digits from the front.
std::string digits(std::string_view& text) {
  std::size_t const end = text.find_first_not_of("0123456789");
  std::string taken(text.substr(0, end));
  text.remove_prefix(taken.size());
  return taken;
}

errc plain(std::string_view text, std::size_t max, sio::packet_head& head, std::int64_t& number) {
  if (text.empty() || std::string_view("0123456").find(text[0]) == std::string_view::npos) {
    return errc::bad_packet;
  }
  int const type = text[0] - '0';
  head.type = static_cast<sio::packet_type>(type);
  text.remove_prefix(1);
  if (type >= 5) {
    std::string const count = digits(text);
    if (count.empty() || count.size() > 2 || !text.starts_with('-')) return errc::bad_packet;
    head.attachments = static_cast<std::uint32_t>(std::atoi(count.c_str()));
    if (head.attachments > max) return errc::too_many_attachments;
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    std::size_t const comma = text.find(',');
    head.nsp = text.substr(0, comma);
    if (head.nsp.size() > 128) return errc::bad_packet;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  std::string const id = digits(text);
  if (!id.empty()) {
    if (type == 0 || type == 1 || type == 4 || id.size() > 16) return errc::bad_packet;
    number = std::strtoll(id.c_str(), nullptr, 10);
    if (number > 9'007'199'254'740'991) return errc::bad_packet;
  }
  head.data = text;
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t const max = data[0];
  std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);
  sio::packet_head head, expected;
  std::int64_t expected_id = -1;
  errc const error = sio::read_head(text, max, head);
  require(error == plain(text, max, expected, expected_id));
  if (error != errc{}) return 0;
  require(head.type == expected.type && head.attachments == expected.attachments);
  require(head.nsp == expected.nsp && id_of(head) == expected_id && head.data == expected.data);

  // Written, it reads the same; but data that begin like a part of the head need one before them.
  byte_buffer out;
  sio::write_head(out, head.type, head.attachments, head.nsp, head.id);
  out.append(as_bytes(head.data));
  require(out.size() <= size + 1);
  char const first = head.data.empty() ? '[' : head.data.front();
  if (first != '/' && (first < '0' || first > '9')) {
    sio::packet_head again;
    require(sio::read_head(as_text(out.view()), max, again) == errc{});
    require(again.type == head.type && again.attachments == head.attachments);
    require(again.nsp == head.nsp && id_of(again) == expected_id && again.data == head.data);
  }

  json_parser parser;
  value_tape tape;
  if (!head.data.empty()) {
    std::vector<bytes_view> const attachments(head.attachments, as_bytes("attachment"));
    errc const bad = sio::is_binary(head.type) ? parser.parse(head.data, attachments, {}, tape)
                                               : parser.parse(head.data, {}, tape);
    if (bad != errc{}) return 0;
  }
  if (sio::check_payload(head.type, tape.root()) != errc{}) return 0;
  if (head.type != sio::packet_type::event && head.type != sio::packet_type::binary_event) return 0;
  value const name = tape.root()[0];
  require(name.string() || name.number());
  if (auto const named = name.string()) {
    require(named->size() <= 256 && !sio::is_reserved_event(*named));
  }
  return 0;
}
