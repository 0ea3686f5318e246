// Counts what the whole program allocates and writes. Included by one source only.
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace arena {

/// Calls of malloc and its like, since the program began.
inline constinit std::uint64_t allocations = 0;

/// Writes to sockets, since the program began. Those to players are told from the others.
struct write_counts {
  static constexpr std::size_t most_files = 65'536;

  std::uint64_t to_players = 0;
  std::uint64_t to_others = 0;
  std::uint64_t again = 0;  ///< to a player that had a write since the last tick
  std::uint32_t tick = 1;
  std::array<std::uint32_t, most_files> last{};  ///< of a player: the tick of its last write
  std::array<bool, most_files> is_player{};

  void count(int fd) noexcept {
    auto const at = static_cast<std::size_t>(fd);
    if (at >= most_files || !is_player[at]) {
      ++to_others;
      return;
    }
    ++to_players;
    if (last[at] == tick) ++again;
    last[at] = tick;
  }
};
inline constinit write_counts writes;

/// CPU time of this thread. The sum is exact, how the kernel splits it is by samples.
struct cpu_time {
  std::uint64_t all_ns = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};

inline cpu_time thread_cpu_time() noexcept {
  timespec all{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &all);
  rusage split{};
  ::getrusage(RUSAGE_THREAD, &split);
  auto const from = [](timeval const& at) {
    return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(at.tv_usec) * 1'000;
  };
  return {static_cast<std::uint64_t>(all.tv_sec) * 1'000'000'000 +
              static_cast<std::uint64_t>(all.tv_nsec),
          from(split.ru_utime), from(split.ru_stime)};
}

}  // namespace arena

// glibc's own names, so that what libraries allocate is counted too, their operator new included.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++arena::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  ++arena::allocations;
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  ++arena::allocations;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++arena::allocations;
  return __libc_memalign(alignment, size);
}

ssize_t send(int fd, void const* data, std::size_t size, int flags) {
  arena::writes.count(fd);
  return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
ssize_t sendmsg(int fd, msghdr const* message, int flags) {
  arena::writes.count(fd);
  return ::syscall(SYS_sendmsg, fd, message, flags);
}
}
