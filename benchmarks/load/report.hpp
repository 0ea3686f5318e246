// What the user sees: a progress bar while it runs, and the figures at the end.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "generator.hpp"
#include "options.hpp"

namespace load {

/// A line on stderr that is drawn again ten times a second; nothing when stderr is no terminal.
class progress_bar {
 public:
  explicit progress_bar(bool wanted) noexcept : shown_(wanted && ::isatty(STDERR_FILENO) == 1) {}
  ~progress_bar() { clear(); }

  void show(double fraction, std::uint64_t count, char const* what) {
    if (!shown_) return;
    std::uint64_t const now = now_ns();
    if (now - drawn_ < second_ns / 10) return;
    drawn_ = now;
    auto const filled = static_cast<int>(fraction * width);
    std::fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %llu %s\033[K", filled, bar, width - filled, "",
                 fraction * 100, static_cast<unsigned long long>(count), what);
  }

  void clear() {
    if (shown_ && drawn_ > 0) std::fputs("\r\033[K", stderr);
    drawn_ = 0;
  }

 private:
  static constexpr int width = 40;
  static constexpr char bar[] = "========================================";

  bool shown_;
  std::uint64_t drawn_ = 0;
};

inline double seconds(std::uint64_t ns) noexcept { return static_cast<double>(ns) * 1e-9; }

inline double per_second(window_result const& result) noexcept {
  return result.elapsed_ns == 0 ? 0
                                : static_cast<double>(result.messages) / seconds(result.elapsed_ns);
}

inline double per_message(window_result const& result) noexcept {
  return result.messages == 0
             ? 0
             : static_cast<double>(result.server.running_ns) / static_cast<double>(result.messages);
}

inline double microseconds(window_result const& result, double quantile) noexcept {
  return static_cast<double>(result.latency.quantile(quantile)) * 1e-3;
}

inline void print_json(options const& chosen, window_result const& result) {
  auto whole = [](std::uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf(
      R"({"connections":%zu,"in_flight":%zu,"size":%zu,"kind":"%s","messages":%llu,"seconds":%.6f,)"
      R"("messages_per_second":%.1f,"latency_us":{"p50":%.1f,"p90":%.1f,"p99":%.1f,"p99_9":%.1f,)"
      R"("max":%.1f},"client_cpu_ns":%llu,"client_wait_ns":%llu,"unanswered":%llu,"errors":%llu)",
      chosen.connections, chosen.in_flight, chosen.size, chosen.text ? "text" : "binary",
      whole(result.messages), seconds(result.elapsed_ns), per_second(result),
      microseconds(result, 0.5), microseconds(result, 0.9), microseconds(result, 0.99),
      microseconds(result, 0.999), static_cast<double>(result.latency.max()) * 1e-3,
      whole(result.client.running_ns), whole(result.client.waiting_ns), whole(result.unanswered),
      whole(result.errors));
  if (result.server_known) {
    std::printf(R"(,"server_cpu_ns":%llu,"server_wait_ns":%llu,"server_cpu_ns_per_message":%.1f)",
                whole(result.server.running_ns), whole(result.server.waiting_ns),
                per_message(result));
  }
  std::puts("}");
  std::fflush(stdout);
}

inline void print_text(window_result const& result) {
  std::printf("messages      %llu in %.3f s: %.0f a second\n",
              static_cast<unsigned long long>(result.messages), seconds(result.elapsed_ns),
              per_second(result));
  std::printf("latency, us   p50 %.1f   p90 %.1f   p99 %.1f   p99.9 %.1f   max %.1f\n",
              microseconds(result, 0.5), microseconds(result, 0.9), microseconds(result, 0.99),
              microseconds(result, 0.999), static_cast<double>(result.latency.max()) * 1e-3);
  if (result.server_known) std::printf("server CPU    %.0f ns a message\n", per_message(result));
  if (result.unanswered > 0) {
    std::printf("unanswered    %llu\n", static_cast<unsigned long long>(result.unanswered));
  }
}

/// What the connections of --idle cost the server, in bytes.
struct idle_cost {
  double fresh = 0;
  double used = 0;
  double open_cpu_ns = 0;
};

inline void print_idle(options const& chosen, idle_cost const& cost) {
  char const* const format =
      chosen.json
          ? R"({"connections":%zu,"bytes_per_connection":%.1f,"bytes_after_echo":%.1f,"open_cpu_ns":%.0f})"
            "\n"
          : "connections   %zu\nserver memory %.0f B a connection, %.0f B after one echo each\n"
            "server CPU    %.0f ns to open a connection\n";
  std::printf(format, chosen.connections, cost.fresh, cost.used, cost.open_cpu_ns);
}

}  // namespace load
