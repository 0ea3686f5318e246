// The engine: runs windows of traffic over all connections, in one thread.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "connection_pool.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "process.hpp"
#include "target.hpp"
#include "traffic.hpp"

namespace load {

/// What one window of traffic came to.
struct window_result {
  std::uint64_t messages = 0;
  std::uint64_t elapsed_ns = 0;  ///< to the last answer
  std::uint64_t unanswered = 0;
  std::uint64_t errors = 0;
  histogram latency;
  cpu_times server;
  cpu_times client;
  bool server_known = false;
};

class generator {
 public:
  generator(options const& chosen, target const& where)
      : options_(chosen),
        plan_(chosen, where.raw),
        pool_(chosen, plan_, where),
        times_(chosen.connections * chosen.in_flight) {}

  std::uint64_t errors() const noexcept { return errors_; }
  std::string const& first_error() const noexcept { return first_error_; }

  void open_all(progress const& show) { pool_.open_all(show, *this); }

  /// Sends for `length_ns`, then waits (bounded) until all is answered, so that messages and CPU
  /// time belong together. With `burst`, sends exactly one message per connection instead.
  window_result run(std::uint64_t length_ns, progress const& show, bool burst = false) {
    window_result result;
    begin_window(result, length_ns);
    if (options_.broadcast) {
      broadcast_round();
    } else if (burst) {
      sending_ = false;
      for (auto& c : pool_.all()) submit(c, c.outstanding == 0 ? 1 : 0);
    } else if (options_.rate == 0) {
      for (auto& c : pool_.all()) submit(c, options_.in_flight - c.outstanding);
    }
    std::uint64_t now = start_;
    while (now < deadline_ || (total_outstanding_ > 0 && now < deadline_ + grace_ns)) {
      if (burst && total_outstanding_ == 0) break;
      if (pool_.open_count() == 0) break;
      sending_ = sending_ && now < deadline_;
      if (sending_ && options_.rate > 0) send_scheduled(now);
      pool_.wait(wait_time(now));
      now = now_ns();
      handle_ready();
      show(std::min(1.0, static_cast<double>(now - start_) / static_cast<double>(length_ns)),
           result.messages, "messages");
    }
    end_window(result);
    return result;
  }

  /// Answers pings until `fd` is readable: the connections stay healthy between windows.
  void wait_for_input(int fd) {
    epoll_event event{EPOLLIN, {.u64 = input_id}};
    if (::epoll_ctl(pool_.epoll(), EPOLL_CTL_ADD, fd, &event) != 0 && errno != EEXIST) {
      throw failure("--controlled reads its commands from a pipe or a terminal");
    }
    for (input_ready_ = false; !input_ready_;) {
      pool_.wait(-1);
      handle_ready();
    }
    ::epoll_ctl(pool_.epoll(), EPOLL_CTL_DEL, fd, nullptr);
  }

  /// Says goodbye by a Close frame and gives the server a moment to answer.
  void close_all() {
    closing_ = true;
    static constexpr std::byte normal[] = {std::byte{0x03}, std::byte{0xe8}};
    for (auto& c : pool_.all()) {
      if (c.state != phase::open) continue;
      if (plan_.raw()) ::shutdown(c.socket.get(), SHUT_WR);
      if (c.polling) c.polling->queue_packet("1");
      if (!plan_.raw() && !c.polling) c.queue_frame(ws::opcode::close, normal);
      flush(c);
    }
    std::uint64_t const limit = now_ns() + second_ns;
    while (pool_.open_count() > 0 && now_ns() < limit) {
      pool_.wait(10'000'000);
      handle_ready();
    }
  }

