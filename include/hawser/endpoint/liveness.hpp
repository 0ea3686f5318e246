// When to give a peer up: deadlines, heartbeat, rates, and the watch over unfinished messages.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/sending.hpp>
#include <hawser/machine/rate_guard.hpp>
#include <hawser/policy/heartbeat.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Why a connection is not read from; several may hold at once.
enum class pause_reason : std::uint8_t { backlog = 1, rate = 2, host = 4 };

/// Second layer of `connection` (`Self`). Every deadline is looked at when the earliest comes;
/// none costs anything while messages flow.
template <class Host, class Self>
class liveness : public sending<Host, Self> {
 public:
  void set_deadline(time_point when) {
    phase_deadline_ = when;
    reschedule();
  }

  /// One of the deadlines may have come. Nobody is given up before what they sent has been read:
  /// a process that stalled must not take its own silence for the peer's.
  void on_deadline(time_point now) {
    Self& kept = this->self();
    kept.retain();
    bool const troubled =
        trouble_ && (trouble_->watch_deadline <= now || trouble_->stall_deadline <= now);
    if (phase_deadline_ <= now || troubled) look();
    expire(now);
    reschedule();
    kept.release();
  }

  bool is_paused() const noexcept { return paused_ != 0; }
  bool is_paused_for(pause_reason why) const noexcept {
    return (paused_ & static_cast<std::uint8_t>(why)) != 0;
  }

  // What the sending half reports.
  void on_blocked() {
    if (in_trouble().stall_deadline != time_point::max()) return;
    trouble_->stall_deadline = this->host_->now() + this->host_->limits().write_stall_timeout;
    reschedule();
  }
  void on_progress() {
    if (!trouble_ || trouble_->stall_deadline == time_point::max()) return;
    trouble_->stall_deadline = time_point::max();
    if (this->waiting_write_) on_blocked();
  }
  void on_backlog() {
    pause(pause_reason::backlog);
    in_trouble().halved_backlog = this->queued().bytes / 2;
  }
  bool backlog_is_halved() const noexcept {
    return is_paused_for(pause_reason::backlog) && trouble_ &&
           this->queued().bytes <= trouble_->halved_backlog;
  }

 protected:
  using sending<Host, Self>::sending;

  void pause(pause_reason why) noexcept { paused_ |= static_cast<std::uint8_t>(why); }
  /// True when nothing stands in the way of reading any more.
  bool unpause(pause_reason why) noexcept {
    paused_ &= static_cast<std::uint8_t>(~static_cast<unsigned>(why));
    return paused_ == 0;
  }
  void unpause_all() noexcept {
    paused_ = 0;
    if (trouble_) trouble_->throttled_until = time_point::max();
  }

  void begin_beats() {
    beat_next_ = beat_.start(this->host_->beat_numbers(), this->host_->now()).next;
  }
  void heard() noexcept { beat_.on_received(); }

  /// Only the deadline of the phase counts from here on.
  void end_beats(time_point phase_deadline) {
    beat_next_ = time_point::max();
    if (trouble_) trouble_->watch_deadline = trouble_->throttled_until = time_point::max();
    set_deadline(phase_deadline);
  }

  void reschedule() {
    if (this->phase_ == phase::closed) return;
    time_point next = std::min(phase_deadline_, beat_next_);
    if (trouble_) {
      next = std::min(
          {next, trouble_->watch_deadline, trouble_->stall_deadline, trouble_->throttled_until});
    }
    this->host_->schedule(*this, next);
  }

  /// Starts, keeps or ends the watch over an unfinished message, after every read.
  [[gnu::always_inline]] void watch(bool completed) {
    auto const unfinished = this->peer_.unfinished();
    if (trouble_ || unfinished.exists || unfinished.held != 0) [[unlikely]]
      watch(unfinished, completed);
  }
  [[gnu::noinline]] void watch(unfinished_message const& unfinished, bool completed) {
    troubles& now = in_trouble();
    if (unfinished.held != now.held_before) {
      this->host_->partial_changed(this->self(), std::exchange(now.held_before, unfinished.held),
                                   unfinished.held);
    }
    if (!unfinished.exists) {
      now.watch_deadline = time_point::max();
    } else if (completed || now.watch_deadline == time_point::max()) {
      now.watched_held = unfinished.held;
      now.watch_deadline = this->host_->now() + this->host_->limits().message_timeout;
      reschedule();
    }
  }
  /// Nothing is delivered any more: what has come of a message is given back.
  void drop_unfinished() noexcept {
    this->peer_.release(this->host_->space().framing());
    unwatch();
  }
  /// The connection ends: what it held no longer counts.
  void unwatch() noexcept {
    if (trouble_) this->host_->forget_partial(std::exchange(trouble_->held_before, 0));
  }

