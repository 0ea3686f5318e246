// What servers and clients have in common: workspace, clock, deadlines, flushing, mailbox, log.
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/execution/context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>

#include <hawser/core/log.hpp>
#include <hawser/core/random.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/endpoint/connection.hpp>
#include <hawser/endpoint/kept.hpp>
#include <hawser/endpoint/lifeline.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/operation.hpp>
#include <hawser/endpoint/system_random.hpp>

#include <hawser/endpoint/workspace.hpp>
#include <hawser/machine/packet_parser.hpp>
#include <hawser/policy/heartbeat.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What happens to an exception that leaves a handler. Either way it is counted and logged.
enum class on_handler_failure : std::uint8_t {
  close,    ///< that connection is closed with 1011, everything else goes on
  rethrow,  ///< it is thrown again at whoever runs the loop, that connection goes on
  abort     ///< `std::terminate`, for those who want the core dump
};

/// Base of servers' and clients' cores (`Derived`); `Interface` is what their handles ask for.
/// Counted: the façade, connections and operations under way keep it.
template <class Derived, class Policies, class Interface>
class host : public Interface, public context_guest {
 public:
  using policies = Policies;
  using executor_type = typename Policies::transport::executor_type;
  using connection_type = connection<Derived>;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete static_cast<Derived*>(this);
  }

  workspace<typename Policies::framing>& space() noexcept { return workspace_; }
  typename Policies::heartbeat::options const& heartbeat_options() const noexcept {
    return heartbeat_;
  }
  /// A session that outlives its connections has the heartbeat, and they have none.
  static constexpr bool has_sessions = session_framing_policy<typename Policies::framing>;
  using connection_beat =
      std::conditional_t<has_sessions, no_heartbeat, typename Policies::heartbeat>;
  typename connection_beat::options const& beat_numbers() const noexcept {
    if constexpr (has_sessions) {
      static constexpr no_heartbeat::options none;
      return none;
    } else {
      return heartbeat_;
    }
  }
  typename Policies::backpressure const& backpressure() const noexcept { return backpressure_; }
  connection_limits const& limits() const noexcept { return limits_; }
  bool limits_messages() const noexcept { return limits_messages_; }
  hawser::counters& counters() noexcept { return counters_; }
  block_pool& blocks() noexcept { return workspace_.blocks(); }
  logger& log() noexcept { return log_; }
  random_source const& random() const noexcept { return random_; }
  anchor& anchored() noexcept { return *anchor_; }
  typename Policies::transport::context& transport_context() noexcept { return context_; }
  executor_type executor() { return context_.executor(); }
  time_point now() const noexcept { return timer_ ? timer_->now() : time_point{}; }
  bool gone() const noexcept { return gone_; }

  // -- turns: reading or writing on behalf of one connection -------------------------------------

  /// Marks that handlers may be running, so that a nested poll is refused.
  class turn {
   public:
    explicit turn(host& at) noexcept : at_(at) {
      at_.retain();
      ++at_.depth_;
    }
    ~turn() {
      if (--at_.depth_ == 0 && !at_.retired_.empty()) {
        auto const gone = std::exchange(at_.retired_, {});  // what they hold may have more to do
      }
      at_.release();
    }
    turn(turn const&) = delete;
    turn& operator=(turn const&) = delete;

   private:
    host& at_;
  };
  bool in_turn() const noexcept { return depth_ > 0; }

  void cork(connection_type& of) {
    workspace_.open_cork();
    corked_ = &of;
  }
  /// Whether some connection's messages are being delivered.
  bool is_reading() const noexcept { return corked_ != nullptr; }
  bool is_corked(connection_type const& of) const noexcept { return corked_ == &of; }
  connection_type* corked() const noexcept { return corked_; }
  void uncork(connection_type& of) {
    corked_ = nullptr;
    of.uncork();
  }

  // -- flushing ----------------------------------------------------------------------------------

  /// Has something to send; leaves once per turn of the loop.
  void mark_dirty(connection_type& one) {
    if (one.dirty || is_corked(one)) return;
    one.dirty = true;
    one.retain();
    one.next_dirty = dirty_;
    dirty_ = &one;
    flush_soon();
  }

  /// It has nothing left to send: forgets that again, if it was the last to be marked.
  void unmark_dirty(connection_type& one) noexcept {
    if (dirty_ != &one) return;  // the flush will find nothing
    dirty_ = one.next_dirty;
    one.dirty = false;
    one.release();
  }

  /// A flush comes with the next turn of the loop.
  void flush_soon() {
    if (flush_posted_ || gone_) return;
    flush_posted_ = true;
    asio::post(executor(), operation<host>(*this, &host::on_flush));
  }

  /// Sends at once what has been queued for all.
  void flush() {
    turn const held(*this);
    if constexpr (requires { derived().flush_polls(); }) derived().flush_polls();
    while (connection_type* const one = dirty_) {
      dirty_ = one->next_dirty;
      one->dirty = false;
      if (!gone_) one->flush();
      one->release();
    }
  }

  /// Runs what is ready on the context for at most about `budget`, then flushes.
  std::size_t poll(std::chrono::steady_clock::duration budget) {
    assert(!in_turn() && "poll() from inside a handler");
    if (in_turn() || gone_) return 0;
    kept const alive(*this);  // what runs may destroy it
    auto& context = asio::query(executor(), asio::execution::context);
    auto const until = std::chrono::steady_clock::now() + budget;
    if (context.stopped()) context.restart();
    std::size_t ran = 0;
    while (context.poll_one() > 0) {
      ++ran;
      if (std::chrono::steady_clock::now() >= until) break;
    }
    flush();
    return ran;
  }

  // -- deadlines ---------------------------------------------------------------------------------

  void schedule(wheel_entry& entry, time_point when) {
    if (gone_) return;
    if (when == time_point::max()) return wheel_.cancel(entry);
    wheel_.schedule(entry, when);
    if (when < armed_ && !in_advance_) arm(when);
  }
  void unschedule(wheel_entry& entry) noexcept { wheel_.cancel(entry); }

  /// Nobody is connected any more: a timer for nothing must not keep the loop running.
  void disarm() noexcept {
    if (gone_ || wheel_.next()) return;
    armed_ = time_point::max();
    timer_->cancel();
    workspace_.blocks().rest();
  }

  /// Whether bytes lie in the receive buffer, behind which parsers may read.
  bool is_padded(bytes_view data) {
    constexpr std::less_equal<std::byte const*> before;  // compares what points elsewhere, too
    mutable_bytes const buffer = workspace_.receive_buffer();
    return before(buffer.data(), data.data()) &&
           before(data.data() + data.size(), buffer.data() + buffer.size());
  }

  // -- events of connections that both sides count -----------------------------------------------

  void count_violation(errc error) noexcept {
    switch (error) {
      case errc::heartbeat_timeout: ++counters_.heartbeat_timeouts; break;
      case errc::write_stalled: ++counters_.write_stalls; break;
      case errc::send_queue_full: ++counters_.slow_closed; break;
      default:
        ++(make_error_code(error) == condition::protocol_violation ? counters_.violations
                                                                   : counters_.limit_hits);
    }
    log_(log_level::info, "connection_refused_input", {{"cause", describe(error)}});
  }

  void partial_changed(connection_type& at, std::size_t before, std::size_t held) {
    counters_.partial_bytes += held;
    counters_.partial_bytes -= before;
    if (held > before && counters_.partial_bytes > limits_.partial_message_budget) {
      derived().shed_partial(at);
    }
  }

  void forget_partial(std::size_t held) noexcept { counters_.partial_bytes -= held; }

  /// A handle was used after what it names has ended.
  std::error_code gone_call() noexcept {
    ++counters_.calls_on_closed;
    return make_error_code(errc::not_open);
  }

  /// Runs a handler behind the fence, while there is a server or client. False if it threw and the
  /// connection has to go.
  template <class Call>
  bool fenced(Call&& call) {
    if (gone_) return true;
    try {
      call();
      return true;
    } catch (std::exception const& failure) {
      return failed(failure.what());
    } catch (...) {
      return failed("unknown exception");
    }
  }

  /// Keeps something that may be running until it certainly isn't.
  template <class Handler>
  void retire(Handler old) {
    if (in_turn() && old) {
      retired_.emplace_back([kept = std::move(old)]() mutable { kept.reset(); });
    }
  }
  template <class Handler>
  void replace(Handler& old, Handler fresh) {
    std::swap(old, fresh);
    retire(std::move(fresh));
  }

 protected:
  Derived& derived() noexcept { return static_cast<Derived&>(*this); }

  template <class Options>
  host(executor_type executor, Options& options)
      : context_(executor, options.transport),
        workspace_({options.receive_buffer, options.send_buffer}, options.framing, options.random),
        heartbeat_(options.heartbeat),
        backpressure_(options.backpressure),
        limits_(options.limits),
        limits_messages_(limits_.rates.limits_messages()),
        log_(std::move(options.log), options.least_log_level),
        random_(options.random),
        failure_(options.handler_failure),
        timer_(std::in_place, context_),
        wheel_(timer_->now()),
        anchor_(new anchor(*this)) {
    asio::use_service<lifeline>(asio::query(executor, asio::execution::context)).enter(*this);
    anchor_->mail().open(options.mailbox_limit,
                         [this] { asio::post(this->executor(), drain_later(*this)); });
  }

  ~host() { anchor_->release(); }

  /// First step of the end: no handle, message or timer reaches this any more.
  void detach() noexcept {
    if (std::exchange(gone_, true)) return;
    lifeline::leave(*this);
    anchor_->detach();
    timer_.reset();
    flush();  // only lets go of what is listed
  }

  typename Policies::transport::context context_;
  hawser::counters counters_;

 private:
  // Woken by another thread: its memory can't come from the pool, and neither can its count.
  class drain_later {
   public:
    explicit drain_later(host& self) : anchor_(self.anchor_) {}
    void operator()() {
      if (auto* const at = static_cast<host*>(anchor_.host())) at->drain_mail();
    }

   private:
    anchor_ref anchor_;
  };

  struct advancing {
    explicit advancing(host& self) noexcept : at(self) { at.in_advance_ = true; }
    ~advancing() {
      at.in_advance_ = false;
      auto const next = at.wheel_.next();
      if (next && !at.gone_) at.arm(*next);
    }
    host& at;
  };

  void on_flush(std::error_code) {
    flush_posted_ = false;
    if (!gone_) flush();
  }

  void drain_mail() {
    turn const held(*this);
    anchor_->mail().drain([this](callback<void()>& task) { fenced([&] { task(); }); });
  }

  void arm(time_point when) {
    armed_ = when;
    timer_->wait_until(when, operation<host>(*this, &host::on_timer));
  }

  void on_timer(std::error_code error) {
    if (gone_ || error) return;  // replaced by an earlier one, or over
    turn const held(*this);
    armed_ = time_point::max();
    time_point const at = now();
    if (at >= next_aging_) {
      workspace_.blocks().age();
      next_aging_ = at + std::chrono::seconds(5);
    }
    advancing const whole(*this);  // arms the timer again, also when a handler's exception leaves
    wheel_.advance(at, [&](wheel_entry& entry) {
      if (!gone_) derived().on_deadline(entry, at);
    });
  }

  bool failed(char const* what) {
    ++counters_.handler_failures;
    log_(log_level::error, "handler_threw", {{"what", what}});
    if (failure_ == on_handler_failure::abort) std::terminate();
    if (failure_ != on_handler_failure::rethrow) return false;
    // Not through the library's own frames: a connection must not be left halfway.
    asio::post(executor(), [thrown = std::current_exception()] { std::rethrow_exception(thrown); });
    return true;
  }

  hawser::workspace<typename Policies::framing> workspace_;
  typename Policies::heartbeat::options heartbeat_;
  typename Policies::backpressure backpressure_;
  connection_limits limits_;
  bool limits_messages_;  // asked for every message, so known beforehand
  logger log_;
  random_source random_;
  on_handler_failure failure_;
  std::optional<typename Policies::transport::timer> timer_;
  timing_wheel wheel_;
  anchor* anchor_;
  std::vector<callback<void()>> retired_;
  connection_type* corked_ = nullptr;
  connection_type* dirty_ = nullptr;
  time_point armed_ = time_point::max();
  time_point next_aging_{};  // of spare memory
  std::size_t references_ = 0;
  int depth_ = 0;
  bool flush_posted_ = false;
  bool in_advance_ = false;
  bool gone_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
