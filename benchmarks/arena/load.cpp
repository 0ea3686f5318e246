// Plays the arena with many players, some of them slow, and measures how old positions are when
// they arrive, in turns with and without others who are sent a megabyte at a time.
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "../../examples/arguments.hpp"
#include "../load/connection_pool.hpp"
#include "../load/process.hpp"
#include "peers.hpp"
#include "protocol.hpp"
#include "server_process.hpp"
#include "windows.hpp"

namespace arena {
namespace {

using load::now_ns;

struct options {
  std::uint32_t players;
  std::uint32_t hz;
  double seconds;
  double window;    ///< seconds
  unsigned slow;    ///< per cent of the players
  unsigned big;     ///< clients that are sent megabytes
  double big_rate;  ///< megabytes a second, over all of them
  bool socketio;
  bool each;
  bool poll;
  std::string backend;  ///< empty: the server's own choice
};

struct player : peer {
  bool slow = false;
  std::uint32_t sequence = 0;
  std::uint32_t self = 0;
  std::uint32_t tick = 0;
  std::uint32_t heard = 0;
  std::uint64_t read_at = 0;  ///< a slow one: when it reads next
};

struct big_client : peer {
  big_reader reader;
  bool waits = false;  ///< for a message
};

class arena_load {
 public:
  arena_load(options const& chosen, std::string const& server)
      : options_(chosen),
        step_ns_(load::second_ns / chosen.hz),
        players_(chosen.players),
        bigs_(chosen.big),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        big_epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        inbox_(256 * 1024),
        server_(server, arguments_for(chosen)) {}

  void run() {
    open_all();
    start_ = now_ns() + 100'000'000;
    tell(measure_nothing);
    // Both kinds once before it counts: pools fill, windows of TCP open.
    run_window(true, 3, nullptr);
    run_window(false, 2, nullptr);
    auto const count =
        std::max(1u, static_cast<unsigned>(options_.seconds / options_.window / 2)) * 2;
    for (unsigned i = 0; i < count; ++i) {
      window& one = windows_.add(i % 2 == 1);
      run_window(one.loud, settle_seconds, nullptr);
      run_window(one.loud, options_.window - settle_seconds, &one);
    }
    tell(measure_nothing);
  }

  void print() {
    std::string const server = server_.end();
    std::printf(R"({"players":%u,"hz":%u,"slow":%u,"protocol":"%s","message":"%s",)",
                options_.players, options_.hz, slow_count_,
                options_.socketio ? "socket.io" : "websocket", options_.each ? "position" : "view");
    windows_.print();
    if (server.empty()) throw load::failure("the server said nothing at its end");
    for (char const* const name : {"user_cpu_ms_per_tick", "system_cpu_ms_per_tick",
                                   "allocations_per_tick", "writes_per_player_tick"}) {
      std::printf(R"("%s":%.4f,)", name, number_in(server, name));
    }
    std::printf(R"("server":%s})"
                "\n",
                server.c_str());
  }

 private:
  static constexpr double settle_seconds = 0.3;
  // Inputs leave in so many at once; out of step with the ticks by which the kernel counts time.
  static constexpr std::uint64_t slice_ns = 257'131;
  static constexpr std::uint64_t slow_ns = 1'500'000'000;  // slow players read so rarely
  static constexpr int slow_receive_buffer = 16 * 1024;

  static std::vector<std::string> arguments_for(options const& chosen) {
    std::vector<std::string> made{"--port", "0", "--hz", std::to_string(chosen.hz)};
    if (chosen.socketio) made.push_back("--socketio");
    if (chosen.each) made.push_back("--each");
    if (chosen.poll) made.push_back("--poll");
    if (!chosen.backend.empty()) made.insert(made.end(), {"--backend", chosen.backend});
    return made;
  }

  // -- opening -----------------------------------------------------------------------------------

  void open_all() {
    for (std::size_t i = 0; i < players_.size(); ++i) {
      players_[i].slow = i % 100 < options_.slow;
      slow_count_ += players_[i].slow ? 1 : 0;
    }
    // Some at a time: each step of a handshake takes the server a tick.
    constexpr std::size_t batch = 128;
    std::vector<peer*> all;
    for (auto& one : players_) all.push_back(&one);
    for (auto& one : bigs_) all.push_back(&one);
    for (std::size_t i = 0; i < all.size(); i += batch) {
      std::size_t const end = std::min(all.size(), i + batch);
      for (std::size_t j = i; j < end; ++j) {
        bool const slow = j < players_.size() && players_[j].slow;
        all[j]->dial(server_.port(), options_.socketio, slow ? slow_receive_buffer : 0);
      }
      for (std::size_t j = i; j < end; ++j) all[j]->open(options_.socketio);
    }
    for (std::size_t i = 0; i < players_.size(); ++i) {
      if (!players_[i].slow) watch(epoll_.get(), players_[i].fd(), i);
    }
    for (std::size_t i = 0; i < bigs_.size(); ++i) watch(big_epoll_.get(), bigs_[i].fd(), i);
  }

