// Virtual time over an io_context that is only a queue of handlers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <hawser/core/callback.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

class virtual_loop;

/// Something that falls due on a `virtual_loop`; a member of whatever is to happen. The loop has
/// to outlive it while it is scheduled.
class virtual_event {
 public:
  /// `fire(owner)` is called when due, and may destroy the event.
  virtual_event(void (*fire)(void* owner), void* owner) noexcept : fire_(fire), owner_(owner) {}
  virtual_event(virtual_event const&) = delete;
  virtual_event& operator=(virtual_event const&) = delete;
  ~virtual_event() { cancel(); }

  bool scheduled() const noexcept { return queue_ != nullptr; }
  void cancel() noexcept {
    if (queue_) queue_->erase(place_);
    queue_ = nullptr;
  }

 private:
  friend class virtual_loop;
  using queue = std::multimap<time_point, virtual_event*>;

  void (*fire_)(void*);
  void* owner_;
  queue* queue_ = nullptr;
  queue::iterator place_{};
};

/// Handlers that wait for the same thing.
class wait_list {
 public:
  using handler = callback<void(std::error_code)>;

  void add(handler waiting) { waiting_.push_back(std::move(waiting)); }
  std::size_t size() const noexcept { return waiting_.size(); }

  /// Posts every handler with `error`.
  void complete(virtual_loop& loop, std::error_code error);

  /// Hands over the handlers, to be destroyed where that is safe.
  void move_to(std::vector<handler>& out) {
    for (auto& one : waiting_) out.push_back(std::move(one));
    waiting_ = std::vector<handler>();
  }

 private:
  std::vector<handler> waiting_;
};

/// A clock that moves only when told to, events on it, and the handlers of one `io_context`.
/// Deterministic: what is due at the same time happens in the order in which it was scheduled.
/// One thread only.
class virtual_loop {
 public:
  explicit virtual_loop(asio::io_context& io) noexcept : io_(&io) {}
  virtual_loop(virtual_loop const&) = delete;
  virtual_loop& operator=(virtual_loop const&) = delete;

  time_point now() const noexcept { return now_; }
  asio::io_context* context() const noexcept { return io_; }

  /// Sets or moves an event; what lies in the past is due at once.
  void schedule(virtual_event& event, time_point when) {
    event.cancel();
    event.place_ = events_.emplace(when, &event);
    event.queue_ = &events_;
  }

  /// Queues a function on the `io_context`; once that is gone, forgets it.
  template <class Function>
  void post(Function&& function) {
    if (io_) asio::post(*io_, std::forward<Function>(function));
  }

  void post(wait_list::handler handler, std::error_code error) {
    post([handler = std::move(handler), error]() mutable { handler(error); });
  }

  /// Runs one ready handler, or else moves the time to the next event until `end`. False: neither.
  bool step(time_point end) {
    if (running_ || !io_ || stuck()) return false;
    struct guard {
      bool& flag;
      ~guard() { flag = false; }
    } const nested{running_ = true};
    fire_until(now_);
    io_->restart();
    if (io_->poll_one() != 0) {
      ++handlers_;
      ++at_this_time_;
      return true;
    }
    if (events_.empty() || events_.begin()->first > end) return false;
    now_ = events_.begin()->first;
    at_this_time_ = 0;
    return true;
  }

  void run_until(time_point end) {
    while (step(end)) {
    }
    if (!stuck() && !running_) pass_until(end);
  }

  template <class Done>
  bool run_until(Done&& done, time_point end) {
    for (;;) {
      if (done()) return true;
      if (!step(end)) break;
    }
    if (!stuck() && !running_) pass_until(end);
    return false;
  }

  /// Moves the time, and fires what falls due at its time; runs no handler.
  void pass_until(time_point end) {
    if (end <= now_) return;
    fire_until(end);
    now_ = std::max(now_, end);
    at_this_time_ = 0;
  }

  bool idle() const noexcept { return events_.empty(); }
  bool stuck() const noexcept { return at_this_time_ >= handler_limit_; }
  std::uint64_t handlers() const noexcept { return handlers_; }
  void limit_handlers(std::uint64_t limit) noexcept { handler_limit_ = limit; }

  /// The `io_context` is being destroyed: nothing may be posted, no handler may be kept.
  void context_gone() {
    io_ = nullptr;
    std::vector<wait_list::handler> dropped;
    abandon(dropped);
  }

 protected:
  ~virtual_loop() = default;

 private:
  void fire_until(time_point end) {
    while (!events_.empty() && events_.begin()->first <= end) {
      virtual_event& due = *events_.begin()->second;
      now_ = std::max(now_, events_.begin()->first);
      due.cancel();
      due.fire_(due.owner_);
    }
  }

  virtual void abandon(std::vector<wait_list::handler>& out) = 0;

  asio::io_context* io_;
  // Not the epoch: an uninitialised time_point can't pass for "now" by accident.
  time_point now_ = time_point{} + std::chrono::hours{24};
  virtual_event::queue events_;
  std::uint64_t handlers_ = 0;
  std::uint64_t at_this_time_ = 0;
  std::uint64_t handler_limit_ = 20'000'000;
  bool running_ = false;
};

inline void wait_list::complete(virtual_loop& loop, std::error_code error) {
  auto waiting = std::exchange(waiting_, std::vector<handler>());
  for (auto& one : waiting) loop.post(std::move(one), error);
}

/// Tells loops when their `io_context` dies; as Asio does, before handlers are destroyed.
class virtual_loop_service : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit virtual_loop_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  void watch(std::shared_ptr<virtual_loop> const& loop) {
    std::erase_if(loops_, [](auto const& one) { return one.expired(); });
    loops_.push_back(loop);
  }

 private:
  void shutdown() override {
    for (auto const& one : std::exchange(loops_, {})) {
      if (auto const loop = one.lock()) loop->context_gone();
    }
  }

  std::vector<std::weak_ptr<virtual_loop>> loops_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
