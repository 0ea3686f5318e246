// The memory that all connections of one server or client share.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/core/random.hpp>

namespace hawser::inline HAWSER_ABI {

/// One receive buffer, one send buffer, one pool, and the framing's shared state: an idle
/// connection holds none of them. The buffers are taken at the first use.
template <class Framing>
class workspace {
 public:
  struct sizes {
    std::size_t receive_buffer = 64 * 1024;
    std::size_t send_buffer = 64 * 1024;
  };

  workspace(sizes const& wanted, typename Framing::options const& framing, random_source random)
      : sizes_(wanted), framing_(framing, random) {}

  /// Where reads go. Behind it lie 64 bytes that parsers may read past the end.
  mutable_bytes receive_buffer() {
    if (!receive_) receive_.reset(new std::byte[sizes_.receive_buffer + padding]);
    return {receive_.get(), sizes_.receive_buffer};
  }

  block_pool& blocks() noexcept { return blocks_; }
  typename Framing::shared& framing() noexcept { return framing_; }

  /// What the connection that is being read from has said meanwhile: it leaves in one write.
  bytes_view corked() const noexcept { return {cork_.get(), cork_used_}; }
  std::size_t cork_room() const noexcept { return sizes_.send_buffer - cork_used_; }
  std::size_t cork_size() const noexcept { return sizes_.send_buffer; }
  void uncork() noexcept { cork_used_ = 0; }

  /// Precondition: `bytes.size() <= cork_room()`.
  void cork(bytes_view bytes) {
    if (bytes.empty()) return;
    if (!cork_) cork_.reset(new std::byte[sizes_.send_buffer]);
    std::memcpy(cork_.get() + cork_used_, bytes.data(), bytes.size());
    cork_used_ += bytes.size();
  }

  /// Frames of messages that belong together and leave as one, put here behind each other.
  byte_buffer& group() noexcept {
    constexpr std::size_t max_idle = 256 * 1024;  // a large packet must not pin its memory
    group_.capacity() > max_idle ? group_.release() : group_.clear();
    return group_;
  }

  /// A copy of one or two pieces that can be queued.
  payload pack(bytes_view head, bytes_view body = {}) {
    payload packed = payload::make(head.size() + body.size(), &blocks_);
    if (!head.empty()) std::memcpy(packed.data(), head.data(), head.size());
    if (!body.empty()) std::memcpy(packed.data() + head.size(), body.data(), body.size());
    return packed;
  }

 private:
  static constexpr std::size_t padding = 64;

  sizes sizes_;
  block_pool blocks_;  // outlives the framing's state and everything queued
  std::unique_ptr<std::byte[]> receive_;
  std::unique_ptr<std::byte[]> cork_;
  std::size_t cork_used_ = 0;
  byte_buffer group_;
  typename Framing::shared framing_;
};

/// An allocator over a `block_pool`, for the handlers that Asio keeps.
template <class T>
class pool_allocator {
 public:
  using value_type = T;
  explicit pool_allocator(block_pool& pool) noexcept : pool_(&pool) {}
  template <class U>
  pool_allocator(pool_allocator<U> const& other) noexcept : pool_(other.pool_) {}

  T* allocate(std::size_t count) { return static_cast<T*>(pool_->allocate(count * sizeof(T))); }
  void deallocate(T* at, std::size_t count) noexcept { pool_->deallocate(at, count * sizeof(T)); }
  template <class U>
  bool operator==(pool_allocator<U> const& other) const noexcept {
    return pool_ == other.pool_;
  }

 private:
  template <class U>
  friend class pool_allocator;
  block_pool* pool_;
};

}  // namespace hawser::inline HAWSER_ABI
