// The head of a Socket.IO packet, protocol revision 5; what follows it is JSON.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::sio {

/// The first character of a packet, '0' to '6'.
enum class packet_type : std::uint8_t {
  connect,
  disconnect,
  event,
  ack,
  connect_error,
  binary_event,
  binary_ack
};

constexpr bool is_binary(packet_type type) noexcept {
  return type == packet_type::binary_event || type == packet_type::binary_ack;
}

/// Whether packets of this type may carry the id of an acknowledgement.
constexpr bool takes_id(packet_type type) noexcept {
  return type == packet_type::event || type == packet_type::ack || is_binary(type);
}

inline constexpr std::size_t max_namespace_size = 128;                 ///< bytes, with its slash
inline constexpr std::uint64_t max_id = (std::uint64_t{1} << 53) - 1;  ///< exact in JavaScript
inline constexpr std::size_t max_id_digits = 16;                       ///< leading zeros count

/// What stands before the payload; views of the text that was read.
struct packet_head {
  packet_type type = packet_type::connect;
  std::uint32_t attachments = 0;    ///< binary messages that follow; 0 for types that have none
  std::string_view nsp = "/";       ///< with its slash, and with a query that stands in it
  std::optional<std::uint64_t> id;  ///< of the acknowledgement that is wanted, or given
  std::string_view data;            ///< JSON, not looked at; empty: no payload
};

/// Reads `<type>[<attachments>-][<namespace>,][<id>]<data>` strictly: digits are ASCII digits and
/// nothing else; binary types, and only they, have attachments, one or two digits, and zero is a
/// number; a namespace starts with a slash and goes to the first comma, or to the end; only events
/// and acknowledgements take an id. Zeros may lead any number. An acknowledgement without an id is
/// read; it answers nothing.
///
/// `max_attachments` over 99 is 99, as there are no more digits.
///
/// Errors: `too_many_attachments`, and `bad_packet` for all else.
inline errc read_head(std::string_view text, std::size_t max_attachments,
                      packet_head& out) noexcept {
  auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
  out = {};
  if (text.empty() || text.front() < '0' || text.front() > '6') return errc::bad_packet;
  out.type = static_cast<packet_type>(text.front() - '0');
  text.remove_prefix(1);

  if (is_binary(out.type)) {
    std::size_t digits = 0;
    while (digits < 2 && digits < text.size() && is_digit(text[digits])) {
      out.attachments = out.attachments * 10 + static_cast<std::uint32_t>(text[digits++] - '0');
    }
    if (digits == 0 || digits == text.size() || text[digits] != '-') return errc::bad_packet;
    if (out.attachments > max_attachments) return errc::too_many_attachments;
    text.remove_prefix(digits + 1);
  }

  if (text.starts_with('/')) {
    // Never looks further than the longest name goes.
    std::string_view const name = text.substr(0, max_namespace_size + 1);
    std::size_t const size = std::min(name.find(','), name.size());
    if (size > max_namespace_size) return errc::bad_packet;
    out.nsp = name.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
  }

  if (!text.empty() && is_digit(text.front())) {
    if (!takes_id(out.type)) return errc::bad_packet;
    std::uint64_t id = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
      if (digits == max_id_digits) return errc::bad_packet;
      id = id * 10 + static_cast<std::uint64_t>(text[digits] - '0');
    }
    if (id > max_id) return errc::bad_packet;
    out.id = id;
    text.remove_prefix(digits);
  }
  out.data = text;
  return {};
}

/// Bytes that a head may take beside the name of the namespace: the type, a hyphen, a comma and two
/// numbers.
inline constexpr std::size_t max_head_size = 3 + 2 * 20;

/// Writes what `read_head` reads: the attachments of binary types, be they 0; the namespace unless
/// it is "/"; the id if there is one. The payload is the caller's to append. Takes at most
/// `max_head_size + nsp.size()` bytes; returns the end.
inline char* write_head(char* at, packet_type type, std::uint32_t attachments, std::string_view nsp,
                        std::optional<std::uint64_t> id) noexcept {
  constexpr std::size_t digits = 20;
  *at++ = static_cast<char>('0' + static_cast<int>(type));
  if (is_binary(type)) {
    at = std::to_chars(at, at + digits, attachments).ptr;
    *at++ = '-';
  }
  if (nsp.size() > 1) {
    std::memcpy(at, nsp.data(), nsp.size());
    at += nsp.size();
    *at++ = ',';
  }
  return id ? std::to_chars(at, at + digits, *id).ptr : at;
}

/// Likewise, behind what is in the buffer already. At most one allocation.
inline void write_head(byte_buffer& out, packet_type type, std::uint32_t attachments,
                       std::string_view nsp, std::optional<std::uint64_t> id) {
  char* const begin = reinterpret_cast<char*>(out.prepare(max_head_size + nsp.size()).data());
  out.commit(static_cast<std::size_t>(write_head(begin, type, attachments, nsp, id) - begin));
}

/// Names that applications may not use for events: they are the names of the library's own.
constexpr bool is_reserved_event(std::string_view name) noexcept {
  switch (name.size()) {  // is asked for every event, and mostly says enough
    case 5: return name == "error";
    case 7: return name == "connect";
    case 10: return name == "disconnect";
    case 11: return name == "newListener";
    case 13: return name == "connect_error" || name == "disconnecting";
    case 14: return name == "removeListener";
    default: return false;
  }
}

}  // namespace hawser::inline HAWSER_ABI::sio
