// Replaces operator new of the test program by one that counts.
#include "allocations.hpp"

#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define HAWSER_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAWSER_TEST_SANITIZED 1
#endif

namespace {

constinit std::size_t count = 0;

}  // namespace

namespace hawser_test {

std::size_t allocations() noexcept { return count; }

#if defined(HAWSER_TEST_SANITIZED)

extern bool const allocations_counted = false;

}  // namespace hawser_test

#else

extern bool const allocations_counted = true;

}  // namespace hawser_test

void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  ++count;
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  void* const made = operator new(size, std::nothrow);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept {
  return operator new(size, std::nothrow);
}
void operator delete(void* what) noexcept { std::free(what); }
void operator delete(void* what, std::size_t) noexcept { std::free(what); }
void operator delete(void* what, std::nothrow_t const&) noexcept { std::free(what); }
void operator delete[](void* what) noexcept { std::free(what); }
void operator delete[](void* what, std::size_t) noexcept { std::free(what); }
void operator delete[](void* what, std::nothrow_t const&) noexcept { std::free(what); }

#endif
