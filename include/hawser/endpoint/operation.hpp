// An operation under way, and the memory that Asio keeps it in.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/io_context.hpp>

#include <hawser/core/payload.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Memory for one operation in what it belongs to: for the one that is nearly always under way.
class operation_block {
 public:
  operation_block() noexcept = default;
  operation_block(operation_block const&) = delete;
  operation_block& operator=(operation_block const&) = delete;

  /// Null when it is taken or too small.
  void* take(std::size_t size, std::size_t alignment) noexcept {
    if (taken_ || size > sizeof memory_ || alignment > alignof(void*)) return nullptr;
    taken_ = true;
    return memory_;
  }
  /// False for what isn't this memory.
  bool give_back(void const* block) noexcept {
    if (block != memory_) return false;
    taken_ = false;
    return true;
  }

 private:
  alignas(void*) std::byte memory_[96];  // what Asio's waits take
  bool taken_ = false;
};

/// An allocator over a `block_pool`, for the handlers that Asio keeps; before that, over the block
/// of what they belong to.
template <class T>
class operation_allocator {
 public:
  using value_type = T;
  explicit operation_allocator(block_pool& pool, operation_block* own = nullptr) noexcept
      : pool_(&pool), own_(own) {}
  template <class U>
  operation_allocator(operation_allocator<U> const& other) noexcept
      : pool_(other.pool_), own_(other.own_) {}

  T* allocate(std::size_t count) {
    void* const own = own_ ? own_->take(count * sizeof(T), alignof(T)) : nullptr;
    return static_cast<T*>(own ? own : pool_->allocate(count * sizeof(T)));
  }
  void deallocate(T* at, std::size_t count) noexcept {
    if (own_ && own_->give_back(at)) return;
    pool_->deallocate(at, count * sizeof(T));
  }
  template <class U>
  bool operator==(operation_allocator<U> const& other) const noexcept {
    return pool_ == other.pool_ && own_ == other.own_;
  }

 private:
  template <class U>
  friend class operation_allocator;
  block_pool* pool_;
  operation_block* own_;
};

/// An operation under way: keeps what it belongs to, and takes its memory from there. One type for
/// all operations of `Self`: every other one would instantiate Asio's machinery again. On a strand
/// its memory is Asio's: there it may be held, when a loop ends, by what doesn't keep `Self`.
template <class Self>
class operation {
  static constexpr bool is_alone =
      std::same_as<typename Self::executor_type, asio::io_context::executor_type>;

 public:
  using allocator_type =
      std::conditional_t<is_alone, operation_allocator<std::byte>, std::allocator<std::byte>>;
  using outcome = void (Self::*)(std::error_code);

  operation(Self& self, outcome done) noexcept : self_(&self), done_(done) { self.retain(); }
  operation(operation&& other) noexcept
      : self_(std::exchange(other.self_, nullptr)), done_(other.done_) {}
  operation& operator=(operation&&) = delete;
  ~operation() {
    if (self_) self_->release();
  }
  void operator()(std::error_code error = {}) { (self_->*done_)(error); }
  allocator_type get_allocator() const noexcept {
    if constexpr (!is_alone) {
      return {};
    } else if constexpr (requires { self_->own_block(); }) {
      return allocator_type(self_->blocks(), &self_->own_block());
    } else {
      return allocator_type(self_->blocks());
    }
  }

 private:
  Self* self_;
  outcome done_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
