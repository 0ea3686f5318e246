// The messages of an offline queue in their order: what the stock models have in common.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/bytes.hpp>
#include <hawser/core/config.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// A message that waits in an offline queue.
struct queued_message {
  std::uint64_t id = 0;  ///< from 1, ascending in the order of the pushes, never reused
  message_kind kind = message_kind::binary;
  bytes_view data{};
  message_key key{};
};

/// A message that an offline queue gave up. `why` is `offline_overflow` (others needed the place),
/// `offline_expired` (older than `max_age`) or `offline_replaced` (a newer one has its key).
struct dropped_message {
  std::uint64_t id = 0;
  errc why = errc::offline_overflow;
  message_kind kind = message_kind::binary;
  bytes_view data{};
};

/// What happens to a message that does not fit.
enum class overflow_rule : std::uint8_t {
  refuse,         ///< `push` answers `errc::offline_queue_full`
  drop_oldest,    ///< as many of the oldest go as are in the way
  replace_by_key  ///< first of all the newest of a key takes the place of the one queued, if any;
                  ///< otherwise `drop_oldest`
};

struct offline_queue_limits {
  std::size_t max_messages = 1'000;
  /// Of data, with `queued_entries::overhead` for every message.
  std::size_t max_bytes = std::size_t{1} << 20;
  std::chrono::milliseconds max_age = std::chrono::hours(1);  ///< 0: unlimited
  overflow_rule overflow = overflow_rule::refuse;
};

/// A list of messages in nodes that are reused, with an index by id and one by key. Every operation
/// takes constant time, but for finding an id that isn't the first one: that is a binary search.
class queued_entries {
 public:
  /// What a message costs beside its data, about.
  static constexpr std::size_t overhead = 64;

  /// What it takes to accept a message: see `admit`.
  struct admission {
    bool accepted = false;
    std::uint32_t replaces = none;  ///< the node whose place it takes
    std::size_t drops = 0;          ///< how many of the oldest have to go, that node aside
  };
  static constexpr std::uint32_t none = 0xffffffff;

  explicit queued_entries(offline_queue_limits const& limits)
      : limits_(limits), max_dropped_{limits.max_bytes, limits.max_messages} {}

  backlog size() const noexcept { return queued_; }

  /// Decides about a message, changes nothing.
  admission admit(std::size_t bytes, message_key key) const {
    if (limits_.max_messages == 0 || limits_.max_bytes < overhead ||
        bytes > limits_.max_bytes - overhead) {
      return {};
    }
    admission way{true};
    backlog left = queued_;
    if (limits_.overflow == overflow_rule::replace_by_key && key) {
      if (auto const found = by_key_.find(*key); found != by_key_.end()) {
        way.replaces = found->second;
        left = without(left, found->second);
      }
    }
    for (std::uint32_t at = first_; exceeded_by(left, bytes); at = nodes_[at].next) {
      if (limits_.overflow == overflow_rule::refuse) return {};
      if (at == way.replaces) continue;
      left = without(left, at);
      ++way.drops;
    }
    return way;
  }

  /// Takes a message as `admit` has answered, nothing having changed since. `data` is not of this
  /// queue. Precondition: `way.accepted`, and `id` is greater than all before.
  void insert(admission way, queued_message const& message, time_point at) {
    std::uint32_t const added = append(message, at);
    if (way.replaces != none) {
      move_before(added, way.replaces);
      drop(way.replaces, errc::offline_replaced);
    }
    for (std::uint32_t next = first_; way.drops > 0;) {
      std::uint32_t const oldest = std::exchange(next, nodes_[next].next);
      if (oldest == added) continue;
      drop(oldest, errc::offline_overflow);
      --way.drops;
    }
  }

  /// Who the message that was admitted is put before, taking its place; 0: behind all.
  std::uint64_t replaced(admission way) const noexcept {
    return way.replaces == none ? 0 : nodes_[way.replaces].id;
  }

  /// Calls `visit` with the id of each one that goes when the message is inserted.
  template <class Visit>
  void visit_leaving(admission way, Visit visit) const {
    if (way.replaces != none) visit(nodes_[way.replaces].id);
    for (std::uint32_t at = first_; way.drops > 0; at = nodes_[at].next) {
      if (at == way.replaces) continue;
      visit(nodes_[at].id);
      --way.drops;
    }
  }

