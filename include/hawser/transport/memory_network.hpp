// A network in memory, on virtual time: links, faults, and what runs on it in one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/error.hpp>
#include <asio/io_context.hpp>

#include <hawser/transport/memory_core.hpp>
#include <hawser/transport/memory_pipe.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A listening address and what waits to be accepted there.
class memory_listener {
 public:
  memory_listener(std::shared_ptr<memory_core> core, memory_core::listener_name name,
                  std::size_t backlog, bool counted)
      : core_(std::move(core)), name_(std::move(name)), backlog_(backlog), counted_(counted) {
    core_->listeners.emplace(name_, this);
  }
  memory_listener(memory_listener const&) = delete;
  memory_listener& operator=(memory_listener const&) = delete;
  ~memory_listener() { close(); }

  std::uint16_t port() const noexcept { return name_.port; }

  /// False: the backlog is full.
  bool offer(std::shared_ptr<memory_pipe> pipe) {
    if (queue_.size() >= backlog_) return false;
    pipe->open(memory_end::acceptor, counted_);
    queue_.push_back(std::move(pipe));
    waits_.complete(*core_, {});
    return true;
  }

  std::error_code accept(std::shared_ptr<memory_pipe>& taken) {
    if (counted_) {
      if (auto const error = core_->before(memory_operation::accept, 0, memory_end::acceptor)) {
        return error;
      }
    }
    if (closed_) return make_error_code(asio::error::bad_descriptor);
    if (queue_.empty()) return would_block();
    taken = std::move(queue_.front());
    queue_.pop_front();
    return {};
  }

  void wait(wait_list::handler handler) {
    if (closed_) {
      core_->post(std::move(handler), make_error_code(asio::error::operation_aborted));
    } else if (!queue_.empty()) {
      core_->post(std::move(handler), {});
    } else if (core_->context()) {
      waits_.add(std::move(handler));
    }
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    core_->listeners.erase(name_);
    waits_.complete(*core_, make_error_code(asio::error::operation_aborted));
    for (auto const& one : std::exchange(queue_, {})) one->reset(memory_end::acceptor);
  }

  void abandon(std::vector<wait_list::handler>& out) { waits_.move_to(out); }
  std::size_t waits() const noexcept { return waits_.size(); }

 private:
  std::shared_ptr<memory_core> core_;
  memory_core::listener_name name_;
  std::size_t backlog_;
  bool counted_;
  bool closed_ = false;
  std::list<std::shared_ptr<memory_pipe>> queue_;
  wait_list waits_;
};

/// A connection being made: half a round trip to the listener, half back.
struct memory_dial {
  memory_dial(std::shared_ptr<memory_pipe> connection, memory_core::listener_name where,
              wait_list::handler when_done)
      : pipe(std::move(connection)),
        target(std::move(where)),
        handler(std::move(when_done)),
        event([](void* at) { static_cast<memory_dial*>(at)->advance(); }, this) {}

  void advance() {
    auto& core = pipe->core();
    if (pipe->is_cut() || core.silent.contains(target.port)) return;
    if (!answered) {
      answered = true;
      memory_listener* const listener = find(core);
      if (!listener || !listener->offer(pipe)) {
        outcome = make_error_code(asio::error::connection_refused);
      }
      if (pipe->link().latency > duration{}) {
        return core.schedule(event, core.now() + pipe->link().latency);
      }
    }
    finish(outcome);
  }

  void finish(std::error_code error) {
    event.cancel();
    auto& core = pipe->core();
    auto const kept = core.dials.extract(pipe->number());  // keeps this alive to the end
    core.post(std::move(handler), error);
  }

  std::shared_ptr<memory_pipe> pipe;
  memory_core::listener_name target;
  wait_list::handler handler;
  virtual_event event;
  std::error_code outcome{};
  bool answered = false;

 private:
  memory_listener* find(memory_core& core) const {
    auto found = core.listeners.find(target);
    if (found == core.listeners.end() && target.path.empty()) {
      found = core.listeners.find({{}, target.port, {}});
    }
    return found == core.listeners.end() ? nullptr : found->second;
  }
};

