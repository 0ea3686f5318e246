// Engine.IO packets, protocol revision 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/codec/base64.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::eio {

/// The first character of a packet as text, '0' to '6'.
enum class packet_type : std::uint8_t { open, close, ping, pong, message, upgrade, noop };

constexpr char type_character(packet_type type) noexcept {
  return static_cast<char>('0' + static_cast<int>(type));
}

struct packet {
  packet_type type = packet_type::message;
  bool binary = false;  ///< only messages are
  bytes_view data;      ///< behind the type; a view of what was read
};

/// Between the packets of a polling payload.
inline constexpr char separator = '\x1e';

/// Before the base64 of a binary message that has to be text.
inline constexpr char binary_character = 'b';

/// Reads a packet of text, as WebSocket text frames hold one; a WebSocket binary frame is a binary
/// message as it stands. Nothing for an empty text or an unknown type, base64 among them.
inline std::optional<packet> read_packet(std::string_view text) noexcept {
  if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
  auto const type = static_cast<packet_type>(text.front() - '0');
  return packet{type, false, as_bytes(text.substr(1))};
}

/// Reads a packet from where everything is text: polling, and the text frames of a client that
/// asked for `b64`. Binary messages are strict base64 and are decoded where they lie, so `text` is
/// lost. Errors: `bad_engine_packet`, `bad_base64`. Whether it is UTF-8 is not looked at.
inline errc read_packet(mutable_bytes text, packet& out) noexcept {
  if (!text.empty() && text.front() == std::byte{binary_character}) {
    auto const decoded = codec::base64_decode_in_place(text.subspan(1));
    if (!decoded) return errc::bad_base64;
    out = {packet_type::message, true, *decoded};
    return {};
  }
  auto const read = read_packet(as_text(text));
  if (!read) return errc::bad_engine_packet;
  out = *read;
  return {};
}

}  // namespace hawser::inline HAWSER_ABI::eio
