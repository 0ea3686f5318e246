// Objects whose memory comes from a pool.
#pragma once

#include <cstddef>
#include <new>

#include <hawser/core/payload.hpp>

namespace hawser::inline HAWSER_ABI {

/// Base of a `T` made by `new (pool) T(pool, ...)`, and deleted like everything else. For what
/// comes and goes beside what stays: on the heap it would leave holes between the latter.
template <class T>
class pooled {
 public:
  static void* operator new(std::size_t size, block_pool& pool) { return pool.allocate(size); }
  static void operator delete(void* at, block_pool& pool) noexcept {
    pool.deallocate(at, sizeof(T));
  }
  static void operator delete(pooled* at, std::destroying_delete_t) noexcept {
    block_pool& pool = *at->pool_;
    T* const whole = static_cast<T*>(at);
    whole->~T();
    pool.deallocate(whole, sizeof(T));
  }

 protected:
  /// `pool` outlives it.
  explicit pooled(block_pool& pool) noexcept : pool_(&pool) {}
  ~pooled() = default;
  pooled(pooled const&) = delete;
  pooled& operator=(pooled const&) = delete;

 private:
  block_pool* pool_;
};

}  // namespace hawser::inline HAWSER_ABI
