// What the arena's server and its players say to each other, by raw WebSocket or by Socket.IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <hawser/core/bytes.hpp>

namespace arena {

/// How many of those around it a player sees, itself among them.
inline constexpr std::uint32_t least_in_view = 30;
inline constexpr std::uint32_t most_in_view = 60;

inline constexpr std::size_t big_message_size = std::size_t{1} << 20;

/// What a player sends once per tick. Text of `input(seq, push)` with Socket.IO.
struct input {
  std::uint32_t sequence;  ///< from 1
  float push;              ///< how much faster it wants to be
};

/// Before everything with positions. Numbers are in the byte order of the machine, which is the
/// same on both sides.
struct stamp {
  std::uint64_t due_ns;   ///< when the tick should have begun, on the monotonic clock
  std::uint32_t late_ns;  ///< how much later the positions were taken
  std::uint32_t tick;
  std::uint32_t self;   ///< whose view it is
  std::uint32_t heard;  ///< the newest input
};

struct position {
  std::uint32_t id;
  float x, y;
};

/// A view in one message: a stamp, then the positions. With one message for each position: a stamp
/// and one position.
static_assert(sizeof(stamp) == 24 && sizeof(position) == 12);

template <class T>
  requires std::is_trivially_copyable_v<T>
hawser::bytes_view bytes_of(T const& what) noexcept {
  return {reinterpret_cast<std::byte const*>(&what), sizeof what};
}

// What the load tells the server in words: by text messages, or by the event "say".
inline constexpr char send_big[] = "big";         ///< to whoever says it, a megabyte
inline constexpr char measure_quiet[] = "quiet";  ///< what follows counts for these windows
inline constexpr char measure_loud[] = "loud";    ///< likewise
inline constexpr char measure_nothing[] = "nothing";

}  // namespace arena
