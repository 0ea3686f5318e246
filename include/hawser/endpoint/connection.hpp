// One connection, of a server or a client: its life from the stream's handshake to its end.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/error.hpp>
#include <asio/post.hpp>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/endpoint/connection_extras.hpp>
#include <hawser/endpoint/kept.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/liveness.hpp>
#include <hawser/endpoint/sending.hpp>
#include <hawser/policy/framing.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Owned by its host, and kept by the operations under way until they have ended. The host
/// (a server's or client's core) gives it workspace, clock and limits and gets its events.
template <class Host>
class connection : public liveness<Host, connection<Host>> {
 public:
  using base = liveness<Host, connection<Host>>;
  using stream_type = typename base::stream_type;
  using opening_type = typename Host::opening;

  connection(Host& host, stream_type stream) : base(host, std::move(stream)) {}
  ~connection() { this->unwatch(); }

  connection_id id{};
  user_data data{};
  std::unique_ptr<opening_type> opening{};                  ///< gone once the connection is open
  [[no_unique_address]] typename Host::guest_type guest{};  ///< what the host keeps with it

  std::string_view subprotocol() const noexcept {
    return extras_ ? std::string_view(extras_->subprotocol) : std::string_view();
  }
  void set_subprotocol(std::string_view name) {
    if (!name.empty()) extras().subprotocol = name;
  }
  /// Bytes held for an unfinished message.
  std::size_t held() const noexcept { return this->peer_.unfinished().held; }

  // -- life --------------------------------------------------------------------------------------

  /// Begins with the stream's own handshake, then `Host::secured`.
  void start(time_point give_up) {
    this->set_deadline(give_up);
    secure();
  }

  /// The stream is ready: from here on what arrives goes to `Host::opening_bytes`.
  void begin_opening() {
    this->phase_ = phase::opening;
    read_when_ready();
  }

  /// Messages flow from here on.
  void become_open() {
    this->phase_ = phase::open;
    this->begin_beats();
    this->set_deadline(time_point::max());
    read_when_ready();
  }

  /// Bytes read elsewhere, or held back.
  void receive(mutable_bytes in) {
    if (this->phase_ == phase::opening) {
      this->host_->opening_bytes(*this, in);
    } else if (this->phase_ == phase::open || this->phase_ == phase::closing) {
      read_frames(in);
    } else if (this->phase_ == phase::lingering) {
      extras().lingered += in.size();
      if (extras_->lingered > connection_extras::max_lingered) dispose(true);
    }
  }

  /// Likewise, with the next turn: handlers must not run inside those of another connection.
  void receive_later(mutable_bytes in) {
    if (in.empty()) return;
    hold(in);
    go_on_soon();
  }

  /// One read of what is there. False when there was nothing.
  bool read() {
    if (holds()) return false;  // what was read before goes first
    auto& host = *this->host_;
    io_result const got = this->stream_.read_some(host.space().receive_buffer());
    if (got.error && !is_would_block(got.error)) return on_end(got.error), false;
    if (got.bytes > 0) {
      host.counters().bytes_in += got.bytes;
      this->heard();
      receive(host.space().receive_buffer().first(got.bytes));
    }
    if (this->stream_.unsent()) this->write_when_ready();  // TLS says what nobody asked for
    return got.bytes > 0;
  }

  /// Nothing is decoded or read until `resume_reading`.
  void pause_reading(pause_reason why) noexcept { this->pause(why); }
  void resume_reading(pause_reason why) {
    if (this->unpause(why)) go_on_soon();
  }

  // -- closing -----------------------------------------------------------------------------------

  /// Sends Close behind what is queued and waits for the answer.
  std::error_code close(close_code code, std::string_view reason) {
    if (this->phase_ != phase::open) return make_error_code(errc::not_open);
    if (auto const error = ws::check_close(code, reason)) return error;
    say_farewell(code, reason, {}, this->host_->limits().close_timeout);
    this->unpause_all();
    go_on_soon();
    return {};
  }

  /// Its queue is too long. What is queued is thrown away, so that the Close frame has a chance;
  /// the close event comes with the peer's answer or the reset, not under the caller's feet.
  void give_up_slow() {
    this->host_->count_violation(errc::send_queue_full);
    this->drop_queued();
    say_farewell(close_code::try_again_later, {}, make_error_code(errc::send_queue_full),
                 this->host_->limits().linger_timeout);
    this->unpause_all();
    go_on_soon();
  }

