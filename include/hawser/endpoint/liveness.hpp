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
    if (phase_deadline_ <= now || watch_deadline_ <= now || stall_deadline_ <= now) look();
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
    if (stall_deadline_ != time_point::max()) return;
    stall_deadline_ = this->host_->now() + this->host_->limits().write_stall_timeout;
    reschedule();
  }
  void on_progress() noexcept {
    if (stall_deadline_ == time_point::max()) return;
    stall_deadline_ = time_point::max();
    if (this->waiting_write_) on_blocked();
  }
  void on_backlog() noexcept {
    pause(pause_reason::backlog);
    halved_backlog_ = this->queued().bytes / 2;
  }
  bool backlog_is_halved() const noexcept {
    return is_paused_for(pause_reason::backlog) && this->queued().bytes <= halved_backlog_;
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
    throttled_until_ = time_point::max();
  }

  void begin_beats() {
    beat_next_ = beat_.start(this->host_->beat_numbers(), this->host_->now()).next;
  }
  void heard() noexcept { beat_.on_received(); }

  /// Only the deadline of the phase counts from here on.
  void end_beats(time_point phase_deadline) {
    beat_next_ = watch_deadline_ = throttled_until_ = time_point::max();
    set_deadline(phase_deadline);
  }

  void reschedule() {
    if (this->phase_ == phase::closed) return;
    this->host_->schedule(*this, std::min({phase_deadline_, beat_next_, watch_deadline_,
                                           stall_deadline_, throttled_until_}));
  }

  /// Starts, keeps or ends the watch over an unfinished message, after every read.
  void watch(bool completed) {
    auto const unfinished = this->peer_.unfinished();
    if (unfinished.held != held_before_) {
      this->host_->partial_changed(this->self(), std::exchange(held_before_, unfinished.held),
                                   unfinished.held);
    }
    if (!unfinished.exists) {
      watch_deadline_ = time_point::max();
    } else if (completed || watch_deadline_ == time_point::max()) {
      watched_held_ = unfinished.held;
      watch_deadline_ = this->host_->now() + this->host_->limits().message_timeout;
      reschedule();
    }
  }
  /// Nothing is delivered any more: what has come of a message is given back.
  void drop_unfinished() noexcept {
    this->peer_.release(this->host_->space().framing());
    unwatch();
  }
  /// The connection ends: what it held no longer counts.
  void unwatch() noexcept { this->host_->forget_partial(std::exchange(held_before_, 0)); }

  /// Charges a message or a control frame. False if that was the last straw.
  bool within_rates(rate_kind kind, std::size_t bytes) {
    auto const& limits = this->host_->limits().rates;
    if (!rates_) rates_ = std::make_unique<rate_guard>(limits, this->host_->now());
    switch (rates_->take(kind, bytes, this->host_->now())) {
      case rate_verdict::within: return true;
      case rate_verdict::wait:
        pause(pause_reason::rate);
        throttled_until_ = rates_->until();
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
    if (stall_deadline_ <= now) return give_up(errc::write_stalled);
    if (watch_deadline_ <= now && paused_) {  // nobody listens to it
      watch_deadline_ = now + this->host_->limits().message_timeout;
    }
    if (watch_deadline_ <= now && !keeps_coming(now)) {
      return this->self().violate(errc::message_timeout, ws::close_code_for(errc::message_timeout));
    }
    if (beat_next_ <= now) on_beat(now);
    if (throttled_until_ <= now) {
      throttled_until_ = time_point::max();
      this->self().resume_reading(pause_reason::rate);
    }
  }

  // A long message may take longer than the timeout as long as it makes progress.
  bool keeps_coming(time_point now) {
    auto const timeout = this->host_->limits().message_timeout;
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
    std::size_t const held = this->peer_.unfinished().held;
    if (held < watched_held_ + min_progress * static_cast<std::size_t>(seconds)) return false;
    watched_held_ = held;
    watch_deadline_ = now + timeout;
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

  [[no_unique_address]] typename Host::connection_beat beat_;
  time_point phase_deadline_ = time_point::max();
  time_point beat_next_ = time_point::max();
  time_point watch_deadline_ = time_point::max();
  time_point stall_deadline_ = time_point::max();
  time_point throttled_until_ = time_point::max();
  std::size_t watched_held_ = 0;
  std::size_t held_before_ = 0;
  std::size_t halved_backlog_ = 0;
  std::unique_ptr<rate_guard> rates_;
  std::uint8_t paused_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
