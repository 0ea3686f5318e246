// A game server of 1,000 players and more: sixty times a second it reads what they want, moves
// them, and sends each what it sees. Beside that it sends megabytes to whoever asks for them.
#include "counted.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <hawser/server.hpp>
#include <hawser/transport/epoll_tcp.hpp>

#include "../../examples/arguments.hpp"
#include "../load/histogram.hpp"
#include "modes.hpp"
#include "protocol.hpp"
#include "world.hpp"

namespace arena {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;  // of Linux: CLOCK_MONOTONIC

constinit std::atomic<bool> stopped = false;

std::uint64_t nanoseconds(clock::time_point at) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(at.time_since_epoch()).count());
}

/// What the ticks of one kind of window came to.
struct tally {
  std::uint64_t ticks = 0;
  std::uint64_t skipped = 0;  ///< whose time was over before they began
  cpu_time cpu;
  load::histogram cpu_of_tick;
  std::uint64_t allocations = 0;
  std::uint64_t writes = 0;  ///< to players
  std::uint64_t second_writes = 0;
  std::uint64_t player_ticks = 0;
  std::uint64_t messages = 0;  ///< taken for sending
  std::uint64_t replaced = 0;
  std::uint64_t dropped = 0;

  std::string json() const {
    auto const per_tick = [this](std::uint64_t sum) {
      return ticks == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(ticks);
    };
    auto const us = [&](std::uint64_t sum_ns) { return per_tick(sum_ns) * 1e-3; };
    double const players = static_cast<double>(player_ticks > 0 ? player_ticks : 1);
    char text[768];
    std::snprintf(
        text, sizeof text,
        R"({"ticks":%ju,"skipped":%ju,"user_us_per_tick":%.1f,"system_us_per_tick":%.1f,)"
        R"("cpu_us_per_tick":%.1f,"cpu_us_p50":%.1f,"cpu_us_p99":%.1f,"allocations_per_tick":%.3f,)"
        R"("writes_per_player_tick":%.4f,"second_writes_per_player_tick":%.4f,)"
        R"("messages_per_tick":%.1f,"replaced_per_tick":%.1f,"dropped_per_tick":%.1f})",
        std::uintmax_t{ticks}, std::uintmax_t{skipped}, us(cpu.user_ns), us(cpu.system_ns),
        us(cpu.all_ns), static_cast<double>(cpu_of_tick.quantile(0.5)) * 1e-3,
        static_cast<double>(cpu_of_tick.quantile(0.99)) * 1e-3, per_tick(allocations),
        static_cast<double>(writes) / players, static_cast<double>(second_writes) / players,
        per_tick(messages), per_tick(replaced), per_tick(dropped));
    return text;
  }
};

/// Attributes what happens between two ticks to the windows that the load has announced.
class accounts {
 public:
  void measure(tally* into) noexcept { wanted_ = into; }

  void end_of_tick(hawser::counters const& counted, std::size_t players) {
    reading const now{thread_cpu_time(),       allocations,
                      writes.to_players,       writes.again,
                      counted.messages_out,    counted.messages_replaced,
                      counted.messages_dropped};
    if (into_) {
      ++into_->ticks;
      std::uint64_t const cpu = now.cpu.all_ns - before_.cpu.all_ns;
      into_->cpu_of_tick.record(cpu);
      into_->cpu.all_ns += cpu;
      into_->cpu.user_ns += now.cpu.user_ns - before_.cpu.user_ns;
      into_->cpu.system_ns += now.cpu.system_ns - before_.cpu.system_ns;
      into_->allocations += now.allocations - before_.allocations;
      into_->writes += now.writes - before_.writes;
      into_->second_writes += now.again - before_.again;
      into_->player_ticks += players;
      into_->messages += now.messages - before_.messages;
      into_->replaced += now.replaced - before_.replaced;
      into_->dropped += now.dropped - before_.dropped;
    }
    before_ = now;
    into_ = wanted_;
    ++writes.tick;
  }

  void skipped(std::uint64_t ticks) noexcept {
    if (into_) into_->skipped += ticks;
  }

 private:
  struct reading {
    cpu_time cpu;
    std::uint64_t allocations, writes, again, messages, replaced, dropped;
  };
  reading before_{};
  tally* into_ = nullptr;
  tally* wanted_ = nullptr;
};