  static void watch(int epoll, int fd, std::size_t index) {
    epoll_event event{EPOLLIN, {.u64 = index}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }

  // -- windows -----------------------------------------------------------------------------------

  void run_window(bool loud, double seconds, window* into) {
    into_ = into;
    loud_ = loud;
    if (into) tell(loud ? measure_loud : measure_quiet);
    auto const server_before = load::process_cpu_times(server_.pid());
    auto const own_before = load::process_cpu_times(::getpid());
    std::uint64_t const begin = now_ns();
    std::uint64_t const end = begin + static_cast<std::uint64_t>(seconds * 1e9);
    for (std::uint64_t now = begin; now < end; now = now_ns()) turn(now);
    if (into) {
      tell(measure_nothing);
      auto const server_after = load::process_cpu_times(server_.pid());
      auto const own_after = load::process_cpu_times(::getpid());
      if (!server_after) throw load::failure("the server has gone");
      auto const waited = std::max(server_after->since(*server_before).waiting_ns,
                                   own_after->since(*own_before).waiting_ns);
      into->waited = static_cast<double>(waited) / (seconds * 1e9);
    }
    into_ = nullptr;
  }

  void turn(std::uint64_t now) {
    send_due(now);
    ask_for_bigs(now);
    read_slow(now);
    // Positions first; megabytes are read while there are none.
    std::array<epoll_event, 64> events;
    int ready = ::epoll_wait(epoll_.get(), events.data(), 64, 0);
    for (int i = 0; i < ready; ++i) receive(players_[events[static_cast<std::size_t>(i)].data.u64]);
    if (ready > 0) return;
    ready = ::epoll_wait(big_epoll_.get(), events.data(), 1, 0);
    if (ready > 0) return receive_big(bigs_[events[0].data.u64]);
    std::uint64_t const next = start_ + (now - start_) / slice_ns * slice_ns + slice_ns;
    std::uint64_t const after = now_ns();
    if (now < start_ || after >= next) return;
    timespec const patience{0, static_cast<long>(next - after)};
    (void)::epoll_pwait2(epoll_.get(), events.data(), 1, &patience, nullptr);
  }

  // -- what players do ---------------------------------------------------------------------------

  void send_due(std::uint64_t now) {
    if (now < start_) return;
    std::uint64_t const slice = (now - start_) / slice_ns * slice_ns;
    std::uint64_t const due = slice * players_.size() / step_ns_;
    for (; inputs_sent_ < due; ++inputs_sent_) {
      player& who = players_[inputs_sent_ % players_.size()];
      float const push = static_cast<float>(inputs_sent_ * 2654435761u % 200) / 100 - 1;
      ++who.sequence;
      if (options_.socketio) {
        std::array<char, 64> text;
        auto const size = static_cast<std::size_t>(std::snprintf(
            text.data(), text.size(), R"(42["input",%u,%.2f])", who.sequence, double{push}));
        send_frame(who, ws::opcode::text, {text.data(), std::min(size, text.size())});
      } else {
        send_frame(who, ws::opcode::binary, hawser::as_text(bytes_of(input{who.sequence, push})));
      }
    }
  }

  void send_frame(player& to, ws::opcode code, std::string_view content) {
    std::array<std::byte, ws::max_header_size + 64> frame;
    ws::mask_key const key{std::byte{0x12}, std::byte{0x34}, std::byte{0x56}, std::byte{0x78}};
    std::size_t const head = ws::write_header(frame.data(), code, content.size(), key);
    std::memcpy(frame.data() + head, content.data(), content.size());
    ws::apply_mask({frame.data() + head, content.size()}, key);
    to.say_raw(hawser::as_text({frame.data(), head + content.size()}));
  }

  void read_slow(std::uint64_t now) {
    for (std::size_t left = 4; left > 0 && slow_count_ > 0; --left) {
      while (!players_[slow_at_].slow) slow_at_ = (slow_at_ + 1) % players_.size();
      player& who = players_[slow_at_];
      if (who.read_at == 0) who.read_at = now + slow_at_ * slow_ns / players_.size();
      slow_at_ = (slow_at_ + 1) % players_.size();
      if (who.read_at > now) continue;
      who.read_at = now + slow_ns;
      receive(who);
    }
  }

  void receive(player& who) {
    errno = 0;
    auto const got = ::recv(who.fd(), inbox_.data(), inbox_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) peer::broken("read positions");
    std::uint64_t const now = now_ns();
    who.read({inbox_.data(), static_cast<std::size_t>(got)},
             [&](ws::opcode code, bytes_view content) { heard(who, code, content, now); });
  }

  void heard(player& who, ws::opcode code, bytes_view content, std::uint64_t now) {
    if (code != ws::opcode::binary) return heard_other(who, code, content);
    stamp head;
    std::size_t const size = content.size() - sizeof head;
    if (content.size() < sizeof head || size % sizeof(position) != 0) {
      throw load::failure("a view of " + std::to_string(content.size()) + " bytes");
    }
    std::memcpy(&head, content.data(), sizeof head);
    std::size_t const count = size / sizeof(position);
    check(who, head, count);
    if (!options_.each && !holds(content.subspan(sizeof head), head.self)) {
      throw load::failure("a view without its owner");
    }
    if (!into_ || who.slow || head.due_ns > now) return;
    ++into_->positions;
    into_->latency.record(now - head.due_ns);
  }

  void check(player& who, stamp const& head, std::size_t count) {
    if (who.self == 0) {
      who.self = head.self;
      if (!selves_.insert(head.self).second) throw load::failure("two players are one");
    }
    if (who.self != head.self) throw load::failure("the view of another player");
    if (head.heard > who.sequence) throw load::failure("inputs that were never sent");
    if (options_.each) {  // newer ones take the places of those that were queued: no order
      if (count != 1) throw load::failure("not one position");
      return;
    }
    if (head.tick <= who.tick || head.heard < who.heard) {
      throw load::failure("views in the wrong order");
    }
    who.tick = head.tick;
    who.heard = head.heard;
    // Until all have joined there are fewer to see.
    auto const least = std::min<std::size_t>(least_in_view, players_.size());
    if (count > most_in_view || (into_ && count < least)) throw load::failure("not 30 to 60");
  }

  static bool holds(bytes_view positions, std::uint32_t id) noexcept {
    for (; !positions.empty(); positions = positions.subspan(sizeof(position))) {
      position one;
      std::memcpy(&one, positions.data(), sizeof one);
      if (one.id == id) return true;
    }
    return false;
  }

  // Events of rooms, pings, and the text before an attachment.
  void heard_other(peer& who, ws::opcode code, bytes_view content) {
    auto const text = hawser::as_text(content);
    if (code == ws::opcode::ping) return who.say(ws::opcode::pong, text);
    if (code == ws::opcode::close) throw load::failure("the server closes a connection");
    if (options_.socketio && text == "2") return who.say(ws::opcode::text, "3");
    if (code == ws::opcode::text) ++events_;
  }

  // -- megabytes ---------------------------------------------------------------------------------

  void ask_for_bigs(std::uint64_t now) {
    if (!loud_ || now < next_big_) return;
    for (auto& one : bigs_) {
      if (one.waits) continue;
      one.waits = true;
      say_word(one, send_big);
      next_big_ = now + static_cast<std::uint64_t>(1e9 / options_.big_rate);
      return;
    }
  }

  void receive_big(big_client& who) {
    bool const whole = who.reader.read(
        who, [&](ws::opcode code, bytes_view content) { heard_other(who, code, content); });
    if (!whole) return;
    who.waits = false;
    if (into_) ++into_->bigs;
  }

  void say_word(peer& to, std::string_view word) {
    to.say(ws::opcode::text,
           options_.socketio ? R"(42["say",")" + std::string(word) + "\"]" : std::string(word));
  }
  void tell(std::string_view word) { say_word(bigs_.front(), word); }

