// The server under load as a child process, on a core of its own.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../load/target.hpp"
#include "../load/unique_fd.hpp"

namespace arena {

/// Keeps this process on one core, if there is such a core.
inline void pin(unsigned core) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

class server_process {
 public:
  /// Starts it, and waits until it says where it listens. Throws `load::failure`.
  server_process(std::string const& path, std::vector<std::string> const& given) {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw load::failure("no pipe");
    std::vector<char*> words{const_cast<char*>(path.c_str())};
    for (auto const& one : given) words.push_back(const_cast<char*>(one.c_str()));
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      pin(0);
      ::execv(path.c_str(), words.data());
      ::_exit(127);
    }
    output_ = load::unique_fd(ends[0]);
    ::close(ends[1]);
    std::string const line = read_line();
    std::string_view const number = std::string_view(line).substr(line.rfind(':') + 1);
    if (std::from_chars(number.data(), number.data() + number.size(), port_).ec != std::errc{}) {
      throw load::failure("the server " + path + " doesn't say where it listens");
    }
  }
  server_process(server_process const&) = delete;
  server_process& operator=(server_process const&) = delete;
  ~server_process() {
    if (pid_ > 0) (void)end();
  }

  pid_t pid() const noexcept { return pid_; }
  std::uint16_t port() const noexcept { return port_; }

  /// Asks it to end, and answers what it says then.
  std::string end() {
    ::kill(pid_, SIGTERM);
    std::string said = read_line();
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return said;
  }

 private:
  std::string read_line() {
    std::string line;
    char one;
    while (::read(output_.get(), &one, 1) == 1 && one != '\n') line += one;
    return line;
  }

  load::unique_fd output_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace arena
