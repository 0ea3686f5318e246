// What the payload of a Socket.IO packet may be, whatever it was written in.
#pragma once

#include <cstddef>
#include <string_view>

#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::sio {

/// Bytes that the name of an event may have by default.
inline constexpr std::size_t default_max_event_name = 256;

/// Holds a payload against the type of its packet: CONNECT has an object or none, DISCONNECT none,
/// CONNECT_ERROR a text or an object, acknowledgements an array, and events an array that begins
/// with the name. A name is a text, the empty one too, of at most `max_event_name` bytes that is
/// not reserved, or a whole number. None is a missing value; null is a value.
///
/// Errors: `bad_event_name` for arrays of events, `bad_packet` for all else.
inline errc check_payload(packet_type type, value const& data,
                          std::size_t max_event_name = default_max_event_name) noexcept {
  value_kind const kind = data.kind();
  bool fits = false;
  switch (type) {
    case packet_type::connect:
      fits = kind == value_kind::missing || kind == value_kind::object;
      break;
    case packet_type::disconnect: fits = kind == value_kind::missing; break;
    case packet_type::connect_error:
      fits = kind == value_kind::string || kind == value_kind::object;
      break;
    case packet_type::event:
    case packet_type::binary_event:
    case packet_type::ack:
    case packet_type::binary_ack: fits = kind == value_kind::array; break;
  }
  if (!fits) return errc::bad_packet;
  if (type != packet_type::event && type != packet_type::binary_event) return {};

  value const name = data[0];
  if (auto const text = name.string()) {
    bool const good = text->size() <= max_event_name && !is_reserved_event(*text);
    return good ? errc{} : errc::bad_event_name;
  }
  bool const whole = name.integer() || name.unsigned_integer();
  return whole ? errc{} : errc::bad_event_name;
}

}  // namespace hawser::inline HAWSER_ABI::sio
