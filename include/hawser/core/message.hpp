// What an application sends and receives: text or binary, as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

enum class message_kind : std::uint8_t { text, binary };

/// Marks messages of which only the newest matters: see `latest_by_key`.
using message_key = std::optional<std::uint64_t>;

/// A received message. The bytes live in a buffer of the server or client and are valid until
/// the handler that got them returns: copy what must last. Text is valid UTF-8.
struct message {
  message_kind kind = message_kind::binary;
  bytes_view data{};

  bool is_text() const noexcept { return kind == message_kind::text; }
  std::string_view text() const noexcept { return as_text(data); }
};

}  // namespace hawser::inline HAWSER_ABI