  /// Charges a message or a control frame. False if that was the last straw.
  bool within_rates(rate_kind kind, std::size_t bytes) {
    auto const& limits = this->host_->limits().rates;
    auto& rates = in_trouble().rates;
    if (!rates) rates = std::make_unique<rate_guard>(limits, this->host_->now());
    switch (rates->take(kind, bytes, this->host_->now())) {
      case rate_verdict::within: return true;
      case rate_verdict::wait:
        pause(pause_reason::rate);
        trouble_->throttled_until = rates->until();
        reschedule();
        return true;
      case rate_verdict::exceeded: break;
    }
    auto const error = kind == rate_kind::control ? errc::control_flood : errc::message_flood;
    this->self().violate(error, ws::close_code_for(error));
    return false;
  }

 private:
  static constexpr std::size_t min_progress = 8 * 1024;  // bytes per second of a long message

  // What only a connection has that was slow once, or cut a message, or is held to rates. Kept from
  // then on, so that it costs an allocation once.
  struct troubles {
    time_point watch_deadline = time_point::max();
    time_point stall_deadline = time_point::max();
    time_point throttled_until = time_point::max();
    std::size_t watched_held = 0;
    std::size_t held_before = 0;
    std::size_t halved_backlog = 0;
    std::unique_ptr<rate_guard> rates;
  };
  troubles& in_trouble() {
    if (!trouble_) trouble_ = std::make_unique<troubles>();
    return *trouble_;
  }

  void look() {
    typename Host::turn const turn(*this->host_);
    for (int i = 0; i < 64 && this->phase_ != phase::closed && !paused_; ++i) {
      if (!this->self().read()) break;
    }
    if (this->phase_ != phase::closed && this->phase_ != phase::securing) this->retry_write();
  }

  void expire(time_point now) {
    if (this->phase_ == phase::closed) return;
    if (phase_deadline_ <= now) return this->self().on_phase_timeout();
    if (trouble_ && !outlives_trouble(now)) return;
    if (beat_next_ <= now) on_beat(now);
    if (trouble_ && trouble_->throttled_until <= now) {
      trouble_->throttled_until = time_point::max();
      this->self().resume_reading(pause_reason::rate);
    }
  }

  // False if it was given up.
  bool outlives_trouble(time_point now) {
    if (trouble_->stall_deadline <= now) return give_up(errc::write_stalled), false;
    if (trouble_->watch_deadline > now) return true;
    if (paused_) {  // nobody listens to it
      trouble_->watch_deadline = now + this->host_->limits().message_timeout;
    } else if (!keeps_coming(now)) {
      this->self().violate(errc::message_timeout, ws::close_code_for(errc::message_timeout));
      return false;
    }
    return true;
  }

  // A long message may take longer than the timeout as long as it makes progress.
  bool keeps_coming(time_point now) {
    auto const timeout = this->host_->limits().message_timeout;
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
    std::size_t const held = this->peer_.unfinished().held;
    auto const least = min_progress * static_cast<std::size_t>(seconds);
    if (held < trouble_->watched_held + least) return false;
    trouble_->watched_held = held;
    trouble_->watch_deadline = now + timeout;
    return true;
  }

  void on_beat(time_point now) {
    auto const& numbers = this->host_->beat_numbers();
    if (paused_) heard();  // nobody listens to it: silence means nothing
    beat said = beat_.poll(numbers, now);
    if (said.what == beat::action::expired) {
      look();
      if (this->phase_ != phase::open) return;
      said = beat_.poll(numbers, now);
      if (said.what == beat::action::expired) return give_up(errc::heartbeat_timeout);
    }
    if (said.what == beat::action::ping) {
      ++this->host_->counters().pings_out;
      this->send_control(control_kind::ping, {});
    }
    beat_next_ = said.next;
  }

  void give_up(errc why) {
    this->host_->count_violation(why);
    this->self().terminate(make_error_code(why));
  }

  time_point phase_deadline_ = time_point::max();
  time_point beat_next_ = time_point::max();
  std::unique_ptr<troubles> trouble_;
  [[no_unique_address]] typename Host::connection_beat beat_;
  std::uint8_t paused_ = 0;

 protected:
  // The connection's, here where alignment leaves room for them.
  bool waiting_read_ = false;
  bool close_delivered_ = false;
  bool shut_down_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