  /// What epoll reported of an open connection.
  void handle(connection& c, epoll_event const& event) {
    if (c.polling) return handle_polling(c, event);
    std::uint32_t const events = event.events;
    if (c.state == phase::open && (events & EPOLLOUT) != 0) flush(c);
    if (c.state != phase::open || (events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    bytes_view const bytes = pool_.receive(c);
    if (!bytes.empty()) return received(c, bytes, now_ns());
    if (errno == EAGAIN || errno == EINTR) return;
    lose(c, errno == 0 ? "the server closed the connection" : std::strerror(errno));
  }

  /// Bytes of an open connection.
  void received(connection& c, bytes_view bytes, std::uint64_t now) {
    std::size_t const messages = c.reader.read(plan_, bytes);
    if (c.reader.failure) return lose(c, c.reader.failure);
    if (c.reader.close_arrived) return lose(c, close_text(c.reader.control()));
    if (c.reader.ping_arrived) {
      c.reader.ping_arrived = false;
      c.queue_frame(ws::opcode::pong, c.reader.control());
      flush(c);
    }
    if (c.reader.engine_ping_arrived) {
      c.reader.engine_ping_arrived = false;
      static constexpr std::byte pong[] = {std::byte{'3'}};
      c.queue_frame(ws::opcode::text, pong);
      flush(c);
    }
    answered(c, messages, now);
  }

 private:
  static constexpr std::uint64_t grace_ns = 3 * second_ns;
  static constexpr std::uint64_t input_id = ~std::uint64_t{0};

  void handle_polling(connection& c, epoll_event const& event) {
    if (c.state != phase::open) return;
    bytes_view bytes;
    if (!pool_.receive_polling(c, event, bytes)) {
      return lose(c, errno == 0 ? "the server closed the connection" : std::strerror(errno));
    }
    std::size_t messages = 0;
    if (!bytes.empty()) {
      messages = c.polling->read(plan_, hawser::as_text(bytes), pool_.is_post(event));
    }
    if (c.polling->failure) return lose(c, c.polling->failure);
    if (closing_ && c.polling->all_posted()) return lose(c, "");
    flush(c);
    answered(c, messages, now_ns());
  }

  /// What has come back makes room for more.
  void answered(connection& c, std::size_t messages, std::uint64_t now) {
    if (messages == 0 || c.state != phase::open) return;
    if (messages > c.outstanding) return lose(c, "more echoes than messages");
    event_time_ = now;
    account(c, messages, now);
    if (options_.broadcast) {
      if (total_outstanding_ == 0 && sending_) broadcast_round();
    } else if (options_.rate > 0) {
      send_due(c);
    } else if (sending_) {
      submit(c, messages);
    }
    event_time_ = 0;
  }

  // -- windows ------------------------------------------------------------------------------

  void begin_window(window_result& result, std::uint64_t length_ns) {
    for (auto& c : pool_.all()) c.due = c.answered = 0;
    total_outstanding_ = 0;
    for (auto& c : pool_.all()) total_outstanding_ += c.outstanding;
    result_ = &result;
    errors_before_ = errors_;
    scheduled_ = 0;
    sending_ = true;
    if (options_.pid > 0) server_before_ = process_cpu_times(options_.pid);
    client_before_ = process_cpu_times(::getpid());
    start_ = last_answer_ = now_ns();
    deadline_ = start_ + length_ns;
  }

  void end_window(window_result& result) {
    result.elapsed_ns = last_answer_ - start_;
    result.unanswered = total_outstanding_;
    std::uint64_t const now = now_ns();
    for (std::size_t i = 0; i < pool_.all().size(); ++i) count_unanswered(i, now);
    // The kernel adds a thread's time up when it goes to sleep: let the server do that.
    ::usleep(300);
    if (server_before_) {
      auto const after = process_cpu_times(options_.pid);
      if (after) result.server = after->since(*server_before_);
      result.server_known = after.has_value();
    }
    if (auto const after = process_cpu_times(::getpid()))
      result.client = after->since(*client_before_);
    if (result.unanswered > 0) {
      note_error(std::to_string(result.unanswered) + " messages were not answered");
    }
    result.errors = errors_ - errors_before_;
    result_ = nullptr;
  }

  /// What was scheduled and never answered has waited at least this long.
  void count_unanswered(std::size_t index, std::uint64_t now) {
    connection& c = pool_.all()[index];
    if (options_.rate == 0) return;
    result_->unanswered += c.due;
    for (std::uint64_t i = 0; i < c.outstanding + c.due; ++i) {
      result_->latency.record(now - scheduled_time(index, c.answered + i));
    }
  }

  std::uint64_t scheduled_time(std::size_t index, std::uint64_t turn) const noexcept {
    auto const number = static_cast<double>(turn * options_.connections + index);
    return start_ + static_cast<std::uint64_t>(number / options_.rate * 1e9);
  }

  void send_scheduled(std::uint64_t now) {
    auto const elapsed = static_cast<double>(now - start_) * 1e-9;
    for (auto const due = static_cast<std::uint64_t>(elapsed * options_.rate) + 1; scheduled_ < due;
         ++scheduled_) {
      connection& c = pool_.all()[scheduled_ % pool_.all().size()];
      if (c.state != phase::open) continue;
      ++c.due;
      send_due(c);
    }
  }

  void send_due(connection& c) {
    std::uint64_t const free = options_.in_flight - std::min(options_.in_flight, c.outstanding);
    std::uint64_t const count = std::min(free, c.due);
    c.due -= count;
    submit(c, count);
  }

  /// In an open loop: until the next scheduled message, spinning through the last 100 us.
  std::int64_t wait_time(std::uint64_t now) const noexcept {
    if (!sending_ || options_.rate == 0) {
      return static_cast<std::int64_t>(now < deadline_ ? std::min(deadline_ - now, second_ns / 10)
                                                       : second_ns / 100);
    }
    auto const next =
        start_ + static_cast<std::uint64_t>(static_cast<double>(scheduled_) / options_.rate * 1e9);
    std::uint64_t const until = std::min(next, deadline_);
    if (until < now + 100'000) return 0;
    return static_cast<std::int64_t>(std::min(until - now - 100'000, second_ns / 10));
  }

  void submit(connection& c, std::size_t messages) {
    if (messages == 0 || c.state != phase::open) return;
    if (options_.rate == 0 && !options_.broadcast) stamp(c, messages);
    c.outstanding += messages;
    total_outstanding_ += messages;
    c.queue(plan_, messages);
    flush(c);
  }

  /// Notes when these messages leave; the ring holds `in_flight` times per connection.
  void stamp(connection& c, std::size_t messages) {
    std::uint64_t const now = event_time_ ? event_time_ : now_ns();
    std::uint64_t* const ring = times_.data() + pool_.index_of(c) * options_.in_flight;
    std::size_t at = (c.times_at + c.outstanding) % options_.in_flight;
    for (std::size_t i = 0; i < messages; ++i) {
      ring[at] = now;
      if (++at == options_.in_flight) at = 0;
    }
  }

  /// All receivers have everything: the first connection sends the next burst.
  void broadcast_round() {
    round_sent_ = now_ns();
    for (auto& c : pool_.all()) c.outstanding = options_.in_flight;
    total_outstanding_ = options_.in_flight * pool_.all().size();
    pool_.all().front().queue(plan_, options_.in_flight);
    flush(pool_.all().front());
  }

  // -- events -------------------------------------------------------------------------------

  void handle_ready() {
    for (epoll_event const& event : pool_.ready()) {
      if (event.data.u64 == input_id) {
        input_ready_ = true;
      } else {
        handle(pool_.of(event), event);
      }
    }
  }

  void account(connection& c, std::size_t messages, std::uint64_t now) {
    std::uint64_t const* const ring = times_.data() + pool_.index_of(c) * options_.in_flight;
    for (std::size_t i = 0; i < messages; ++i) {
      std::uint64_t since = round_sent_;
      if (options_.rate > 0) {
        since = scheduled_time(pool_.index_of(c), c.answered + i);
      } else if (!options_.broadcast) {
        since = ring[c.times_at];
        if (++c.times_at == options_.in_flight) c.times_at = 0;
      }
      if (result_) result_->latency.record(now - since);
    }
    c.outstanding -= messages;
    c.answered += messages;
    total_outstanding_ -= messages;
    if (result_) result_->messages += messages;
    last_answer_ = now;
  }

  void flush(connection& c) {
    if (c.polling) {
      if (!pool_.pump(c)) lose(c, std::strerror(errno));
      return;
    }
    if (!c.flush(plan_)) return lose(c, std::strerror(errno));
    if (c.all_sent() == c.write_armed) {
      c.write_armed = !c.write_armed;
      pool_.watch(c, c.write_armed ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  void lose(connection& c, std::string const& why) {
    if (c.state != phase::open) return;
    if (!closing_) note_error("connection " + std::to_string(pool_.index_of(c) + 1) + ": " + why);
    total_outstanding_ -= c.outstanding;
    c.outstanding = c.due = 0;
    pool_.forget(c);
    if (!closing_ && options_.broadcast) throw failure(first_error_);
  }

  void note_error(std::string text) {
    if (errors_++ == 0) first_error_ = std::move(text);
  }

  static std::string close_text(bytes_view body) {
    if (body.size() < 2) return "the server sent Close";
    return "the server sent Close " +
           std::to_string(hawser::codec::load_big<std::uint16_t>(body.data())) + " " +
           std::string(hawser::as_text(body.subspan(2)));
  }

  options const& options_;
  traffic plan_;
  connection_pool pool_;
  std::vector<std::uint64_t> times_;
  std::uint64_t errors_ = 0;
  std::uint64_t errors_before_ = 0;
  std::string first_error_;
  bool closing_ = false;
  bool input_ready_ = false;

  // The current window.
  window_result* result_ = nullptr;
  bool sending_ = false;
  std::uint64_t total_outstanding_ = 0;
  std::uint64_t scheduled_ = 0;
  std::uint64_t round_sent_ = 0;
  std::uint64_t event_time_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t deadline_ = 0;
  std::uint64_t last_answer_ = 0;
  std::optional<cpu_times> server_before_;
  std::optional<cpu_times> client_before_;
};

}  // namespace load
