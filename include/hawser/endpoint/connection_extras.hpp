// What few connections have, kept apart so that the others don't pay for it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/core/buffer.hpp>

namespace hawser::inline HAWSER_ABI {

/// What this side said when it began to close.
struct farewell {
  close_code code;
  std::string reason;
  std::error_code error;
};

/// Part of a `connection` that a subprotocol was agreed with, that was paused, or is ending.
struct connection_extras {
  /// A peer in the middle of a long message shall have time to read why it is over.
  static constexpr std::size_t max_lingered = std::size_t{16} << 20;

  std::string subprotocol;
  std::optional<byte_buffer> held;  ///< what arrived behind the message at which reading was paused
  std::optional<farewell> said;
  std::size_t lingered = 0;  ///< bytes that were read and thrown away
};

}  // namespace hawser::inline HAWSER_ABI