  /// Drops what is too old from the front on, calling `gone` with the id of each.
  template <class Gone>
  void expire(time_point now, Gone gone) {
    if (limits_.max_age.count() <= 0) return;
    while (first_ != none) {
      auto const age = std::chrono::floor<std::chrono::milliseconds>(now - nodes_[first_].at);
      if (age < limits_.max_age) return;
      gone(nodes_[first_].id);
      drop(first_, errc::offline_expired);
    }
  }
  void expire(time_point now) {
    expire(now, [](std::uint64_t) {});
  }

  // -- what outlives the program -----------------------------------------------------------------

  /// Takes a message back that was accepted once, whatever the limits are now, and puts it before
  /// that of id `before` if that one is there, else behind all. Precondition: as of `insert`.
  void restore(queued_message const& message, time_point at, std::uint64_t before) {
    std::uint32_t const place = find(before);
    std::uint32_t const added = append(message, at);
    if (place != none) move_before(added, place);
    max_dropped_.bytes = std::max(max_dropped_.bytes, queued_.bytes);
    max_dropped_.messages = std::max(max_dropped_.messages, queued_.messages);
  }

  /// Calls `visit(message, at, before)` with each in the order of the ids: what `restore` has to be
  /// called with for the same queue to come out.
  template <class Visit>
  void visit(Visit visit) const {
    // The next in the order with a smaller id; those that have been passed rise from the bottom.
    std::vector<std::uint64_t> before(nodes_.size()), passed;
    for (std::uint32_t at = last_; at != none; at = nodes_[at].previous) {
      while (!passed.empty() && passed.back() > nodes_[at].id) passed.pop_back();
      before[at] = passed.empty() ? 0 : passed.back();
      passed.push_back(nodes_[at].id);
    }
    for (slot const& each : index_) {
      if (each.at != none) visit(view(each.at), nodes_[each.at].at, before[each.at]);
    }
  }

  /// The first one, valid until the next call; null if there is none.
  queued_message const* front() noexcept {
    if (first_ == none) return nullptr;
    shown_ = view(first_);
    return &shown_;
  }

  bool remove(std::uint64_t id) noexcept {
    std::uint32_t const at = find(id);
    if (at == none) return false;
    unlink(at);
    recycle(at);
    return true;
  }

  /// The earliest dropped one that was not told yet; its data are valid until the next call. What
  /// is not asked for in time is forgotten, as soon as it exceeds the limits of the queue itself,
  /// or what was restored.
  std::optional<dropped_message> dropped() {
    if (told_ != none) recycle(std::exchange(told_, none));
    if (first_dropped_ == none) return std::nullopt;
    told_ = take_dropped();
    node const& from = nodes_[told_];
    return dropped_message{from.id, from.why, from.kind, from.data};
  }

 private:
  struct node {
    std::uint64_t id = 0;
    time_point at{};
    message_key key{};
    std::vector<std::byte> data;
    std::uint32_t next = none;
    std::uint32_t previous = none;
    message_kind kind = message_kind::binary;
    errc why = errc::offline_overflow;
  };
  struct slot {
    std::uint64_t id;
    std::uint32_t at;  // none: removed
  };

  /// Buffers of messages that are gone are kept up to this.
  static constexpr std::size_t max_spare = std::size_t{64} << 10;

  bool exceeded_by(backlog left, std::size_t bytes) const noexcept {
    return left.messages >= limits_.max_messages ||
           left.bytes > limits_.max_bytes - overhead - bytes;
  }

  std::size_t cost(std::uint32_t at) const noexcept { return nodes_[at].data.size() + overhead; }

  backlog without(backlog all, std::uint32_t at) const noexcept {
    return {all.bytes - cost(at), all.messages - 1};
  }

  queued_message view(std::uint32_t at) const noexcept {
    node const& from = nodes_[at];
    return {from.id, from.kind, from.data, from.key};
  }

