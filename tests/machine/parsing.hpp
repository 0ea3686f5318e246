// Packets through the parsers, with every buffer exactly as long as it says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/value/json.hpp>
#include <hawser/machine/packet_parser.hpp>

#include "support/fixtures.hpp"

namespace hawser_test {

/// A packet that owns what is in it.
struct kept_packet {
  hawser::sio::packet_type type{};
  std::string nsp = "/";
  std::optional<std::uint64_t> id{};
  std::optional<hawser::json> data{};

  bool operator==(kept_packet const& other) const {
    return type == other.type && nsp == other.nsp && id == other.id && data == other.data;
  }
};

struct decoded {
  hawser::parse_status status{};
  kept_packet packet{};
};

/// Decodes a message in memory of its own, so that sanitizers see what is read behind it; `padded`:
/// with as much behind it as a parser may read then.
template <class Parser>
decoded decode(Parser& parser, typename Parser::peer& of, fixture_frame const& what,
               bool padded = false) {
  std::size_t const size = what.bytes.size();
  auto const copy = std::make_unique<char[]>(size + (padded ? 64 : 0));
  std::copy_n(what.bytes.data(), size, copy.get());
  auto const kind = what.binary ? hawser::message_kind::binary : hawser::message_kind::text;
  hawser::incoming_packet out;
  decoded made;
  made.status =
      parser.decode(of, {kind, hawser::as_bytes(std::string_view(copy.get(), size))}, padded, out);
  if (made.status == hawser::parse_status::packet) {
    made.packet = {out.type, std::string(out.nsp), out.id, std::nullopt};
    if (out.data.exists()) made.packet.data.emplace(out.data);
  }
  return made;
}

/// What came of some messages, up to the first violation.
struct kept_packets {
  std::vector<kept_packet> packets{};
  hawser::errc error{};
  bool is_waiting = false;

  bool operator==(kept_packets const&) const = default;
};

template <class Parser>
kept_packets decode_all(Parser& parser, std::vector<fixture_frame> const& frames,
                        bool padded = false) {
  kept_packets all;
  typename Parser::peer peer;
  for (auto const& frame : frames) {
    decoded one = decode(parser, peer, frame, padded);
    if (one.status == hawser::parse_status::violation) {
      all.error = parser.error();
      return all;
    }
    if (one.status == hawser::parse_status::packet) all.packets.push_back(std::move(one.packet));
  }
  all.is_waiting = peer.is_waiting();
  return all;
}

/// A tree as what a packet carries; an offset goes behind its elements.
inline hawser::payload_source source_of(hawser::json const& what) {
  return {[](void const* self, hawser::value_writer& out, std::string_view offset) {
            auto const& tree = *static_cast<hawser::json const*>(self);
            if (offset.empty()) return hawser::write_value(out, tree);
            out.begin_array(tree.size() + 1);
            for (auto const& one : tree.elements()) hawser::write_value(out, one);
            out.string(offset);
            out.end_array();
          },
          &what};
}

/// The messages of a packet, as they leave.
template <class Parser>
std::vector<fixture_frame> encode(Parser& parser, hawser::outgoing_packet const& what) {
  hawser::encoded_packet const made = parser.encode(what);
  std::vector<fixture_frame> all{
      {made.kind == hawser::message_kind::binary, std::string(hawser::as_text(made.main))}};
  for (auto const one : made.attachments) {
    all.push_back({true, std::string(hawser::as_text(one))});
  }
  return all;
}

}  // namespace hawser_test
