// What the kernel knows about a process: CPU time, time spent runnable but waiting, memory.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace load {

struct cpu_times {
  std::uint64_t running_ns = 0;  ///< on a core, all threads
  std::uint64_t waiting_ns = 0;  ///< runnable while something else had the core

  cpu_times since(cpu_times earlier) const noexcept {
    return {running_ns - earlier.running_ns, waiting_ns - earlier.waiting_ns};
  }
};

inline std::string read_small_file(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string content(8192, '\0');
  ssize_t const got = ::read(fd, content.data(), content.size());
  ::close(fd);
  content.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return content;
}

/// utime + stime of /proc/PID/stat, in ticks of 10 ms: for kernels without schedstat.
inline std::optional<cpu_times> coarse_cpu_times(pid_t pid) {
  std::string const stat = read_small_file("/proc/" + std::to_string(pid) + "/stat");
  std::size_t const name_end = stat.rfind(')');
  unsigned long user = 0;
  unsigned long system = 0;
  if (name_end == std::string::npos ||
      std::sscanf(stat.c_str() + name_end + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
    return std::nullopt;
  }
  auto const tick_ns = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return cpu_times{(user + system) * tick_ns, 0};
}

/// The sum over all living threads; nothing when there is no such process.
inline std::optional<cpu_times> process_cpu_times(pid_t pid) {
  std::string const folder = "/proc/" + std::to_string(pid) + "/task";
  DIR* const tasks = ::opendir(folder.c_str());
  if (!tasks) return std::nullopt;
  cpu_times sum;
  bool found = false;
  while (dirent const* task = ::readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    unsigned long long running = 0;
    unsigned long long waiting = 0;
    std::string const text = read_small_file(folder + '/' + task->d_name + "/schedstat");
    if (std::sscanf(text.c_str(), "%llu %llu", &running, &waiting) != 2) continue;
    sum.running_ns += running;
    sum.waiting_ns += waiting;
    found = true;
  }
  ::closedir(tasks);
  if (!found) return coarse_cpu_times(pid);
  return sum;
}

/// Resident memory in bytes (VmRSS), in steps of 1 KiB.
inline std::optional<std::uint64_t> resident_bytes(pid_t pid) {
  std::string const status = read_small_file("/proc/" + std::to_string(pid) + "/status");
  std::size_t const at = status.find("VmRSS:");
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(status.c_str() + at + 6, nullptr, 10) * 1024;
}

}  // namespace load