  std::uint32_t append(queued_message const& message, time_point at) {
    std::uint32_t added = free_;
    if (added == none) {
      added = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    } else {
      free_ = nodes_[added].next;
    }
    node& to = nodes_[added];
    spare_ -= to.data.capacity();
    to.data.assign(message.data.begin(), message.data.end());
    to.id = message.id;
    to.kind = message.kind;
    to.key = message.key;
    to.at = at;
    link_before(added, none);
    if (index_.size() > 2 * queued_.messages + 16) {
      std::erase_if(index_, [](slot const& each) { return each.at == none; });
      index_begin_ = 0;
    }
    index_.push_back({message.id, added});
    queued_.bytes += cost(added);
    ++queued_.messages;
    if (message.key && limits_.overflow == overflow_rule::replace_by_key) {
      by_key_[*message.key] = added;
    }
    return added;
  }

  void link_before(std::uint32_t at, std::uint32_t behind) noexcept {
    std::uint32_t const before = behind == none ? last_ : nodes_[behind].previous;
    nodes_[at].previous = before;
    nodes_[at].next = behind;
    (before == none ? first_ : nodes_[before].next) = at;
    (behind == none ? last_ : nodes_[behind].previous) = at;
  }

  void unlink_node(std::uint32_t at) noexcept {
    node const& gone = nodes_[at];
    (gone.previous == none ? first_ : nodes_[gone.previous].next) = gone.next;
    (gone.next == none ? last_ : nodes_[gone.next].previous) = gone.previous;
  }

  void move_before(std::uint32_t at, std::uint32_t behind) noexcept {
    unlink_node(at);
    link_before(at, behind);
  }

  slot* find_slot(std::uint64_t id) noexcept {
    auto const found =
        std::lower_bound(index_.begin() + static_cast<std::ptrdiff_t>(index_begin_), index_.end(),
                         id, [](slot const& a, std::uint64_t b) { return a.id < b; });
    return found == index_.end() || found->id != id ? nullptr : &*found;
  }

  std::uint32_t find(std::uint64_t id) noexcept {
    slot const* const found = find_slot(id);
    return found ? found->at : none;
  }

  // Out of the order and both indexes; the node and its data are left.
  void unlink(std::uint32_t at) noexcept {
    unlink_node(at);
    find_slot(nodes_[at].id)->at = none;
    while (index_begin_ < index_.size() && index_[index_begin_].at == none) ++index_begin_;
    if (index_begin_ == index_.size()) {
      index_.clear();
      index_begin_ = 0;
    }
    if (message_key const key = nodes_[at].key; key && !by_key_.empty()) {
      // The one that replaces it has the key by now.
      if (auto const found = by_key_.find(*key); found != by_key_.end() && found->second == at) {
        by_key_.erase(found);
      }
    }
    queued_.bytes -= cost(at);
    --queued_.messages;
  }

  void drop(std::uint32_t at, errc why) noexcept {
    unlink(at);
    nodes_[at].why = why;
    nodes_[at].next = none;
    (first_dropped_ == none ? first_dropped_ : nodes_[last_dropped_].next) = at;
    last_dropped_ = at;
    dropped_.bytes += cost(at);
    ++dropped_.messages;
    while (first_dropped_ != at &&
           (dropped_.messages > max_dropped_.messages || dropped_.bytes > max_dropped_.bytes)) {
      recycle(take_dropped());
    }
  }

  std::uint32_t take_dropped() noexcept {
    std::uint32_t const taken = first_dropped_;
    first_dropped_ = nodes_[taken].next;
    dropped_.bytes -= cost(taken);
    --dropped_.messages;
    return taken;
  }

  void recycle(std::uint32_t at) noexcept {
    auto& data = nodes_[at].data;
    if (data.capacity() > max_spare - std::min(max_spare, spare_))
      std::vector<std::byte>().swap(data);
    data.clear();
    spare_ += data.capacity();
    nodes_[at].next = std::exchange(free_, at);
  }

  offline_queue_limits limits_;
  std::vector<node> nodes_;
  std::vector<slot> index_;  // ascending ids; what is gone is swept when it's more than half
  std::size_t index_begin_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;
  backlog queued_{};
  backlog dropped_{};
  backlog max_dropped_;
  std::size_t spare_ = 0;
  std::uint32_t first_ = none;
  std::uint32_t last_ = none;
  std::uint32_t first_dropped_ = none;
  std::uint32_t last_dropped_ = none;
  std::uint32_t told_ = none;
  std::uint32_t free_ = none;
  queued_message shown_{};
};

}  // namespace hawser::inline HAWSER_ABI
