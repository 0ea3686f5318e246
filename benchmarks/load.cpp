// load: a load generator for WebSocket servers. `load --help` says how it is used.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdint>
#include <string>

#include "load/generator.hpp"
#include "load/options.hpp"
#include "load/process.hpp"
#include "load/report.hpp"
#include "load/socketio.hpp"
#include "load/target.hpp"

namespace {

using namespace load;

constexpr std::uint64_t millisecond_ns = 1'000'000;

std::uint64_t server_memory(pid_t pid) {
  ::usleep(300'000);  // let the server finish, and the kernel's counters settle
  auto const bytes = resident_bytes(pid);
  if (!bytes) throw failure("there is no process " + std::to_string(pid));
  return *bytes;
}

void run_idle(generator& traffic, options const& chosen, progress const& show) {
  auto const count = static_cast<double>(chosen.connections);
  auto const before = static_cast<double>(server_memory(chosen.pid));
  auto const cpu_before = process_cpu_times(chosen.pid).value_or(cpu_times{});
  traffic.open_all(show);
  idle_cost cost;
  cost.fresh = (static_cast<double>(server_memory(chosen.pid)) - before) / count;
  auto const cpu = process_cpu_times(chosen.pid).value_or(cpu_before).since(cpu_before);
  cost.open_cpu_ns = static_cast<double>(cpu.running_ns) / count;
  traffic.run(10 * second_ns, show, true);
  cost.used = (static_cast<double>(server_memory(chosen.pid)) - before) / count;
  print_idle(chosen, cost);
}

/// One command a line: `run MS`. Ends with the input, or when it reads `quit`.
void obey_commands(generator& traffic, options const& chosen, progress const& show) {
  std::puts(R"({"ready":true})");
  std::fflush(stdout);
  std::string pending;
  for (;;) {
    std::size_t const line_end = pending.find('\n');
    if (line_end == pending.npos) {
      traffic.wait_for_input(STDIN_FILENO);
      char chunk[256];
      ssize_t const got = ::read(STDIN_FILENO, chunk, sizeof chunk);
      if (got <= 0) return;
      pending.append(chunk, static_cast<std::size_t>(got));
      continue;
    }
    std::string const line = pending.substr(0, line_end);
    pending.erase(0, line_end + 1);
    if (line == "quit") return;
    if (!line.starts_with("run ")) throw failure("unknown command: " + line);
    auto const length = number_from<std::uint64_t>("run", line.c_str() + 4, 1, 86'400'000);
    print_json(chosen, traffic.run(length * millisecond_ns, show));
  }
}

int run(options const& chosen) {
  target where = find_target(chosen.url);
  if (chosen.socketio && !where.raw) {
    where.url.target = socketio::endpoint(where.url.target, chosen.polling);
  }
  generator traffic(chosen, where);
  progress_bar bar(chosen.what != mode::controlled);
  progress const show = [&bar](double fraction, std::uint64_t count, char const* what) {
    bar.show(fraction, count, what);
  };
  if (chosen.what == mode::idle) {
    run_idle(traffic, chosen, show);
  } else {
    traffic.open_all(show);
    if (chosen.what == mode::controlled) {
      obey_commands(traffic, chosen, show);
    } else {
      auto const length = static_cast<std::uint64_t>(chosen.duration * 1e9);
      auto const result = traffic.run(length, show);
      bar.clear();
      if (chosen.json) print_json(chosen, result);
      if (!chosen.json) print_text(result);
    }
  }
  traffic.close_all();
  if (traffic.errors() == 0) return 0;
  std::fprintf(stderr, "load: %llu errors; the first: %s\n",
               static_cast<unsigned long long>(traffic.errors()), traffic.first_error().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  load::options const chosen = load::parse_command_line(argc, argv);
  try {
    return run(chosen);
  } catch (load::failure const& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 1;
  }
}
