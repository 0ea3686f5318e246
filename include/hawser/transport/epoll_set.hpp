// Many descriptors behind one: a level-triggered epoll set inside Asio's own (Linux).
#pragma once

#if defined(__linux__)
#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <unistd.h>

#include <asio/associated_allocator.hpp>
#include <asio/error.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/post.hpp>

#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A handler that waits for a descriptor, in memory from its own allocator.
class readiness_wait {
 public:
  enum class fate : std::uint8_t { complete, abort, forget };

  /// Ends the wait: now without an error, or posted with `operation_aborted`, or without a call.
  template <class Executor>
  void end(fate how, Executor const& executor) {
    end_(this, how, &executor);
  }

 protected:
  using end_type = void (*)(readiness_wait*, fate, void const* executor);
  explicit readiness_wait(end_type how) noexcept : end_(how) {}
  ~readiness_wait() = default;

 private:
  end_type end_;
};

/// The wait of a `Handler` that runs on an `Executor`.
template <class Handler, class Executor>
class readiness_wait_of final : public readiness_wait {
  using allocator = typename std::allocator_traits<
      asio::associated_allocator_t<Handler>>::template rebind_alloc<readiness_wait_of>;

 public:
  static readiness_wait* make(Handler handler) {
    allocator memory(asio::get_associated_allocator(handler));
    return ::new (memory.allocate(1)) readiness_wait_of(std::move(handler));
  }

 private:
  explicit readiness_wait_of(Handler handler)
      : readiness_wait(&finish), handler_(std::move(handler)) {}

  // What is posted keeps the handler's allocator, as Asio would.
  struct aborted {
    using allocator_type = asio::associated_allocator_t<Handler>;
    allocator_type get_allocator() const noexcept {
      return asio::get_associated_allocator(handler);
    }
    void operator()() { handler(std::error_code(asio::error::operation_aborted)); }
    Handler handler;
  };

  static void finish(readiness_wait* at, fate how, void const* executor) {
    auto* const self = static_cast<readiness_wait_of*>(at);
    Handler handler(std::move(self->handler_));  // its memory is free while it runs
    allocator memory(asio::get_associated_allocator(handler));
    self->~readiness_wait_of();
    memory.deallocate(self, 1);
    if (how == fate::complete) handler(std::error_code());
    if (how == fate::abort) {
      asio::post(*static_cast<Executor const*>(executor), aborted{std::move(handler)});
    }
  }

  Handler handler_;
};

/// Waits for any number of descriptors at the price of one: Asio waits for the set, and a turn asks
/// the set which are ready. A descriptor is registered once; while messages flow, no call to the
/// kernel is made for waiting again. Takes 24 bytes for each.
///
/// Used on one executor. Handlers never run inside `wait` or `remove`. An exception of a handler
/// goes to whoever runs the loop; the other descriptors are reported again in the next turn.
template <class Executor>
class epoll_set : public std::enable_shared_from_this<epoll_set<Executor>> {
 public:
  using place = std::uint32_t;
  enum class direction : std::uint8_t { readable, writable };

  explicit epoll_set(Executor executor) : set_(std::move(executor)) {}
  epoll_set(epoll_set const&) = delete;
  epoll_set& operator=(epoll_set const&) = delete;
  ~epoll_set() { shut(); }

  Executor executor() { return set_.get_executor(); }

  /// Takes a place for a descriptor, which stays the caller's. *Errors*: those of the system.
  std::error_code add(int descriptor, place& out) {
    if (auto const error = open()) return error;
    if (free_.empty()) {
      entries_.emplace_back();
      free_.reserve(entries_.capacity());  // so that `remove` needs no memory
      out = static_cast<place>(entries_.size() - 1);
    } else {
      out = free_.back();
      free_.pop_back();
    }
    entries_[out].descriptor = descriptor;
    return {};
  }