  // The first number of that name in a line of JSON.
  static double number_in(std::string const& json, std::string const& name) {
    std::size_t const at = json.find('"' + name + "\":");
    return at == json.npos ? 0 : std::strtod(json.c_str() + at + name.size() + 3, nullptr);
  }

  options options_;
  std::uint64_t step_ns_;
  std::vector<player> players_;
  std::vector<big_client> bigs_;
  load::unique_fd epoll_;
  load::unique_fd big_epoll_;
  std::vector<std::byte> inbox_;
  server_process server_;
  windows windows_;
  std::unordered_set<std::uint32_t> selves_;
  window* into_ = nullptr;
  bool loud_ = false;
  std::uint64_t start_ = 0;
  std::uint64_t inputs_sent_ = 0;
  std::uint64_t next_big_ = 0;
  std::uint64_t events_ = 0;
  std::size_t slow_at_ = 0;
  unsigned slow_count_ = 0;
};

}  // namespace
}  // namespace arena

int main(int argc, char** argv) {
  arguments const given(
      argc, argv,
      {"players", "hz", "seconds", "server", "window", "slow", "big", "big-rate", "backend"},
      {"socketio", "each", "poll"});
  arena::options const chosen{.players = given.number<std::uint32_t>("players", 1'000),
                              .hz = given.number<std::uint32_t>("hz", 60),
                              .seconds = given.number<double>("seconds", 40),
                              .window = given.number<double>("window", 2),
                              .slow = given.number<unsigned>("slow", 10),
                              .big = given.number<unsigned>("big", 4),
                              .big_rate = given.number<double>("big-rate", 60),
                              .socketio = given.has("socketio"),
                              .each = given.has("each"),
                              .poll = given.has("poll"),
                              .backend = given.text("backend")};
  if (!given.has("server") || chosen.players == 0 || chosen.hz == 0 || chosen.big == 0 ||
      chosen.window < 0.5 || chosen.big_rate <= 0) {
    std::fputs("arena_load: --server PATH is needed, and numbers above 0\n", stderr);
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  try {
    arena::arena_load arena(chosen, given.text("server"));
    arena::pin(1);
    arena.run();
    arena.print();
  } catch (std::exception const& error) {
    std::fprintf(stderr, "arena_load: %s\n", error.what());
    return 1;
  }
}
