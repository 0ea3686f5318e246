// A growable run of bytes that is never zero-filled and can be eaten from the front.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// Contiguous bytes. Grows by doubling from 512 bytes with what is put in, so that its memory
/// follows what has arrived and never what a length field claims.
///
/// Flow: `auto room = b.prepare(n);` write into it, `b.commit(written)`; or `b.append(bytes)`.
/// Read `b.view()`, then `b.consume(k)`. Empty buffers hold no memory after `release()`.
class byte_buffer {
 public:
  byte_buffer() noexcept = default;
  byte_buffer(byte_buffer&& other) noexcept
      : storage_(std::move(other.storage_)),
        capacity_(std::exchange(other.capacity_, 0)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)) {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    storage_ = std::move(other.storage_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
  }

  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return end_ == begin_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::byte* data() noexcept { return storage_.get() + begin_; }
  std::byte const* data() const noexcept { return storage_.get() + begin_; }
  bytes_view view() const noexcept { return {data(), size()}; }
  mutable_bytes mutable_view() noexcept { return {data(), size()}; }

  /// At least `count` writable bytes behind the content; all that there are. Invalidates views.
  mutable_bytes prepare(std::size_t count) {
    if (capacity_ - end_ < count) make_room(count);
    return {storage_.get() + end_, capacity_ - end_};
  }

  /// Makes the first `count` prepared bytes part of the content.
  void commit(std::size_t count) noexcept { end_ += count; }

  void append(bytes_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  /// Drops `count` bytes from the front; `count <= size()`.
  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Forgets the content and keeps the memory.
  void clear() noexcept { begin_ = end_ = 0; }

  /// Forgets the content and gives the memory back.
  void release() noexcept {
    storage_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  // Out of line: what is called for every few bytes has to stay small enough to be inlined.
  [[gnu::noinline]] void make_room(std::size_t count) {
    std::size_t const held = size();
    if (begin_ > 0 && capacity_ - held >= count && begin_ >= held) {
      std::memcpy(storage_.get(), data(), held);  // no overlap: begin_ >= held
    } else {
      std::size_t const wanted = std::max({held + count, capacity_ * 2, std::size_t{512}});
      std::unique_ptr<std::byte[]> grown(new std::byte[wanted]);
      if (held > 0) std::memcpy(grown.get(), data(), held);
      storage_ = std::move(grown);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<std::byte[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