  /// Gives the place back; waits end with `operation_aborted`, posted. Call it while the descriptor
  /// is open.
  void remove(place at) noexcept {
    entry& old = entries_[at];
    if (old.registered) ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, old.descriptor, nullptr);
    for (auto*& wait : old.waits) end(wait, readiness_wait::fate::abort);
    old.descriptor = -1;
    old.registered = false;
    old.events = 0;
    ++old.generation;
    free_.push_back(at);
    if (waiting_ == 0) rest();
  }

  /// Calls the handler once, when reading or writing is worth another attempt. One wait of each
  /// direction at a time.
  template <class Handler>
  void wait(place at, direction what, Handler handler) {
    entry& of = entries_[at];
    assert(!of.waits[index(what)] && "two waits of one direction");
    of.waits[index(what)] = readiness_wait_of<Handler, Executor>::make(std::move(handler));
    ++waiting_;
    watch(at, unsigned{of.events} | mask(what));
    if (!of.registered) return end(of.waits[index(what)], readiness_wait::fate::abort);
    if (!armed_ && !in_turn_) arm();
  }

  /// Everything waited for is forgotten; called when nobody can be told any more.
  void shut() noexcept {
    for (entry& each : entries_) {
      for (auto*& wait : each.waits) end(wait, readiness_wait::fate::forget);
    }
    std::error_code ignored;
    set_.close(ignored);
  }

 private:
  static constexpr int batch = 128;  // descriptors of one turn: others on the loop want theirs

  struct entry {
    std::array<readiness_wait*, 2> waits{};
    int descriptor = -1;
    std::uint16_t generation = 0;
    bool registered = false;  // whether the kernel knows it
    std::uint8_t events = 0;  // of those, which; EPOLLIN and EPOLLOUT fit
  };

  static std::size_t index(direction what) noexcept { return static_cast<std::size_t>(what); }
  static std::uint8_t mask(direction what) noexcept {
    return what == direction::readable ? EPOLLIN : EPOLLOUT;
  }

  std::error_code open() {
    if (set_.is_open()) return {};
    int const made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0) return {errno, asio::error::get_system_category()};
    std::error_code error;
    set_.assign(made, error);
    if (error) ::close(made);
    return error;
  }

  void end(readiness_wait*& wait, readiness_wait::fate how) {
    if (!wait) return;
    --waiting_;
    std::exchange(wait, nullptr)->end(how, set_.get_executor());
  }

  // Tells the kernel what is wanted of a descriptor, if that is new.
  void watch(place at, unsigned events) noexcept {
    entry& of = entries_[at];
    if (of.registered && of.events == events) [[likely]]
      return;
    epoll_event event{};
    event.events = events;
    event.data.u64 = std::uint64_t{of.generation} << 32 | at;
    int const how = of.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    of.registered = ::epoll_ctl(set_.native_handle(), how, of.descriptor, &event) == 0;
    of.events = of.registered ? static_cast<std::uint8_t>(events) : std::uint8_t{0};
  }

  void arm() {
    armed_ = true;
    auto ready = [self = this->shared_from_this()](std::error_code error) {
      self->on_ready(error);
    };
    set_.async_wait(asio::posix::descriptor_base::wait_read, std::move(ready));
  }

  // A wait for nothing must not keep the loop running.
  void rest() noexcept {
    if (!armed_ || in_turn_) return;
    std::error_code ignored;
    set_.cancel(ignored);
  }

  // Arms the set again, also when a handler's exception leaves.
  struct turn {
    explicit turn(epoll_set& self) noexcept : at(self) { at.in_turn_ = true; }
    ~turn() {
      at.in_turn_ = false;
      if (at.waiting_ > 0 && !at.armed_ && at.set_.is_open()) at.arm();
    }
    epoll_set& at;
  };

  void on_ready(std::error_code error) {
    armed_ = false;
    if (!set_.is_open()) return;
    turn const held(*this);
    if (error) return;
    std::array<epoll_event, batch> events;
    int const count = ::epoll_wait(set_.native_handle(), events.data(), batch, 0);
    for (int i = 0; i < count && set_.is_open(); ++i) {
      dispatch(events[static_cast<std::size_t>(i)]);
    }
  }

  // Handlers may remove any descriptor, and add others: everything is looked up again after each.
  void dispatch(epoll_event const& event) {
    auto const at = static_cast<place>(event.data.u64 & 0xffff'ffff);
    auto const generation = static_cast<std::uint16_t>(event.data.u64 >> 32);
    bool const failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    if (failed || (event.events & EPOLLIN) != 0) {
      if (!is_current(at, generation)) return;
      auto*& wait = entries_[at].waits[index(direction::readable)];
      // Who is told mostly reads on: seeing whether they do costs less than a call to the kernel.
      wait ? end(wait, readiness_wait::fate::complete) : stop_watching(at, direction::readable);
    }
    if (failed || (event.events & EPOLLOUT) != 0) {
      if (!is_current(at, generation)) return;
      end(entries_[at].waits[index(direction::writable)], readiness_wait::fate::complete);
      // Nobody writes for ever.
      if (is_current(at, generation) && !entries_[at].waits[index(direction::writable)]) {
        stop_watching(at, direction::writable);
      }
    }
    if (failed && is_current(at, generation)) stop_failing(at);
  }

  void stop_watching(place at, direction what) noexcept {
    watch(at, entries_[at].events & ~unsigned{mask(what)});
  }

  bool is_current(place at, std::uint16_t generation) const noexcept {
    return entries_[at].generation == generation && entries_[at].registered;
  }

  // Failures are reported whatever is wanted, so that only forgetting the descriptor helps.
  void stop_failing(place at) noexcept {
    entry& of = entries_[at];
    if (of.waits[0] || of.waits[1]) return;
    ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, of.descriptor, nullptr);
    of.registered = false;
    of.events = 0;
  }

  asio::posix::basic_stream_descriptor<Executor> set_;
  std::vector<entry> entries_;
  std::vector<place> free_;
  std::size_t waiting_ = 0;
  bool armed_ = false;
  bool in_turn_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
#endif
