// Encoded messages behind each other in memory, as many send queues get them one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <hawser/core/bytes.hpp>
#include <hawser/core/payload.hpp>

namespace hawser::inline HAWSER_ABI {

/// A part of a payload: one message, or several of a `payload_run` that follow each other. Smaller
/// than 4 GiB.
struct payload_slice {
  payload block{};
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  payload_slice() noexcept = default;
  payload_slice(payload part_of, std::uint32_t from, std::uint32_t to) noexcept
      : block(std::move(part_of)), begin(from), end(to) {}
  /// All of it.
  payload_slice(payload whole) noexcept
      : block(std::move(whole)), end(static_cast<std::uint32_t>(block.size())) {}

  std::size_t size() const noexcept { return end - begin; }
  bytes_view view() const noexcept { return block.view().subspan(begin, size()); }

  /// Whether `next` lies right behind it, so that both are one piece.
  bool is_followed_by(payload_slice const& next) const noexcept {
    return end == next.begin && block.same_as(next.block);
  }
};

/// Where broadcasts are encoded, one behind the other, in blocks that are shared by whoever has one
/// of them queued. What a queue gets of them in a row is one piece to it: one reference, one write.
///
/// A block begins with the messages and ends, backwards, with their number and where each of them
/// ends: so a queue can still tell them apart when it has to drop one.
class payload_run {
 public:
  /// Larger messages get a payload of their own: they would leave much of a block unused.
  static constexpr std::size_t max_message = 4096;

  /// A copy of one or two pieces as one message, which begins a new block when the last one has no
  /// room. Precondition: neither empty nor longer than `max_message`.
  payload_slice append(bytes_view head, bytes_view body, block_pool& pool) {
    std::size_t const size = head.size() + body.size();
    if (!block_ || used_ + size + (count_ + 2) * sizeof(std::uint32_t) > block_size) {
      block_ = payload::make(block_size, &pool);
      used_ = count_ = 0;
    } else if (!block_.is_shared()) {
      used_ = count_ = 0;  // all of it has left
    }
    std::byte* const at = block_.data() + used_;
    if (!head.empty()) std::memcpy(at, head.data(), head.size());
    if (!body.empty()) std::memcpy(at + head.size(), body.data(), body.size());
    std::uint32_t const begin = used_;
    used_ += static_cast<std::uint32_t>(size);
    write(block_, ++count_, used_);
    write(block_, 0, count_);
    return {block_, begin, used_};
  }

  /// The first message of a slice, which may have begun before it, and how many the slice touches.
  struct first_message {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t count;
  };

  /// Precondition: `slice` is of a run, not empty, and ends where a message does.
  static first_message first_of(payload_slice const& slice) noexcept {
    std::uint32_t const first = message_at(slice.block, slice.begin);
    std::uint32_t const last = message_at(slice.block, slice.end - 1);
    std::uint32_t const begin = first == 1 ? 0 : read(slice.block, first - 1);
    return {begin, read(slice.block, first), last - first + 1};
  }

 private:
  // With what a payload adds, the pool's class of 16 KiB.
  static constexpr std::size_t block_size = 16 * 1024 - payload::overhead;

  static std::size_t place(std::size_t index) noexcept {
    return block_size - (index + 1) * sizeof(std::uint32_t);
  }
  static void write(payload& block, std::size_t index, std::uint32_t number) noexcept {
    std::memcpy(block.data() + place(index), &number, sizeof number);
  }
  static std::uint32_t read(payload const& block, std::size_t index) noexcept {
    std::uint32_t number;
    std::memcpy(&number, block.view().data() + place(index), sizeof number);
    return number;
  }

  // The number, from 1, of the message with this byte.
  static std::uint32_t message_at(payload const& block, std::uint32_t byte) noexcept {
    std::uint32_t low = 1;
    std::uint32_t high = read(block, 0);
    while (low < high) {  // the first that ends behind it
      std::uint32_t const middle = low + (high - low) / 2;
      read(block, middle) > byte ? high = middle : low = middle + 1;
    }
    return low;
  }

  payload block_;
  std::uint32_t used_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
