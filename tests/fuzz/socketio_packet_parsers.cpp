// Feeds messages of two peers to Socket.IO's parsers: peers don't see each other, what comes out is
// sound, and what is written from it reads the same.
#include <hawser/machine/msgpack_parser.hpp>
#include <hawser/machine/text_parser.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "values.hpp"

using namespace hawser_fuzz;
using hawser::incoming_packet;
using hawser::message;
using hawser::message_kind;
using hawser::outgoing_packet;
using hawser::packet_limits;
using hawser::parse_status;
namespace sio = hawser::sio;

namespace {

packet_limits numbers_for(std::uint8_t seed) {
  packet_limits made{.values = limits_for(seed)};
  if ((seed & 4) != 0) {
    made.max_attachments = 2;
    made.max_attachment_bytes = 100;
    made.max_event_name = 5;
  }
  return made;
}

/// What came of a message, kept: the parser is asked again before it is looked at.
struct outcome {
  parse_status status{};
  errc error{};
  sio::packet_type type{};
  std::string nsp, data;
  std::optional<std::uint64_t> id;
  bool waits = false;
  bool operator==(outcome const&) const = default;
};

hawser::payload_source source_of(value const& what) {
  return {[](void const* self, hawser::value_writer& out, std::string_view) {
            write_value(out, *static_cast<value const*>(self));
          },
          &what};
}

template <class Parser>
std::optional<outcome> read_again(hawser::encoded_packet const& what) {
  Parser parser(packet_limits{.values = {.max_depth = SIZE_MAX, .max_values = SIZE_MAX},
                              .max_attachments = 99,
                              .max_attachment_bytes = SIZE_MAX});
  typename Parser::peer peer;
  bool const text = what.kind == message_kind::text;
  incoming_packet packet;
  // Text begins with the type character of Engine.IO.
  auto said = parser.decode(peer, {what.kind, what.main.subspan(text ? 1 : 0)}, false, packet);
  for (auto const one : what.attachments) {
    require(said == parse_status::need_more && peer.is_waiting());
    said = parser.decode(peer, {message_kind::binary, one}, false, packet);
  }
  if (said != parse_status::packet) return std::nullopt;
  return outcome{
      said,      {},   packet.type, std::string(packet.nsp), hawser::json(packet.data).dump(),
      packet.id, false};
}

/// One peer, that may have to share its parser.
template <class Parser>
class reader {
 public:
  outcome read(Parser& parser, packet_limits const& limits, message const& what, bool padded) {
    incoming_packet packet;
    outcome made;
    made.status = parser.decode(peer_, what, padded, packet);
    made.waits = peer_.is_waiting();
    switch (made.status) {
      case parse_status::need_more: require(made.waits); break;
      case parse_status::violation:
        made.error = parser.error();
        require(made.error != errc{});
        is_over = true;
        break;
      case parse_status::packet:
        require(!made.waits);
        keep(made, packet, limits);
        write_again(made, packet);
    }
    return made;
  }

  bool is_over = false;

 private:
  static void keep(outcome& to, incoming_packet const& packet, packet_limits const& limits) {
    to.type = packet.type;
    to.nsp = packet.nsp;
    to.id = packet.id;
    to.data = hawser::json(packet.data).dump();
    require(packet.nsp.starts_with('/') && packet.nsp.size() <= sio::max_namespace_size);
    require(!sio::is_binary(packet.type) && (!packet.id || sio::takes_id(packet.type)));
    if (!packet.data.exists()) return;
    // MessagePack's limits are those of the map around it.
    std::size_t count = 0;
    require_sound(packet.data, 0, limits.values, count);
    if (packet.type != sio::packet_type::event) return;
    value const name = packet.data[0];
    require(name.string() || name.integer() || name.unsigned_integer());
    if (auto const text = name.string()) require(text->size() <= limits.max_event_name);
  }

  // In either format it reads the same again.
  static void write_again(outcome const& made, incoming_packet const& packet) {
    outgoing_packet out{.type = packet.type, .nsp = packet.nsp, .id = packet.id};
    if (packet.data.exists()) out.payload = source_of(packet.data);
    outcome const expected{
        parse_status::packet, {}, made.type, made.nsp, made.data, made.id, false};
    hawser::msgpack_parser packed({});
    require(read_again<hawser::msgpack_parser>(packed.encode(out)) == expected);
    // A comma ends a namespace in text, and a value of its own may look like a placeholder.
    if (made.nsp.find(',') != std::string::npos) return;
    if (made.data.find("_placeholder") != std::string::npos) return;
    hawser::text_parser text({});
    auto const encoded = text.encode(out);
    require(encoded.kind == message_kind::text && encoded.main[0] == std::byte{'4'});
    if (encoded.attachments.size() < 100) {
      require(read_again<hawser::text_parser>(encoded) == expected);
    }
  }

  typename Parser::peer peer_;
};

// Each message: a byte (which peer, which kind, whether it is padded) and its size.
template <class Parser>
void play(std::uint8_t seed, std::string_view rest) {
  auto const limits = numbers_for(seed);
  Parser shared(limits);
  std::array<Parser, 2> own{Parser(limits), Parser(limits)};
  std::array<reader<Parser>, 2> sharing, alone;
  while (rest.size() >= 2) {
    auto const how = static_cast<std::uint8_t>(rest[0]);
    std::size_t const wanted = static_cast<std::uint8_t>(rest[1]) + ((how & 8) != 0 ? 256u : 0u);
    auto const content = rest.substr(2, wanted);
    rest.remove_prefix(2 + content.size());
    std::size_t const who = how & 1;
    if (sharing[who].is_over) continue;
    auto const kind = (how & 2) != 0 ? message_kind::binary : message_kind::text;
    // Whoever carries texts sees to it that they are UTF-8.
    if (kind == message_kind::text && !hawser::codec::is_utf8(hawser::as_bytes(content))) continue;
    bool const padded = (how & 4) != 0;
    // Exactly as long as it is promised to be, and gone once the packet is read.
    auto const said = [&](reader<Parser>& peer, Parser& parser) {
      std::vector<std::byte> bytes(content.size() + (padded ? hawser::json_parser::padding : 0));
      if (!content.empty()) std::memcpy(bytes.data(), content.data(), content.size());
      return peer.read(parser, limits, {kind, {bytes.data(), content.size()}}, padded);
    };
    require(said(sharing[who], shared) == said(alone[who], own[who]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const rest(reinterpret_cast<char const*>(data) + 1, size - 1);
  if ((data[0] & 128) != 0) {
    play<hawser::msgpack_parser>(data[0], rest);
  } else {
    play<hawser::text_parser>(data[0], rest);
  }
  return 0;
}