  /// Ends the connection without a word. `rude`: with a reset.
  void terminate(std::error_code why, bool rude = true) {
    kept const alive(*this);  // a handler may end the server or client, which lets go of this
    deliver_close({close_code::abnormal, {}, why, false});
    dispose(rude);
  }

  /// The peer broke the protocol or a limit: nothing more is delivered.
  void violate(errc error, close_code code) {
    kept const alive(*this);
    this->host_->count_violation(error);
    if (this->phase_ == phase::open) send_close(code, describe(error));
    deliver_close({code, describe(error), make_error_code(error), false});
    linger();
  }

  /// The stream failed.
  void fail(std::error_code error) {
    kept const alive(*this);
    if (this->phase_ == phase::closed) return;
    if (this->phase_ < phase::open) this->host_->opening_failed(*this, error);
    deliver_close({close_code::abnormal, {}, error, false});
    dispose(false);
  }

  /// What is queued still leaves, then the sending direction ends; input is discarded.
  void linger() {
    if (this->phase_ >= phase::lingering) return;
    this->phase_ = phase::lingering;
    opening.reset();
    if (extras_) extras_->held.reset();
    this->drop_unfinished();
    // The server ends the TCP connection first (RFC 6455 section 7.1.1).
    auto const& limits = this->host_->limits();
    this->end_beats(this->host_->now() +
                    (Host::side == role::server ? limits.linger_timeout : limits.close_timeout));
    this->unpause_all();
    read_when_ready();
    if (!this->host_->is_corked(*this)) this->flush();
  }

  /// Closes the stream and leaves the host. `rude`: with a reset.
  void dispose(bool rude) noexcept {
    if (this->phase_ == phase::closed) return;
    this->phase_ = phase::closed;
    rude ? this->stream_.reset() : this->stream_.close();
    this->host_->remove(*this);
  }

  /// The host goes: no event any more.
  void abandon() noexcept {
    this->phase_ = phase::closed;
    this->stream_.close();
    this->outbox_.clear(this->blocks());
  }

  // -- what the other layers report --------------------------------------------------------------

  void on_writable(std::error_code error) {
    this->waiting_write_ = false;
    if (this->phase_ == phase::closed) return;
    typename Host::turn const turn(*this->host_);
    if (error) return fail(error);
    this->flush();
    if (this->phase_ != phase::closed && this->backlog_is_halved()) end_backlog();
  }

  // All that was queued has been taken by the stream.
  void on_written(bool was_blocked) {
    if (this->phase_ == phase::lingering) {
      if (Host::side == role::server && !std::exchange(this->shut_down_, true)) {
        this->stream_.shutdown();
        if (this->stream_.unsent()) this->write_when_ready();
      }
      return;
    }
    if (was_blocked && this->phase_ == phase::open) this->host_->drained(*this);
    end_backlog();
  }

  void on_phase_timeout() {
    switch (this->phase_) {
      case phase::securing:
      case phase::opening:
        this->set_deadline(time_point::max());
        return this->host_->opening_timed_out(*this);
      case phase::closing:
        if (auto const* const said = said_farewell(); said && said->error) {
          deliver_close({said->code, {}, said->error, false});
          return dispose(true);
        }
        deliver_close({close_code::abnormal, {}, make_error_code(errc::close_timeout), false});
        return linger();
      default: return dispose(true);
    }
  }

 private:
  connection_extras& extras() {
    if (!extras_) extras_ = std::make_unique<connection_extras>();
    return *extras_;
  }
  bool holds() const noexcept { return extras_ && extras_->held; }
  farewell const* said_farewell() const noexcept {
    return extras_ && extras_->said ? &*extras_->said : nullptr;
  }

  void secure() {
    std::error_code const error = this->stream_.handshake();
    if (!error) return this->host_->secured(*this);
    if (!is_would_block(error)) return fail(error);
    operation<connection> again(*this, &connection::on_securing);
    this->stream_.wants_write() ? this->stream_.wait_writable(std::move(again))
                                : this->stream_.wait_readable(std::move(again));
  }

  void on_securing(std::error_code error) {
    if (this->phase_ != phase::securing) return;
    typename Host::turn const turn(*this->host_);
    error ? fail(error) : secure();
  }

  void read_when_ready() {
    if (this->waiting_read_ || this->is_paused() || this->phase_ == phase::closed) return;
    this->waiting_read_ = true;
    this->stream_.wait_readable(operation<connection>(*this, &connection::on_readable));
  }