inline void memory_core::abandon(std::vector<wait_list::handler>& out) {
  for (auto const& [number, pipe] : pipes) pipe->abandon(out);
  for (auto const& [name, listener] : listeners) listener->abandon(out);
  for (auto const& [number, waits] : timers) waits->move_to(out);
  for (auto const& [number, dial] : dials) out.push_back(std::move(dial->handler));
  for (auto const& [number, dial] : dials) dial->event.cancel();
}

inline void memory_core::shut() {
  down = true;
  auto const aborted = make_error_code(asio::error::operation_aborted);
  while (!dials.empty()) {
    auto const dial = dials.begin()->second;
    dial->finish(aborted);
  }
  while (!listeners.empty()) listeners.begin()->second->close();
  for (auto const& [number, pipe] : pipes) pipe->end_everything();
  for (auto const& [number, waits] : timers) waits->complete(*this, aborted);
}

/// A connection of a network, for scripts. Of one that is gone, everything is zero and every
/// call does nothing.
class memory_connection {
 public:
  memory_connection(std::weak_ptr<memory_core> core, std::uint64_t number) noexcept
      : core_(std::move(core)), number_(number) {}

  /// 0 for the network's first.
  std::uint64_t number() const noexcept { return number_; }
  bool exists() const {
    return with(false, [](memory_pipe&) { return true; });
  }
  /// Whether this end has been made and not been closed.
  bool is_open(memory_end end) const {
    return with(false, [&](memory_pipe& pipe) { return pipe.is_open(end); });
  }
  /// Bytes on the way to this end.
  std::size_t in_flight_to(memory_end end) const {
    return with(std::size_t{0}, [&](memory_pipe& pipe) { return pipe.in_flight_to(end); });
  }
  /// Bytes that have arrived at this end and were not read.
  std::size_t unread(memory_end end) const {
    return with(std::size_t{0}, [&](memory_pipe& pipe) { return pipe.unread(end); });
  }
  /// Half-open: what is on the way and all to come vanishes, nobody is told. Can't be undone.
  void cut() {
    with(0, [](memory_pipe& pipe) { return pipe.cut(), 0; });
  }
  /// Nothing arrives until `release()`, then all of it, in order.
  void hold() {
    with(0, [](memory_pipe& pipe) { return pipe.hold(true), 0; });
  }
  void release() {
    with(0, [](memory_pipe& pipe) { return pipe.hold(false), 0; });
  }
  /// Both ends get `connection_reset` at once.
  void reset() {
    with(0, [](memory_pipe& pipe) { return pipe.break_both(), 0; });
  }
  /// For what is sent from now on; nothing overtakes what is already on the way.
  void set_link(memory_link const& link) {
    with(0, [&](memory_pipe& pipe) { return pipe.link() = link, 0; });
  }

 private:
  template <class Value, class Function>
  Value with(Value none, Function&& function) const {
    auto const core = core_.lock();
    if (!core) return none;
    auto const found = core->pipes.find(number_);
    return found == core->pipes.end() ? none : function(*found->second);
  }

  std::weak_ptr<memory_core> core_;
  std::uint64_t number_;
};

/// A network for the transport `memory`. Servers and clients of one `io_context` run on it in one
/// thread; its time is virtual and moves only in `run_for` and its like, so that the same program
/// with the same seeds does the same things at the same times. Without latency and bandwidth,
/// bytes arrive as they are written, and `io.poll()` alone drives everything but timers.
///
/// Network, `io_context`, streams and timers may be destroyed in any order. After the network,
/// every wait ends with `operation_aborted` and every operation fails.
class memory_network {
 public:
  explicit memory_network(asio::io_context& io) : core_(std::make_shared<memory_core>(io)) {
    asio::execution_context& context = io;
    asio::use_service<virtual_loop_service>(context).watch(core_);
  }
  memory_network(memory_network const&) = delete;
  memory_network& operator=(memory_network const&) = delete;
  ~memory_network() { core_->shut(); }

