// What all peers have in common: their command line, their first line of output, their end.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace peer {

struct options {
  std::uint16_t port = 0;  ///< 0: the system chooses
  unsigned seconds = 600;  ///< then the program ends by itself
  bool broadcast = false;  ///< the bare echo only: everybody gets everything
};

inline options parse_command_line(int argc, char** argv) {
  options out;
  for (int i = 1; i < argc; ++i) {
    std::string_view const arg = argv[i];
    if (arg == "--broadcast") {
      out.broadcast = true;
    } else if (arg == "--port" && i + 1 < argc) {
      out.port = static_cast<std::uint16_t>(std::atoi(argv[++i]));
    } else if (arg == "--seconds" && i + 1 < argc) {
      out.seconds = static_cast<unsigned>(std::atoi(argv[++i]));
    } else {
      std::fprintf(stderr, "usage: %s [--port N] [--seconds N]\n", argv[0]);
      std::exit(2);
    }
  }
  return out;
}

inline void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

/// Prints the address, and arms the end: SIGTERM or the alarm, whichever comes first.
inline void announce(options const& chosen, unsigned port) {
  std::printf("listening on 127.0.0.1:%u\n", port);
  std::fflush(stdout);
  std::signal(SIGALRM, [](int) { ::_exit(0); });
  std::signal(SIGTERM, [](int) { ::_exit(0); });
  ::alarm(chosen.seconds);
}

}  // namespace peer
