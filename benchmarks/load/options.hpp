// The command line of the load generator.
#pragma once

#include <sys/types.h>

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "socketio.hpp"

namespace load {

enum class mode { traffic, idle, controlled };

struct options {
  std::string url;
  mode what = mode::traffic;
  bool broadcast = false;  ///< the first connection sends, all receive
  bool socketio = false;   ///< events of Socket.IO instead of bare messages
  bool polling = false;    ///< its transport is HTTP long-polling
  std::size_t connections = 100;
  std::size_t in_flight = 0;  ///< per connection; 0: 1, or 64 with a rate
  std::size_t size = 0;       ///< bytes of payload; 0: 20, or an event
  bool text = false;
  bool deflate = false;  ///< JSON, for which the server has to agree to permessage-deflate
  double ramp_up = 0;    ///< seconds
  double duration = 5;   ///< seconds
  double rate = 0;       ///< messages a second over all connections; 0: as fast as they return
  pid_t pid = 0;
  bool json = false;
};

inline constexpr char usage[] =
    R"(usage: load URL [options]     URL: ws://host:port/path, wss://, or tcp:// and
                             tls://host:port for a bare echo
  --connections N   connections (100)
  --in-flight N     unanswered messages per connection (1; 64 with --rate)
  --size B          bytes of payload (20)
  --text, --binary  kind of message (binary)
  --deflate         JSON, with permessage-deflate agreed: what comes back is counted and not checked
  --ramp-up S       seconds over which the connections are opened (0)
  --duration S      seconds of traffic (5)
  --rate R          messages a second over all connections, sent on schedule whether or not
                    earlier ones were answered; latency counts from the scheduled time
  --pid PID         the server: report its CPU time per message (and memory, with --idle)
  --json            one line of JSON on stdout
  --broadcast       the first connection sends, all receive; messages = deliveries
  --socketio        events with two numbers instead of messages, to a Socket.IO server that sends
                    `m` back to its sender and `all` to everybody (with --broadcast)
  --transport T     of --socketio: websocket or polling (websocket)
  --idle            report the server's memory per connection, idle and after one echo each
  --controlled      stay connected; each line "run MS" on stdin is one window, answered by one
                    line of JSON
Exit status: 0, 1 when the server failed in any way, 2 for a wrong command line.
)";

[[noreturn]] inline void wrong_usage(std::string_view why) {
  std::fprintf(stderr, "load: %.*s\n%s", static_cast<int>(why.size()), why.data(), usage);
  std::exit(2);
}

template <class Number>
Number number_from(std::string_view name, char const* text, double least, double most) {
  Number value{};
  std::string_view const all = text ? text : "";
  auto const [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  auto const wide = static_cast<double>(value);
  if (error != std::errc{} || end != all.data() + all.size() || wide < least || wide > most) {
    wrong_usage(std::string(name) + " needs a number from " + std::to_string(least) + " to " +
                std::to_string(most));
  }
  return value;
}

inline options parse_command_line(int argc, char** argv) {
  options out;
  for (int i = 1; i < argc; ++i) {
    std::string_view const arg = argv[i];
    auto next = [&]() -> char const* { return ++i < argc ? argv[i] : nullptr; };
    if (arg == "--connections") {
      out.connections = number_from<std::size_t>(arg, next(), 1, 1e6);
    } else if (arg == "--in-flight") {
      out.in_flight = number_from<std::size_t>(arg, next(), 1, 65536);
    } else if (arg == "--size") {
      out.size = number_from<std::size_t>(arg, next(), 1, 64.0 * 1024 * 1024);
    } else if (arg == "--ramp-up") {
      out.ramp_up = number_from<double>(arg, next(), 0, 3600);
    } else if (arg == "--duration") {
      out.duration = number_from<double>(arg, next(), 0.001, 86400);
    } else if (arg == "--rate") {
      out.rate = number_from<double>(arg, next(), 0.001, 1e8);
    } else if (arg == "--pid") {
      out.pid = number_from<pid_t>(arg, next(), 1, 2147483647);
    } else if (arg == "--text") {
      out.text = true;
    } else if (arg == "--binary") {
      out.text = false;
    } else if (arg == "--deflate") {
      out.deflate = out.text = true;
    } else if (arg == "--json") {
      out.json = true;
    } else if (arg == "--broadcast") {
      out.broadcast = true;
    } else if (arg == "--socketio") {
      out.socketio = true;
    } else if (arg == "--transport") {
      std::string_view const name = i + 1 < argc ? argv[++i] : "";
      if (name != "websocket" && name != "polling")
        wrong_usage("--transport is websocket or polling");
      out.polling = name == "polling";
    } else if (arg == "--idle") {
      out.what = mode::idle;
    } else if (arg == "--controlled") {
      out.what = mode::controlled;
    } else if (arg == "--help" || arg == "-h") {
      std::fputs(usage, stdout);
      std::exit(0);
    } else if (!arg.starts_with('-') && out.url.empty()) {
      out.url = arg;
    } else {
      wrong_usage("unknown argument " + std::string(arg));
    }
  }
  if (out.url.empty()) wrong_usage("a URL is needed");
  if (out.what == mode::idle && out.pid == 0) wrong_usage("--idle needs --pid");
  if (out.broadcast && out.rate > 0) wrong_usage("--broadcast takes no --rate");
  if (out.broadcast && out.what == mode::idle) wrong_usage("--broadcast takes no --idle");
  if (out.polling && !out.socketio) wrong_usage("--transport needs --socketio");
  if (out.socketio && out.size > 0) wrong_usage("--socketio takes no --size");
  if (out.socketio && out.deflate) wrong_usage("--socketio takes no --deflate");
  if (out.socketio) out.text = true;
  if (out.socketio) out.size = socketio::packet_size(out.broadcast);
  if (out.size == 0) out.size = 20;
  if (out.in_flight == 0) out.in_flight = out.rate > 0 ? 64 : 1;
  return out;
}

}  // namespace load
