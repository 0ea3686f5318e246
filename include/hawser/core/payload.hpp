// Encoded bytes that many send queues share, and the pool they come from.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// Recycled memory of one thread, in blocks of powers of two from 64 bytes to 2 MiB. What is
/// larger comes from the heap. Keeps 256 KiB of spare blocks of each size, and beyond that as many
/// as were in use at once not long ago: what every tick needs isn't given back in between.
class block_pool {
 public:
  block_pool() noexcept = default;
  block_pool(block_pool const&) = delete;
  block_pool& operator=(block_pool const&) = delete;
  ~block_pool() {
    for (auto& list : spare_) {
      while (list.first) ::operator delete(std::exchange(list.first, list.first->next));
    }
  }

  void* allocate(std::size_t size) {
    std::size_t const index = class_of(size);
    if (index >= classes) return ::operator new(size);
    auto& list = spare_[index];
    if (++list.in_use > list.peak) list.peak = list.in_use;
    if (!list.first) return fresh(list, index);
    --list.count;
    return std::exchange(list.first, list.first->next);
  }

  void deallocate(void* block, std::size_t size) noexcept {
    std::size_t const index = class_of(size);
    if (index >= classes) return ::operator delete(block);
    auto& list = spare_[index];
    --list.in_use;
    if (!keeps(list, index, list.count + 1)) return ::operator delete(block);
    list.first = ::new (block) node{list.first};
    ++list.count;
  }

  /// Some seconds have passed: what wasn't needed for long is given back, an eighth each time. Less
  /// than a quarter stays: a load that only varies must not allocate again and again.
  void age() noexcept {
    for (auto& list : spare_) {
      if (list.peak <= list.wanted - list.wanted / 4) list.wanted -= (list.wanted + 7) / 8;
      list.wanted = std::max(list.peak, list.wanted);
      list.peak = list.in_use;
    }
    trim();
  }

  /// Nothing is needed for now.
  void rest() noexcept {
    for (auto& list : spare_) list.wanted = list.peak = 0;
    trim();
  }

 private:
  struct node {
    node* next;
  };
  struct spare_list {
    node* first = nullptr;
    std::size_t count = 0;
    std::size_t in_use = 0;
    std::size_t peak = 0;    // of those in use, since `age`
    std::size_t wanted = 0;  // for what was in use at once before
  };
  static constexpr std::size_t min_block = 64;
  static constexpr std::size_t classes = 16;
  static constexpr std::size_t max_spare_bytes = 256 * 1024;

  static std::size_t class_of(std::size_t size) noexcept {
    return static_cast<std::size_t>(std::bit_width((std::max(size, min_block) - 1) / min_block));
  }

  static bool keeps(spare_list const& list, std::size_t index, std::size_t spare) noexcept {
    return spare <= (max_spare_bytes >> index) / min_block ||
           spare + list.in_use <= std::max(list.peak, list.wanted);
  }

  void trim() noexcept {
    for (std::size_t index = 0; index < classes; ++index) {
      auto& list = spare_[index];
      while (list.first && !keeps(list, index, list.count)) {
        ::operator delete(std::exchange(list.first, list.first->next));
        --list.count;
      }
    }
  }

  static void* fresh(spare_list& list, std::size_t index) {
    try {
      return ::operator new(min_block << index);
    } catch (...) {
      --list.in_use;
      throw;
    }
  }

  std::array<spare_list, classes> spare_;
};

/// A reference to encoded bytes, immutable once a second reference exists. Counting is not
/// atomic: a payload belongs to one thread at a time, and is handed over whole.
class payload {
 public:
  payload() noexcept = default;
  payload(payload const& other) noexcept : block_(other.block_) {
    if (block_) ++block_->references;
  }
  payload(payload&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  payload& operator=(payload other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~payload() {
    if (block_ && --block_->references == 0) {
      std::size_t const size = sizeof(header) + block_->size;
      block_pool* const pool = block_->pool;
      pool ? pool->deallocate(block_, size) : ::operator delete(block_);
    }
  }

  /// Uninitialised bytes from the pool, which must outlive them; from the heap without one, for
  /// payloads that are built on another thread.
  static payload make(std::size_t size, block_pool* pool) {
    void* const memory =
        pool ? pool->allocate(sizeof(header) + size) : ::operator new(sizeof(header) + size);
    payload made;
    made.block_ = ::new (memory) header{pool, size, 1};
    return made;
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  std::size_t size() const noexcept { return block_ ? block_->size : 0; }
  bytes_view view() const noexcept { return {bytes(), size()}; }

  /// To fill it. Precondition: not shared yet, or nobody else has been shown these bytes.
  std::byte* data() noexcept { return bytes(); }

  /// Whether somebody else refers to the same bytes.
  bool is_shared() const noexcept { return block_ && block_->references > 1; }
  bool same_as(payload const& other) const noexcept { return block_ == other.block_; }

  /// What a payload costs beside its bytes.
  static constexpr std::size_t overhead = 3 * sizeof(std::size_t);

 private:
  struct header {
    block_pool* pool;
    std::size_t size;
    std::size_t references;
  };
  static_assert(sizeof(header) == overhead);
  std::byte* bytes() const noexcept { return reinterpret_cast<std::byte*>(block_ + 1); }

  header* block_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
