// Close codes and the body of a Close frame, RFC 6455 sections 5.5.1 and 7.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <hawser/codec/utf8.hpp>
#include <hawser/codec/ws/frame.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {

/// Why a WebSocket connection ended; 3000 to 3999 are registered by libraries, 4000 to 4999 are
/// the application's own (cast to this type).
enum class close_code : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  ///< the Close frame had no body; never on the wire
  abnormal = 1006,   ///< there was no Close frame; never on the wire
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  missing_extension = 1010,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  bad_gateway = 1014
};

namespace ws {

/// Bytes that a close reason may have: a control frame's 125 less the code.
inline constexpr std::size_t max_close_reason = max_control_payload - 2;

/// Whether the code may be in a Close frame (RFC 6455 section 7.4.1 and the IANA registry).
constexpr bool is_sendable(close_code code) noexcept {
  auto const value = static_cast<unsigned>(code);
  if (value >= 3000) return value <= 4999;
  return value >= 1000 && value <= 1014 && value != 1004 && value != 1005 && value != 1006;
}

struct close_body {
  close_code code = close_code::no_status;
  std::string_view reason{};  ///< a view into the frame's payload
  errc error{};               ///< bad_close_payload, bad_close_code or invalid_utf8
};

/// Reads the payload of a Close frame (RFC 6455 section 5.5.1).
inline close_body read_close(bytes_view payload) noexcept {
  if (payload.empty()) return {};
  if (payload.size() == 1) return {.error = errc::bad_close_payload};
  auto const code = static_cast<close_code>(codec::load_big<std::uint16_t>(payload.data()));
  if (!is_sendable(code)) return {.error = errc::bad_close_code};
  bytes_view const reason = payload.subspan(2);
  if (!codec::is_utf8(reason)) return {.error = errc::invalid_utf8};
  return {code, as_text(reason), {}};
}

/// Writes the payload of a Close frame, at most 125 bytes, and returns its size. `no_status`
/// gives an empty one. Precondition: `check_close(code, reason)` is zero.
inline std::size_t write_close(std::byte* out, close_code code, std::string_view reason) noexcept {
  if (code == close_code::no_status) return 0;
  codec::store_big(out, static_cast<std::uint16_t>(code));
  if (!reason.empty()) std::memcpy(out + 2, reason.data(), reason.size());
  return 2 + reason.size();
}

/// Zero if this code and reason may be sent, else `bad_argument`: the code must be sendable or
/// `no_status` without a reason; the reason UTF-8 of at most 123 bytes.
inline std::error_code check_close(close_code code, std::string_view reason) noexcept {
  bool const code_fits = is_sendable(code) || (code == close_code::no_status && reason.empty());
  bool const reason_fits = reason.size() <= max_close_reason && codec::is_utf8(as_bytes(reason));
  return code_fits && reason_fits ? std::error_code{} : make_error_code(errc::bad_argument);
}

/// The close code that answers a violation or a limit (RFC 6455 section 7.4.1).
constexpr close_code close_code_for(errc error) noexcept {
  switch (error) {
    case errc::invalid_utf8:
    case errc::bad_deflate_data: return close_code::invalid_payload;
    case errc::message_too_big: return close_code::message_too_big;
    case errc::too_many_fragments:
    case errc::message_timeout:
    case errc::control_flood:
    case errc::message_flood:
    case errc::too_many_packets:
    case errc::too_deep:
    case errc::too_many_values:
    case errc::number_too_long:
    case errc::too_many_attachments:
    case errc::attachments_timeout:
    case errc::too_many_namespaces:
    case errc::too_many_acks:
    case errc::unknown_acks: return close_code::policy_violation;
    case errc::partial_budget_exceeded:
    case errc::send_queue_full: return close_code::try_again_later;
    default: return close_code::protocol_error;
  }
}

}  // namespace ws
}  // namespace hawser::inline HAWSER_ABI