  time_point now() const noexcept { return core_->now(); }

  /// Runs what is ready, and nothing that takes time. The number of handlers that ran.
  std::size_t run_ready() { return run_for({}); }

  /// Runs everything due in this time; then `now()` is later by it. The number of handlers that
  /// ran. Not from inside a handler.
  std::size_t run_for(duration time) {
    auto const core = core_;  // a handler may destroy the network
    auto const before = core->handlers();
    core->run_until(core->now() + time);
    return static_cast<std::size_t>(core->handlers() - before);
  }

  /// Runs until `done()`, asked after each handler, or until the time is over; says which.
  template <class Done>
  bool run_until(Done&& done, duration at_most) {
    auto const core = core_;
    return core->run_until(done, core->now() + at_most);
  }

  /// Runs until nothing is ready, on its way or waited for; false when the time was over first.
  bool run_until_idle(duration at_most) {
    auto const core = core_;
    time_point const end = core->now() + at_most;
    while (core->step(end)) {
    }
    return core->idle() && !core->stuck();
  }

  /// Time passes and no handler runs: a process that stalls, a slow handler that calls this, or
  /// the time between two polls of a game loop. Bytes arrive and timers fall due meanwhile, and
  /// wait to be handled by the next `run_...` or `io.poll()`.
  void stall(duration time) { core_->pass_until(core_->now() + time); }

  /// Whether `limit` handlers ran without time passing: something spins, and nothing more is run.
  bool stuck() const noexcept { return core_->stuck(); }
  void limit_handlers_at_one_time(std::uint64_t limit) noexcept { core_->limit_handlers(limit); }

  /// For connections made from now on.
  void set_link(memory_link const& link) { core_->link = link; }
  memory_link const& link() const noexcept { return core_->link; }

  /// Called before each operation; a returned error is what the operation fails with, and it then
  /// does nothing else. `would_block()` makes a spurious wake-up. May use the network's scripts.
  void on_operation(callback<std::error_code(memory_call const&)> hook) {
    core_->fault = std::move(hook);
  }
  /// Makes the nth operation from now fail, once; 1: the next.
  void fail_at(std::uint64_t nth, std::error_code error) {
    core_->failures.insert_or_assign(core_->operations + nth, error);
  }
  /// How many operations there were.
  std::uint64_t operations() const noexcept { return core_->operations; }

  /// Whoever dials this port hears nothing, as behind a fire wall: neither refused nor connected.
  void silence(std::uint16_t port) { core_->silent.insert(port); }

  /// How many connections were begun; their numbers are below this.
  std::uint64_t dialled() const noexcept { return core_->dialled; }
  memory_connection connection(std::uint64_t number) const { return {core_, number}; }
  memory_connection last_connection() const { return {core_, core_->dialled - 1}; }
  /// All that have an end left, in order of their numbers.
  std::vector<memory_connection> connections() const {
    std::vector<memory_connection> all;
    for (auto const& [number, pipe] : core_->pipes) all.emplace_back(core_, number);
    return all;
  }

  std::size_t live_streams() const noexcept { return core_->live_ends; }
  std::size_t live_connections() const noexcept { return core_->pipes.size(); }
  std::size_t live_listeners() const noexcept { return core_->listeners.size(); }
  std::size_t live_timers() const noexcept { return core_->timers.size(); }
  /// Handlers that wait for readability, writability, connections or time.
  std::size_t pending_waits() const noexcept {
    std::size_t count = core_->dials.size();
    for (auto const& [number, pipe] : core_->pipes) count += pipe->waits();
    for (auto const& [name, listener] : core_->listeners) count += listener->waits();
    for (auto const& [number, waits] : core_->timers) count += waits->size();
    return count;
  }

  std::shared_ptr<memory_core> const& core() const noexcept { return core_; }

 private:
  std::shared_ptr<memory_core> core_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
