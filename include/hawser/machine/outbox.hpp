// What waits to be sent to one peer: whole messages, shared where several peers get the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <hawser/core/bytes.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/core/payload_run.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// A queue of encoded messages. A single piece lies in it, more of them in memory from the pool;
/// messages that follow each other in a `payload_run` are one piece.
/// Never cuts a message: what has begun to leave is finished first and can't be dropped or
/// replaced.
class outbox {
 public:
  static constexpr std::size_t max_message = 0xffffffff;  ///< bytes, its head included

  outbox() noexcept = default;
  outbox(outbox const&) = delete;
  outbox& operator=(outbox const&) = delete;

  /// Whether nothing is queued and no memory held for it: less to ask than `empty`.
  bool is_bare() const noexcept { return !ring_ && !lone_.bytes.block; }
  bool empty() const noexcept { return ring_ ? ring_->count == 0 : !lone_.bytes.block; }
  backlog queued() const noexcept {
    if (ring_) return {ring_->bytes, ring_->messages};
    return queued_lone();
  }
  /// Whether anything but control frames waits.
  bool holds_messages() const noexcept {
    if (ring_) return ring_->count > ring_->controls;
    return lone_.bytes.block && !lone_.is_control();
  }

  /// A message that may be dropped, and with a key replaced.
  void push(payload_slice bytes, message_key key, block_pool& pool) {
    if (!key && ring_ && ring_->count > 0) {
      entry& last = ring_->at(ring_->count - 1);
      if (last.is_plain() && last.bytes.is_followed_by(bytes)) {
        last.extend(bytes);
        ring_->bytes += bytes.size();
        ++ring_->messages;
        return;
      }
    }
    if (!key && lone_is_followed_by(bytes)) return extend_lone(bytes);
    append({std::move(bytes), key.value_or(0), 1, key ? kind::keyed : kind::plain, false}, pool);
  }

  /// Bytes of messages that have begun to leave already: they go first and can't be dropped.
  /// Precondition: empty.
  void push_begun(payload rest, block_pool& pool) {
    append({std::move(rest), 0, 1, kind::plain, true}, pool);
  }

  /// Likewise, before everything that is queued. Precondition: nothing queued has begun to leave.
  void push_front_begun(payload rest, block_pool& pool) {
    if (empty()) return push_begun(std::move(rest), pool);
    prepend({std::move(rest), 0, 1, kind::plain, true}, pool);
  }

  /// A control frame: never dropped, not a message to the policy.
  void push_control(payload frame, block_pool& pool) {
    append({std::move(frame), 0, 1, kind::control, false}, pool);
  }

  /// A pong. At most 16 wait, later ones take the place of the newest: answering the latest ping
  /// is enough (RFC 6455 section 5.5.3).
  void push_pong(payload_slice frame, block_pool& pool) {
    if (ring_ && ring_->pongs >= max_pongs) {
      for (std::uint32_t i = count(); i-- > 0;) {
        entry& at = this->at(i);
        if (at.what != kind::pong || at.begun) continue;
        exchange(at, frame);
        return;
      }
    }
    append({std::move(frame), 0, 1, kind::pong, false}, pool);
  }

  /// Puts the message in the place of the queued one with this key. False: there is none.
  bool replace(std::uint64_t key, payload_slice& bytes) noexcept {
    for (std::uint32_t i = count(); i-- > 0;) {
      entry& at = this->at(i);
      if (at.what != kind::keyed || at.key != key || at.begun) continue;
      exchange(at, bytes);
      return true;
    }
    return false;
  }

  /// Drops the oldest message that has not begun to leave. False: there is none.
  bool drop_oldest() noexcept {
    std::uint32_t const pieces = count();
    for (std::uint32_t i = 0; i < pieces; ++i) {
      entry& candidate = at(i);
      if (candidate.is_control() || candidate.begun) continue;
      if (candidate.messages > 1) {
        std::uint32_t const end = payload_run::first_of(candidate.bytes).end;
        if (ring_) {
          ring_->bytes -= end - candidate.bytes.begin;
          --ring_->messages;
        }
        candidate.bytes.begin = end;
        --candidate.messages;
        return true;
      }
      for (std::uint32_t j = i; j > 0; --j) std::swap(at(j), at(j - 1));
      pop_front();
      return true;
    }
    return false;
  }

  /// All that waits, if it is one piece.
  bytes_view lone() const noexcept {
    return ring_ || !lone_.bytes.block ? bytes_view() : lone_.bytes.view();
  }

  /// Whether it is messages of a run, and this is the next of it.
  [[gnu::always_inline]] bool lone_is_followed_by(payload_slice const& next) const noexcept {
    return lone_.is_plain() && lone_.bytes.is_followed_by(next);
  }
  backlog queued_lone() const noexcept { return {lone_.bytes.size(), lone_.messages}; }
  /// Pushes what `lone_is_followed_by`.
  void extend_lone(payload_slice const& next) noexcept { lone_.extend(next); }

  /// It has left. Precondition: `lone()` was not empty.
  void pop_lone() noexcept { lone_ = {}; }

  /// Fills `views` with what goes next, in order; returns how many it filled.
  std::size_t gather(std::span<bytes_view> views) const noexcept {
    std::uint32_t const pieces = count();
    std::size_t filled = 0;
    for (; filled < views.size() && filled < pieces; ++filled) {
      views[filled] = at(static_cast<std::uint32_t>(filled)).bytes.view();
    }
    return filled;
  }