  void on_readable(std::error_code error) {
    this->waiting_read_ = false;
    if (this->phase_ == phase::closed) return;
    typename Host::turn const turn(*this->host_);
    if (error) return fail(error);
    if (holds()) return;  // whoever takes that up reads on
    if (!this->is_paused()) read();
    read_when_ready();
  }

  void on_end(std::error_code error) {
    if (this->phase_ == phase::lingering) return dispose(false);
    fail(error == asio::error::eof ? make_error_code(errc::end_of_stream) : error);
  }

  void read_frames(mutable_bytes in) {
    if (this->host_->is_reading()) return receive_later(in);
    auto& shared = this->host_->space().framing();
    bool completed = false;
    [[maybe_unused]] message next;
    this->host_->cork(*this);
    while (this->phase_ == phase::open || this->phase_ == phase::closing) {
      if (this->is_paused()) {
        hold(in);
        break;
      }
      if constexpr (requires { this->peer_.take_plain(in, shared, Host::side, next); }) {
        if (this->peer_.take_plain(in, shared, Host::side, next)) [[likely]] {
          completed = true;
          if (this->phase_ == phase::open) deliver(next);
          continue;
        }
      }
      mutable_bytes rest = in;  // so that `in`, whose address nobody gets, stays in registers
      framing_event const event = this->peer_.decode(rest, shared);
      in = rest;
      if (event.what == framing_event::type::message) {
        completed = true;
        if (this->phase_ == phase::open) deliver({event.kind, event.payload});
      } else {
        if (event.what == framing_event::type::need_more) break;
        on_control(event);
      }
    }
    this->host_->uncork(*this);
    if (this->phase_ == phase::open || this->phase_ == phase::closing) this->watch(completed);
  }

  // Bytes that arrived behind the message at which reading was paused.
  void hold(mutable_bytes in) {
    if (in.empty()) return;
    if (!holds()) extras().held.emplace();
    extras_->held->append(in);
  }

  // Posted: handlers must not run under the feet of whoever closes, sends or resumes.
  void go_on_soon() {
    if (!holds()) return read_when_ready();
    asio::post(this->host_->executor(), operation<connection>(*this, &connection::on_turn));
  }

  void end_backlog() {
    if (this->is_paused_for(pause_reason::backlog)) resume_reading(pause_reason::backlog);
  }

  void on_turn(std::error_code) {
    if (this->phase_ == phase::closed || this->is_paused()) return;
    typename Host::turn const turn(*this->host_);
    if (holds()) {
      byte_buffer rest = *std::exchange(extras_->held, std::nullopt);
      receive(rest.mutable_view());
    }
    read_when_ready();
  }

  [[gnu::always_inline]] void deliver(message const& what) {
    auto& host = *this->host_;
    ++host.counters().messages_in;
    if (host.limits_messages() && !this->within_rates(rate_kind::message, what.data.size())) {
      return;
    }
    host.deliver(*this, what);
  }

  void on_control(framing_event const& event) {
    using type = framing_event::type;
    if (event.what == type::violation) return violate(event.error, event.code);
    if (event.what == type::close) return on_close(event);
    if (!this->within_rates(rate_kind::control, 0)) return;
    if (event.what == type::pong) return;
    ++this->host_->counters().pings_in;
    if (this->phase_ == phase::open) this->send_control(control_kind::pong, event.payload);
  }

  void on_close(framing_event const& event) {
    if (this->phase_ == phase::open) {
      send_close(event.code, {});  // echoes the code (RFC 6455 section 5.5.1)
      deliver_close({event.code, as_text(event.payload), {}, true});
    } else if (auto const* const said = said_farewell()) {
      deliver_close({said->code, said->reason, said->error, false});
    }
    linger();
  }

  void say_farewell(close_code code, std::string_view reason, std::error_code error,
                    duration patience) {
    extras().said = farewell{code, std::string(reason), error};
    this->phase_ = phase::closing;
    send_close(code, reason);
    this->end_beats(this->host_->now() + patience);
  }

  void send_close(close_code code, std::string_view reason) {
    std::array<std::byte, ws::max_control_payload> body;
    std::size_t const size = ws::write_close(body.data(), code, reason);
    this->send_control(control_kind::close, {body.data(), size});
  }

  // Once, and only for what was open.
  void deliver_close(close_event const& event) {
    if (this->phase_ != phase::open && this->phase_ != phase::closing) return;
    this->phase_ = phase::closing;  // nothing is delivered or sent any more
    if (!std::exchange(this->close_delivered_, true)) this->host_->closed(*this, event);
  }

  std::unique_ptr<connection_extras> extras_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