struct options {
  std::uint16_t port;
  unsigned hz;
  double seconds;
  bool each;   ///< a message for each position
  int unsent;  ///< TCP_NOTSENT_LOWAT; 0: as the system has it
  std::uint32_t rooms;
  bool poll;  ///< sleeps between ticks, as examples/game_loop.cpp
};

template <class Mode>
class game {
 public:
  using server_type = typename Mode::server;
  using peer = typename Mode::peer;
  using player_type = player<peer>;

  game(asio::io_context& io, options const& chosen)
      : io_(io),
        options_(chosen),
        server_(io),
        acceptor_(io),
        big_(big_message_size, std::byte{'b'}) {
    Mode::listen_to(server_, *this);
    for (std::uint32_t i = 0; i < options_.rooms; ++i) {
      rooms_.push_back(server_.room("room " + std::to_string(i)));
    }
  }

  std::uint16_t listen() {
    asio::ip::tcp::endpoint const at(asio::ip::address_v4::loopback(), options_.port);
    acceptor_.open(at.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen(4096);
    accept();
    return acceptor_.local_endpoint().port();
  }

  void run() {
    auto const step = std::chrono::nanoseconds{1s} / options_.hz;
    auto const begin = clock::now();
    auto due = begin;
    while (!stopped && (options_.seconds <= 0 || due - begin < options_.seconds * 1s)) {
      due += step;
      if (options_.poll) {
        std::this_thread::sleep_until(due);
        server_.poll(step / 2);
      } else {
        io_.run_until(due);
      }
      tick(due);
      server_.flush();
      accounts_.end_of_tick(server_.counters(), world_.size());
      if (auto const late = (clock::now() - due) / step; late > 0) {
        accounts_.skipped(static_cast<std::uint64_t>(late));
        due += late * step;
      }
    }
  }

  void print() const {
    auto const both = [this](auto of, std::uint64_t per) {
      return static_cast<double>(of(quiet_) + of(loud_)) / static_cast<double>(per > 0 ? per : 1);
    };
    std::uint64_t const ticks = quiet_.ticks + loud_.ticks;
    std::printf(
        R"({"user_cpu_ms_per_tick":%.4f,"system_cpu_ms_per_tick":%.4f,"allocations_per_tick":%.4f,)"
        R"("writes_per_player_tick":%.4f,"ticks":%u,"big_messages":%ju,"quiet":%s,"loud":%s})"
        "\n",
        both([](tally const& one) { return one.cpu.user_ns; }, ticks) * 1e-6,
        both([](tally const& one) { return one.cpu.system_ns; }, ticks) * 1e-6,
        both([](tally const& one) { return one.allocations; }, ticks),
        both([](tally const& one) { return one.writes; }, quiet_.player_ticks + loud_.player_ticks),
        tick_, std::uintmax_t{bigs_}, quiet_.json().c_str(), loud_.json().c_str());
  }

  // -- what peers do -----------------------------------------------------------------------------

  void steered(peer const& from, input const& wants) {
    auto* const who = from.template data<player_type*>();
    world_.steer(who ? **who : join(from), wants);
  }

  void told(peer const& from, std::string_view word) {
    if (word == send_big) {
      ++bigs_;
      Mode::send_big(from, big_);
    } else if (word == measure_quiet) {
      accounts_.measure(&quiet_);
    } else if (word == measure_loud) {
      accounts_.measure(&loud_);
    } else if (word == measure_nothing) {
      accounts_.measure(nullptr);
    }
  }

  void left(peer const& who, std::string_view why) {
    auto* const one = who.template data<player_type*>();
    if (!one) return;
    std::fprintf(stderr, "arena_server: player %u has left: %.*s\n", (*one)->id,
                 static_cast<int>(why.size()), why.data());
    world_.leave((*one)->id);
  }

 private:
  // Small send buffers are the game's own wish: what a slow player's kernel keeps is out of date.
  void accept() {
    acceptor_.async_accept([this](std::error_code error, asio::ip::tcp::socket socket) {
      if (error) return;
      std::error_code ignored;
      if (options_.unsent > 0) {
        using limit = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
        socket.set_option(limit(options_.unsent), ignored);
      }
      auto const remote = socket.remote_endpoint(ignored);
      files_["127.0.0.1:" + std::to_string(remote.port())] = socket.native_handle();
      (void)server_.adopt(std::move(socket));
      accept();
    });
  }

  player_type& join(peer from) {
    auto const file = files_.find(Mode::address(from));
    if (file != files_.end()) writes.is_player.at(static_cast<std::size_t>(file->second)) = true;
    player_type& added = world_.join(from, options_.rooms);
    from.set_data(&added);
    from.join(rooms_[added.room].name());
    return added;
  }

  void tick(clock::time_point due) {
    ++tick_;
    world_.move(1.0f / static_cast<float>(options_.hz));
    Mode::send_lap(rooms_[tick_ % options_.rooms], tick_);
    stamp head{.due_ns = nanoseconds(due),
               .late_ns = static_cast<std::uint32_t>((clock::now() - due).count()),
               .tick = tick_,
               .self = 0,
               .heard = 0};
    world_.for_each_view([&](player_type const& who, std::span<position const> seen) {
      head.self = who.id;
      head.heard = who.heard;
      options_.each ? send_each(who, head, seen) : send_view(who, head, seen);
    });
  }

  static void send_view(player_type const& to, stamp const& head, std::span<position const> seen) {
    std::array<std::byte, sizeof head + most_in_view * sizeof(position)> view;
    std::memcpy(view.data(), &head, sizeof head);
    std::memcpy(view.data() + sizeof head, seen.data(), seen.size_bytes());
    Mode::send_view(to.peer, {view.data(), sizeof head + seen.size_bytes()});
  }

  static void send_each(player_type const& to, stamp const& head, std::span<position const> seen) {
    std::array<std::byte, sizeof head + sizeof(position)> view;
    std::memcpy(view.data(), &head, sizeof head);
    for (position const& one : seen) {
      std::memcpy(view.data() + sizeof head, &one, sizeof one);
      Mode::send_position(to.peer, one.id, view);
    }
  }

  asio::io_context& io_;
  options options_;
  server_type server_;
  asio::ip::tcp::acceptor acceptor_;
  std::unordered_map<std::string, int> files_;  // by their peers' addresses
  world<peer> world_;
  std::vector<typename Mode::room> rooms_;
  std::vector<std::byte> big_;
  std::uint64_t bigs_ = 0;
  std::uint32_t tick_ = 0;
  accounts accounts_;
  tally quiet_;
  tally loud_;
};

template <class Mode>
void play(options const& chosen) {
  asio::io_context io(1);
  game<Mode> played(io, chosen);
  std::printf("listening on 127.0.0.1:%u\n", unsigned{played.listen()});
  std::fflush(stdout);
  played.run();
  played.print();
}

}  // namespace
}  // namespace arena

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "hz", "seconds", "unsent", "rooms", "backend"},
                        {"socketio", "each", "poll"});
  arena::options const chosen{.port = given.number<std::uint16_t>("port", 0),
                              .hz = given.number<unsigned>("hz", 60),
                              .seconds = given.number<double>("seconds", 0),
                              .each = given.has("each"),
                              .unsent = given.number<int>("unsent", 16 * 1024),
                              .rooms = given.number<std::uint32_t>("rooms", 20),
                              .poll = given.has("poll")};
  if (chosen.hz == 0 || chosen.rooms == 0) return 2;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::signal(SIGTERM, [](int) { arena::stopped = true; });
  std::signal(SIGINT, [](int) { arena::stopped = true; });
  std::string const backend = given.text("backend", "portable");
  if (backend == "portable") {
    given.has("socketio") ? arena::play<arena::by_socketio<hawser::tcp>>(chosen)
                          : arena::play<arena::by_websocket<hawser::tcp>>(chosen);
#if defined(__linux__)
  } else if (backend == "epoll") {
    given.has("socketio") ? arena::play<arena::by_socketio<hawser::epoll_tcp>>(chosen)
                          : arena::play<arena::by_websocket<hawser::epoll_tcp>>(chosen);
#endif
  } else {
    std::fprintf(stderr, "arena_server: there is no such backend: %s\n", backend.c_str());
    return 3;
  }
}