  /// The first `size` gathered bytes have left.
  void consume(std::size_t size, block_pool& pool) {
    while (!empty()) {
      std::size_t const left = at(0).bytes.size();
      if (size < left) {
        if (size > 0) begin_front(static_cast<std::uint32_t>(size), pool);
        return;
      }
      size -= left;
      pop_front();
      if (ring_ && ring_->count == 0) release(pool);
    }
  }

  /// Forgets everything and gives its memory back; also the last call before the pool goes.
  void clear(block_pool& pool) noexcept {
    while (count() > 0) pop_front();
    release(pool);
  }

 private:
  enum class kind : std::uint8_t { plain, keyed, control, pong };

  // A piece: a message, or several of a run, without what has left of the first.
  struct entry {
    payload_slice bytes{};
    std::uint64_t key = 0;
    std::uint32_t messages = 0;
    kind what = kind::plain;
    bool begun = false;

    bool is_plain() const noexcept { return what == kind::plain && !begun; }
    void extend(payload_slice const& next) noexcept {
      bytes.end = next.end;
      ++messages;
    }
    bool is_control() const noexcept { return what == kind::control || what == kind::pong; }
  };

  // More than one piece: this, and behind it in memory `capacity` of them.
  struct ring {
    std::size_t bytes = 0;
    std::uint32_t capacity = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t messages = 0;
    std::uint32_t pongs = 0;
    std::uint32_t controls = 0;  // pongs included

    entry& at(std::uint32_t index) noexcept {
      return reinterpret_cast<entry*>(this + 1)[(first + index) & (capacity - 1)];
    }
    void count_in(entry const& one) noexcept {
      bytes += one.bytes.size();
      messages += one.messages;
      pongs += one.what == kind::pong ? 1 : 0;
      controls += one.is_control() ? 1 : 0;
    }
    void count_out(entry const& one) noexcept {
      bytes -= one.bytes.size();
      messages -= one.messages;
      pongs -= one.what == kind::pong ? 1 : 0;
      controls -= one.is_control() ? 1 : 0;
    }
  };
  static_assert(sizeof(ring) % alignof(entry) == 0);
  static constexpr std::uint32_t max_pongs = 16;
  static constexpr std::uint32_t least_capacity = 4;

  std::uint32_t count() const noexcept { return ring_ ? ring_->count : lone_.bytes.block ? 1 : 0; }
  entry& at(std::uint32_t index) noexcept { return ring_ ? ring_->at(index) : lone_; }
  entry const& at(std::uint32_t index) const noexcept { return ring_ ? ring_->at(index) : lone_; }

  void append(entry&& one, block_pool& pool) {
    if (!ring_ && !lone_.bytes.block) {
      lone_ = std::move(one);
      return;
    }
    widen(pool);
    ring_->count_in(one);
    ::new (static_cast<void*>(&ring_->at(ring_->count))) entry(std::move(one));
    ++ring_->count;
  }

  void prepend(entry&& one, block_pool& pool) {
    widen(pool);
    ring_->count_in(one);
    ring_->first = (ring_->first + ring_->capacity - 1) & (ring_->capacity - 1);
    ++ring_->count;
    ::new (static_cast<void*>(&ring_->at(0))) entry(std::move(one));
  }

  void exchange(entry& old, payload_slice& fresh) noexcept {
    if (ring_) ring_->bytes = ring_->bytes - old.bytes.size() + fresh.size();
    std::swap(old.bytes, fresh);
  }

  // So much of the first piece has left, and not all. Of a run only the message that has begun to
  // leave can't be dropped any more: those behind it become a piece of their own.
  void begin_front(std::uint32_t size, block_pool& pool) {
    entry* front = &at(0);
    front->bytes.begin += size;
    front->begun = true;
    if (ring_) ring_->bytes -= size;
    if (front->messages == 1) return;
    auto const first = payload_run::first_of(front->bytes);
    if (ring_) ring_->messages -= front->messages - first.count;
    front->messages = first.count;
    front->begun = first.begin < front->bytes.begin;
    if (!front->begun || first.count == 1) return;
    widen(pool);
    front = &at(0);
    entry begun{{front->bytes.block, front->bytes.begin, first.end}, 0, 1, kind::plain, true};
    ring_->count_out(begun);
    front->bytes.begin = first.end;
    front->begun = false;
    --front->messages;
    prepend(std::move(begun), pool);
  }

  void pop_front() noexcept {
    if (!ring_) {
      lone_ = {};
      return;
    }
    entry& front = ring_->at(0);
    ring_->count_out(front);
    std::destroy_at(&front);
    ring_->first = (ring_->first + 1) & (ring_->capacity - 1);
    --ring_->count;
  }

  // Makes room for one more piece.
  void widen(block_pool& pool) {
    if (!ring_ || ring_->count == ring_->capacity) grow(pool);
  }

  [[gnu::noinline]] void grow(block_pool& pool) {
    std::uint32_t const wider = ring_ ? ring_->capacity * 2 : least_capacity;
    auto* const made = ::new (pool.allocate(size_of(wider))) ring;
    made->capacity = wider;
    for (std::uint32_t const pieces = count(); made->count < pieces; ++made->count) {
      entry& moved = at(made->count);
      made->count_in(moved);
      ::new (static_cast<void*>(&made->at(made->count))) entry(std::move(moved));
      if (ring_) std::destroy_at(&moved);
    }
    release(pool);
    lone_ = {};
    ring_ = made;
  }

  static std::size_t size_of(std::uint32_t capacity) noexcept {
    return sizeof(ring) + capacity * sizeof(entry);
  }

  void release(block_pool& pool) noexcept {
    if (ring_) pool.deallocate(ring_, size_of(ring_->capacity));
    ring_ = nullptr;
  }

  entry lone_;
  ring* ring_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
