// What waits to be sent to one peer: whole messages, shared where several peers get the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <hawser/core/bytes.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// A queue of encoded messages. Holds memory (from the pool) only while something is queued.
/// Never cuts a message: what has begun to leave is finished first and can't be dropped or
/// replaced.
class outbox {
 public:
  outbox() noexcept = default;
  outbox(outbox const&) = delete;
  outbox& operator=(outbox const&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  backlog queued() const noexcept { return {bytes_, count_}; }
  /// Whether anything but control frames waits.
  bool holds_messages() const noexcept { return count_ > controls_; }

  void push(payload bytes, message_key key, block_pool& pool) {
    append(std::move(bytes), key.value_or(0), kind_of(key), pool);
  }

  /// Bytes of messages that have begun to leave already: they go first and can't be dropped.
  /// Precondition: empty.
  void push_begun(payload rest, block_pool& pool) {
    append(std::move(rest), 0, kind::begun, pool);
  }

  /// Likewise, before everything that is queued. Precondition: nothing queued has begun to leave.
  void push_front_begun(payload rest, block_pool& pool) {
    if (count_ == capacity_) grow(pool);
    bytes_ += rest.size();
    first_ = (first_ + capacity_ - 1) & (capacity_ - 1);
    ++count_;
    ::new (static_cast<void*>(&at(0))) entry{std::move(rest), 0, kind::begun};
  }

  /// A control frame: never dropped, not a message to the policy.
  void push_control(payload frame, block_pool& pool) {
    append(std::move(frame), 0, kind::control, pool);
    ++controls_;
  }

  /// A pong. At most 16 wait, later ones take the place of the newest: answering the latest ping
  /// is enough (RFC 6455 section 5.5.3).
  void push_pong(payload frame, block_pool& pool) {
    if (pongs_ >= max_pongs) {
      for (std::uint32_t i = count_; i-- > 0;) {
        entry& at = this->at(i);
        if (at.what != kind::pong || is_begun(i)) continue;
        bytes_ = bytes_ - at.bytes.size() + frame.size();
        at.bytes = std::move(frame);
        return;
      }
    }
    ++pongs_;
    ++controls_;
    append(std::move(frame), 0, kind::pong, pool);
  }

  /// Puts the message in the place of the queued one with this key. False: there is none.
  bool replace(std::uint64_t key, payload& bytes) noexcept {
    for (std::uint32_t i = count_; i-- > 0;) {
      entry& at = this->at(i);
      if (at.what != kind::keyed || at.key != key || is_begun(i)) continue;
      bytes_ = bytes_ - at.bytes.size() + bytes.size();
      std::swap(at.bytes, bytes);
      return true;
    }
    return false;
  }

  /// Drops the oldest message that has not begun to leave. False: there is none.
  bool drop_oldest() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) {
      entry const& candidate = at(i);
      bool const is_message = candidate.what == kind::plain || candidate.what == kind::keyed;
      if (!is_message || is_begun(i)) continue;
      bytes_ -= candidate.bytes.size();
      for (std::uint32_t j = i; j > 0; --j) std::swap(at(j), at(j - 1));
      pop_front();
      return true;
    }
    return false;
  }

  /// Fills `views` with what goes next, in order; returns how many it filled.
  std::size_t gather(std::span<bytes_view> views) const noexcept {
    std::size_t filled = 0;
    for (; filled < views.size() && filled < count_; ++filled) {
      bytes_view const bytes = at(static_cast<std::uint32_t>(filled)).bytes.view();
      views[filled] = filled == 0 ? bytes.subspan(sent_) : bytes;
    }
    return filled;
  }

  /// The first `count` gathered bytes have left.
  void consume(std::size_t count, block_pool& pool) noexcept {
    bytes_ -= count;
    while (count_ > 0) {
      std::size_t const left = at(0).bytes.size() - sent_;
      if (count < left) {
        sent_ += count;
        return;
      }
      count -= left;
      sent_ = 0;
      pop_front();
    }
    release(pool);
  }

  /// Forgets everything and gives its memory back; also the last call before the pool goes.
  void clear(block_pool& pool) noexcept {
    while (count_ > 0) pop_front();
    bytes_ = sent_ = 0;
    release(pool);
  }

 private:
  enum class kind : std::uint8_t { plain, keyed, control, pong, begun };
  struct entry {
    payload bytes;
    std::uint64_t key;
    kind what;
  };
  static constexpr std::uint32_t max_pongs = 16;

  static kind kind_of(message_key key) noexcept { return key ? kind::keyed : kind::plain; }
  entry& at(std::uint32_t index) noexcept { return ring_[(first_ + index) & (capacity_ - 1)]; }
  entry const& at(std::uint32_t index) const noexcept {
    return ring_[(first_ + index) & (capacity_ - 1)];
  }
  bool is_begun(std::uint32_t index) const noexcept { return index == 0 && sent_ > 0; }

  void append(payload&& bytes, std::uint64_t key, kind what, block_pool& pool) {
    if (count_ == capacity_) grow(pool);
    bytes_ += bytes.size();
    ::new (static_cast<void*>(&at(count_))) entry{std::move(bytes), key, what};
    ++count_;
  }

  void pop_front() noexcept {
    kind const what = at(0).what;
    if (what == kind::pong) --pongs_;
    if (what == kind::pong || what == kind::control) --controls_;
    at(0).~entry();
    first_ = (first_ + 1) & (capacity_ - 1);
    --count_;
  }

  [[gnu::noinline]] void grow(block_pool& pool) {
    std::uint32_t const wider = capacity_ == 0 ? 8 : capacity_ * 2;
    auto* const ring = static_cast<entry*>(pool.allocate(wider * sizeof(entry)));
    for (std::uint32_t i = 0; i < count_; ++i) {
      ::new (static_cast<void*>(ring + i)) entry(std::move(at(i)));
      at(i).~entry();
    }
    if (ring_) pool.deallocate(ring_, capacity_ * sizeof(entry));
    ring_ = ring;
    capacity_ = wider;
    first_ = 0;
  }

  void release(block_pool& pool) noexcept {
    if (ring_) pool.deallocate(ring_, capacity_ * sizeof(entry));
    ring_ = nullptr;
    capacity_ = first_ = 0;
  }

  entry* ring_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t sent_ = 0;  // bytes of the first entry that have left
  std::uint32_t capacity_ = 0;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t pongs_ = 0;
  std::uint32_t controls_ = 0;  // pongs included
};

}  // namespace hawser::inline HAWSER_ABI
