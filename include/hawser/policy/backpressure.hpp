// Backpressure: what happens to a message for a peer that does not keep up.
#pragma once

#include <concepts>
#include <cstddef>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What waits for one peer.
struct backlog {
  std::size_t bytes = 0;
  std::size_t messages = 0;
};

enum class verdict {
  enqueue,        ///< take it
  pause_reading,  ///< take it, and read nothing from this peer until half is drained
  drop_newest,    ///< refuse this one; `send` answers `errc::dropped`
  drop_oldest,    ///< throw the oldest unsent message away and ask again
  disconnect      ///< give the peer up: close 1013, then reset
};

/// Decides about a message that finds others queued before it. One object per server.
///
/// *Semantics*: `admit` gets what is queued and the size of the next message in bytes; it is not
/// asked while the queue is empty, so a single message of any legal size goes out, and neither
/// about what a handler says to its own peer, as far as the server's `send_buffer` holds it. After
/// `drop_oldest` it is asked again with less queued, and `drop_oldest` with nothing left that can
/// be dropped means `drop_newest`. With `replaces_by_key`, a message with a key takes the
/// place of the queued one with the same key, and `admit` is not asked.
/// *Exemplar*: `disconnect_slow`. *Models*: `disconnect_slow`, `drop_newest`, `drop_oldest`,
/// `latest_by_key`, `pause_reading`.
template <class B>
concept backpressure_policy =
    std::movable<B> && std::constructible_from<B, typename B::options const&> &&
    requires(B const b, backlog queued, std::size_t next) {
      { b.admit(queued, next) } noexcept -> std::same_as<verdict>;
      { B::replaces_by_key } -> std::convertible_to<bool>;
    };

/// The limits that all stock models share.
struct send_queue_limits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t max_messages = 4096;

  bool exceeded_by(backlog queued, std::size_t next) const noexcept {
    return queued.messages >= max_messages || queued.bytes >= max_bytes ||
           next > max_bytes - queued.bytes;
  }
};

/// Stock models: a verdict for what exceeds the limits.
template <verdict WhenFull, bool ReplacesByKey = false>
class bounded_send_queue {
 public:
  using options = send_queue_limits;
  static constexpr bool replaces_by_key = ReplacesByKey;

  explicit bounded_send_queue(options const& limits) noexcept : limits_(limits) {}

  verdict admit(backlog queued, std::size_t next) const noexcept {
    return limits_.exceeded_by(queued, next) ? WhenFull : verdict::enqueue;
  }

 private:
  send_queue_limits limits_;
};

/// A peer that falls behind by more than the limits is closed with 1013. The safe default.
struct disconnect_slow : bounded_send_queue<verdict::disconnect> {
  using bounded_send_queue::bounded_send_queue;
};

/// What no longer fits is not sent.
struct drop_newest : bounded_send_queue<verdict::drop_newest> {
  using bounded_send_queue::bounded_send_queue;
};

/// What no longer fits pushes the oldest out.
struct drop_oldest : bounded_send_queue<verdict::drop_oldest> {
  using bounded_send_queue::bounded_send_queue;
};

/// Of messages with the same key only the newest is kept, in the place of the one before it: for
/// positions and other state. Messages without a key act as with `drop_oldest`.
struct latest_by_key : bounded_send_queue<verdict::drop_oldest, true> {
  using bounded_send_queue::bounded_send_queue;
};

/// A peer that does not take its answers is not read from until half of them are gone, so that
/// TCP slows it down. What others send to it still grows the queue: at twice the limits
/// the peer is given up.
class pause_reading {
 public:
  using options = send_queue_limits;
  static constexpr bool replaces_by_key = false;

  explicit pause_reading(options const& limits) noexcept : limits_(limits) {}

  verdict admit(backlog queued, std::size_t next) const noexcept {
    if (!limits_.exceeded_by(queued, next)) return verdict::enqueue;
    send_queue_limits const twice{doubled(limits_.max_bytes), doubled(limits_.max_messages)};
    return twice.exceeded_by(queued, next) ? verdict::disconnect : verdict::pause_reading;
  }

 private:
  static constexpr std::size_t doubled(std::size_t limit) noexcept {
    constexpr std::size_t largest = static_cast<std::size_t>(-1);
    return limit > largest / 2 ? largest : limit * 2;
  }

  send_queue_limits limits_;
};

}  // namespace hawser::inline HAWSER_ABI
