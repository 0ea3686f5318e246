// A client's way from one connection to the next: attempts, their failures, and who is told.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/dialing.hpp>
#include <hawser/machine/redial.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Second layer of clients' cores (`Derived`), which has
/// - `begin_attempt(give_up)`: make a connection, then say `attempt_opened` or `attempt_failed`;
/// - `end_attempt()`: give the attempt under way up, or the connection;
/// - `rested(error)`: nothing comes of itself any more, so nothing shall go on waiting;
/// - `connect_cancelled()`: nobody waits for the connection any more.
template <class Derived, class Policies, class Interface>
class redialing : public dialing<Derived, Policies, Interface> {
 public:
  using base = dialing<Derived, Policies, Interface>;

  callback<void(client_state)> on_state;
  callback<void(attempt_failure const&)> on_error;
  callback<void(std::uint32_t)> on_reconnect_attempt;
  callback<void(std::uint32_t)> on_reconnect;
  callback<void(attempt_failure const&)> on_reconnect_error;
  callback<void()> on_reconnect_failed;

  client_state state() const noexcept { return redial_.state(); }
  bool is_connecting() const noexcept {
    return state() == client_state::connecting || state() == client_state::reconnecting;
  }

  /// Makes the first attempt, or the next one at once, if one waits for its time.
  std::error_code connect(std::string_view where) {
    if (auto const error = prepare(where)) return error;
    begin();
    return {};
  }

  /// Likewise; completes when there is a connection, or won't be one.
  void connect(std::string_view where, completion<std::error_code> done) {
    if (auto const error = prepare(where)) return done(error);
    done.on_cancel([at = anchor_ref(&this->anchored()), this] {
      if (at.host()) this->derived().connect_cancelled();
    });
    connect_done_.push_back(std::move(done));
    begin();
  }

  /// Likewise to where it was connected before. Error also: `not_open`, it never was.
  std::error_code connect_again() {
    if (!this->has_url()) return make_error_code(errc::not_open);
    if (this->gone() || state() != client_state::disconnected) {
      return make_error_code(errc::already_connected);
    }
    begin();
    return {};
  }

  void on_own_deadline(wheel_entry& entry, time_point now) {
    if (&entry != &redial_at_) return this->derived().on_later_deadline(entry, now);
    if (redial_.due().what == redial_type::step::dial) start_attempt();
  }

 protected:
  using redial_type = redial<typename Policies::reconnect>;

  template <class Options>
  redialing(typename base::executor_type executor, Options& options)
      : base(std::move(executor), options),
        redial_(options.reconnect),
        connect_timeout_(options.connect_timeout),
        reconnect_when_refused_(options.reconnect_when_refused) {}

  /// The attempt has made a connection; `tell` tells of it before the manager does.
  template <class Tell>
  void attempt_opened(Tell&& tell) {
    std::uint32_t const number = redial_.opened();
    tell_state();
    if (!this->gone()) tell();
    if (!this->gone() && number > 0 && on_reconnect) this->fenced([&] { on_reconnect(number); });
  }

  /// It has not.
  void attempt_failed(attempt_failure const& why) {
    bool const was_first = redial_.attempt() == 0;
    auto const verdict = redial_.failed(why, is_wanted(why), this->random().next());
    if (on_error) this->fenced([&] { on_error(why); });
    if (!was_first && on_reconnect_error) this->fenced([&] { on_reconnect_error(why); });
    if constexpr (requires { this->derived().attempt_was_lost(why); }) {
      if (!this->gone()) this->derived().attempt_was_lost(why);
    }
    go_on(verdict, why);
  }

  /// A connection that was there is lost.
  void connection_lost(attempt_failure const& why) {
    if (redial_.state() == client_state::disconnecting) return over(why.error);
    go_on(redial_.failed(why, is_wanted(why), this->random().next()), why);
  }

  /// The user closes a connection, which says `connection_lost` when that is done.
  void begin_closing() {
    this->unschedule(redial_at_);
    (void)redial_.close();
    tell_state();
  }
  /// It is closed, or was none.
  void over(std::error_code error) {
    redial_.end();
    rest(error ? error : make_error_code(asio::error::operation_aborted));
  }

  /// The attempt under way, or the wait for the next, is of no interest any more.
  void give_up_connecting() {
    if (!is_connecting()) return;
    typename base::turn const held(*this);
    this->unschedule(redial_at_);
    this->derived().end_attempt();
    this->disarm();
    redial_.end();
    rest(make_error_code(asio::error::operation_aborted));
  }

  /// Whoever waits for the connection is told.
  void complete_connect(std::error_code error) { complete_all(connect_done_, error); }
  bool is_awaited() const noexcept { return !connect_done_.empty(); }

  /// The context has gone: there is nowhere to complete anything.
  void drop_completions() noexcept { connect_done_.clear(); }

 private:
  // It stays disconnected: whoever waits for anything is told.
  void rest(std::error_code why) {
    complete_connect(why);
    this->derived().rested(why);
    tell_state();
    if constexpr (requires { this->derived().rest_told(); }) this->derived().rest_told();
  }

  std::error_code prepare(std::string_view where) {
    if (this->gone()) return make_error_code(asio::error::operation_aborted);
    bool const waits = state() == client_state::reconnecting && redial_.waits();
    if (state() != client_state::disconnected && !waits) {
      return make_error_code(errc::already_connected);
    }
    return this->set_url(where);
  }

  void begin() {
    typename base::turn const held(*this);
    this->unschedule(redial_at_);
    if (redial_.begin().what == redial_type::step::dial) start_attempt();
  }

  void start_attempt() {
    this->forget_status();
    std::uint64_t const started = ++started_;
    tell_state();
    std::uint32_t const number = redial_.attempt();
    if (number > 0 && started == started_ && on_reconnect_attempt) {
      this->fenced([&] { on_reconnect_attempt(number); });
    }
    // A handler had enough, or has begun another one.
    if (this->gone() || !is_connecting() || redial_.waits() || started != started_) return;
    this->derived().begin_attempt(this->now() + connect_timeout_);
  }

  void go_on(typename redial_type::verdict what, attempt_failure const& why) {
    if (this->gone()) return;
    switch (what.what) {
      case redial_type::step::dial_later:
        // Unless a handler had enough, or could not wait.
        if (redial_.waits()) this->schedule(redial_at_, this->now() + what.delay);
        return tell_state();
      case redial_type::step::give_up:
        if (on_reconnect_failed) this->fenced([&] { on_reconnect_failed(); });
        break;
      default: break;
    }
    if (this->gone() || state() != client_state::disconnected) return;
    this->disarm();
    rest(why.error);
  }

  // A server that has said no will not change its mind.
  bool is_wanted(attempt_failure const& why) const noexcept {
    if (reconnect_when_refused_) return true;
    if (why.status == 401 || why.status == 403) return false;
    auto const code = static_cast<unsigned>(why.code.value_or(close_code::normal));
    return !(code == 1002 || code == 1003 || (code >= 1007 && code <= 1010));
  }

  void tell_state() {
    if (this->gone() || told_ == state()) return;
    told_ = state();
    if (on_state) this->fenced([&] { on_state(told_); });
  }

  redial_type redial_;
  wheel_entry redial_at_{static_cast<std::uint8_t>(client_deadline::redial)};
  std::vector<completion<std::error_code>> connect_done_;
  std::chrono::milliseconds connect_timeout_;
  std::uint64_t started_ = 0;  // attempts
  bool reconnect_when_refused_;
  client_state told_ = client_state::disconnected;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
