// Offline queue: what happens to a client's messages while there is no connection to send them on.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/core/bytes.hpp>
#include <hawser/core/config.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/policy/queued_entries.hpp>

namespace hawser::inline HAWSER_ABI {

/// Keeps the messages of one namespace, or of one raw connection, in order until they are sent or
/// acknowledged. Pure: time is handed in and never goes back.
///
/// *Semantics*: constructed with the name of the namespace, empty for a raw connection.
/// `is_durable` says that messages outlive the program: then they stay queued until acknowledged.
/// `push` copies a message behind all others and answers its id, from 1 on, ascending, never one
/// twice; or why it was refused. `front` is the first message, after those that are too old went,
/// or null; it is valid until the next call. `remove` takes one out that was sent or acknowledged,
/// and says whether it was there. `size` counts what is queued, with whatever each one costs.
/// What the queue gives up on its own is told by `dropped`, one a call, each once, and the data
/// are valid until the next call: to be asked after `push` and `front` until it has nothing.
/// *Exemplar*: `bounded_queue`. *Models*: `bounded_queue`, `no_queue`, `journal_queue`.
template <class Q>
concept offline_queue_policy =
    std::movable<Q> && std::constructible_from<Q, typename Q::options const&, std::string_view> &&
    requires(Q q, Q const c, message_kind kind, bytes_view data, message_key key, time_point now,
             std::uint64_t id) {
      { Q::is_durable } -> std::convertible_to<bool>;
      { q.push(kind, data, key, now) } -> std::same_as<result<std::uint64_t>>;
      { q.front(now) } -> std::same_as<queued_message const*>;
      { q.remove(id) } noexcept -> std::same_as<bool>;
      { q.dropped() } -> std::same_as<std::optional<dropped_message>>;
      { c.size() } noexcept -> std::same_as<backlog>;
    };

/// In memory, within limits.
class bounded_queue {
 public:
  using options = offline_queue_limits;
  static constexpr bool is_durable = false;

  explicit bounded_queue(options const& limits, std::string_view = {}) : entries_(limits) {}

  result<std::uint64_t> push(message_kind kind, bytes_view data, message_key key, time_point now) {
    entries_.expire(now);
    auto const way = entries_.admit(data.size(), key);
    if (!way.accepted) return errc::offline_queue_full;
    entries_.insert(way, {++last_id_, kind, data, key}, now);
    return last_id_;
  }

  queued_message const* front(time_point now) {
    entries_.expire(now);
    return entries_.front();
  }

  bool remove(std::uint64_t id) noexcept { return entries_.remove(id); }
  std::optional<dropped_message> dropped() { return entries_.dropped(); }
  backlog size() const noexcept { return entries_.size(); }

 private:
  queued_entries entries_;
  std::uint64_t last_id_ = 0;
};

/// Nothing waits: what can't be sent now is refused with `errc::not_open`. Takes no memory.
class no_queue {
 public:
  struct options {};
  static constexpr bool is_durable = false;

  explicit no_queue(options const&, std::string_view = {}) noexcept {}

  result<std::uint64_t> push(message_kind, bytes_view, message_key, time_point) noexcept {
    return errc::not_open;
  }
  queued_message const* front(time_point) noexcept { return nullptr; }
  bool remove(std::uint64_t) noexcept { return false; }
  std::optional<dropped_message> dropped() noexcept { return std::nullopt; }
  backlog size() const noexcept { return {}; }
};

}  // namespace hawser::inline HAWSER_ABI
