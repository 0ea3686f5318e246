// Engine.IO on a client: the session, by polling or WebSocket, and the upgrade between them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/post.hpp>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/eio/payload.hpp>
#include <hawser/codec/json/parse.hpp>
#include <hawser/endpoint/engine_requests.hpp>
#include <hawser/machine/client_engine.hpp>
#include <hawser/machine/engine_session.hpp>
#include <hawser/machine/packet_queue.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Fourth layer of `socketio_client_core` (`Derived`), which is told `session_opened()`,
/// `on_message(message, padded)` and `session_closed(reason)`.
template <class Derived, class Policies>
class engine_client : public engine_requests<Derived, Policies> {
 public:
  using base = engine_requests<Derived, Policies>;
  using connection_type = typename base::connection_type;

  callback<void()> on_open;
  callback<void(disconnect_reason, std::error_code)> on_close;
  callback<void()> on_ping;
  callback<void()> on_upgrade;

  // -- what the layers below report --------------------------------------------------------------

  void begin_attempt(time_point give_up) {
    give_up_ = give_up;
    first_ = 0;
    if (engine_.transports.empty()) {
      return this->attempt_failed({make_error_code(errc::bad_argument)});
    }
    open_by_next();
  }

  /// Nothing more is told of the session, nor of the attempt.
  void end_attempt() {
    state_.end();
    queue_.clear();
    this->unschedule(engine_at_);
    open_by_ = ping_by_ = upgrade_by_ = close_by_ = time_point::max();
    for (auto const on : {client_line::websocket, client_line::poll, client_line::post}) {
      this->hang_up(on);
    }
  }

  void response(client_line on, mutable_bytes content) {
    if (on == client_line::poll) {
      read_payload(content);
      if (this->gone()) return;
    }
    if (state_.at() == client_engine::stage::closing && parted_ && queue_.empty() &&
        !this->is_posting()) {
      return lose(disconnect_reason::forced_close, {});
    }
    this->go_on();
  }

  void opened(connection_type& one) {
    one.become_open();
    one.opening.reset();
    if (!state_.polls()) return;
    state_.begin_probe();
    one.send_text_control(as_bytes("2probe"));
  }

  void line_failed(client_line on, attempt_failure const& why) {
    if (on == client_line::websocket && state_.polls()) return drop_probe();
    if (state_.at() == client_engine::stage::closed) return;
    lose(disconnect_reason::transport_error, why);
  }

  void deliver(connection_type&, message const& what) {
    if (state_.polls()) return probed(what);
    if (!what.is_text()) {
      if (!state_.is_open()) return violated(errc::unexpected_packet);
      return this->derived().on_message(what, this->is_padded(what.data));
    }
    auto const packet = eio::read_packet(what.text());
    if (!packet) return violated(errc::bad_engine_packet);
    on_packet(*packet, this->is_padded(packet->data));
  }

  void drained(connection_type&) {
    if (state_.is_open()) this->derived().carrier_drained();
  }

  void closed(connection_type& one, close_event const& event) {
    bool const was_current = this->connection_of(client_line::websocket) == &one;
    this->part_with(one);
    if (!was_current) return;
    if (state_.polls()) return drop_probe();
    bool const clean = !event.error || event.error == errc::end_of_stream;
    lose(clean ? disconnect_reason::transport_close : disconnect_reason::transport_error,
         loss_of(event));
  }

  /// The server has agreed, and nothing is under way: the WebSocket takes over.
  void switch_over() {
    connection_type& one = *this->connection_of(client_line::websocket);
    upgrade_by_ = time_point::max();
    reschedule();
    this->hang_up(client_line::poll, false);
    this->hang_up(client_line::post, false);
    one.send_text_control(as_bytes("5"));
    auto const counted = this->counters_.messages_out;
    queue_.take_all([&](std::span<packet_part const> parts, bool compress, message_key key) {
      (void)one.send(messages_of(parts, compress).view(), key);
    });
    this->counters_.messages_out = counted;  // each was counted when it was queued
    if (on_upgrade) this->fenced([&] { on_upgrade(); });
  }

  void flush_polls() { this->go_on(); }

  void on_later_deadline(wheel_entry& entry, time_point now) {
    if (&entry != &engine_at_) return this->derived().on_socket_deadline(entry, now);
    if (open_by_ <= now) {
      return lose(disconnect_reason::transport_error, {make_error_code(errc::handshake_timeout)});
    }
    if (close_by_ <= now) return lose(disconnect_reason::forced_close, {});
    if (upgrade_by_ <= now) drop_probe();
    if (ping_by_ <= now) {
      // A process that stalled must not take its own silence for the server's: what has arrived is
      // read first, by a turn or two of the loop.
      ping_by_ = time_point::max();
      looks_left_ = 2;
      look_again();
    }
    reschedule();
  }

  // What a full queue means: see `make_room`.
  void hurry(std::size_t) noexcept {}
  void on_backlog() noexcept {}  // a POST is under way, and takes all the next time
  void give_up_slow() {
    if (std::exchange(slow_, true)) return;  // it is on its way
    this->count_violation(errc::send_queue_full);
    asio::post(this->executor(), operation<engine_client>(*this, &engine_client::on_slow));
  }

 protected:
  using base::engine_;
  using base::give_up_;
  using base::parted_;
  using base::queue_;
  using base::state_;
  using base::terms_;

  engine_client(typename base::executor_type executor, client_options<Policies>& options)
      : base(std::move(executor), options), max_packets_(options.framing.max_packets) {}

  /// Ends the session as the user wishes: what was sent before still leaves.
  void close_session() {
    if (!state_.is_open()) return;
    state_.begin_closing();
    ping_by_ = upgrade_by_ = time_point::max();
    close_by_ = this->now() + this->limits().close_timeout;
    reschedule();
    connection_type* const one = this->connection_of(client_line::websocket);
    if (!state_.polls()) return void(one->close(close_code::normal, {}));
    this->hang_up(client_line::websocket);
    parted_ = false;
    this->flush_soon();
  }

  /// The server broke a rule of the protocol.
  void violated(errc why) {
    this->count_violation(why);
    lose(disconnect_reason::parse_error, {make_error_code(why)}, ws::close_code_for(why));
  }

  /// The session is over. A WebSocket that still works is told `code`.
  void lose(disconnect_reason why, attempt_failure const& failure,
            close_code code = close_code::normal) {
    auto const before = state_.at();
    if (before == client_engine::stage::closed) return;
    typename base::turn const held(*this);
    if (connection_type* const one = this->connection_of(client_line::websocket)) {
      if (one->is_open()) {
        this->part_with(*one);
        (void)one->close(code, {});
      }
    }
    end_attempt();
    if (before == client_engine::stage::opening) return opening_failed_by(failure);
    ++this->counters_.closed;
    if (before == client_engine::stage::closing) why = disconnect_reason::forced_close;
    if (before == client_engine::stage::open) this->derived().session_closed(why);
    if (!this->gone() && on_close) this->fenced([&] { on_close(why, failure.error); });
    if (!this->gone()) this->connection_lost(failure);
  }

 private:
  // -- opening -----------------------------------------------------------------------------------

  void open_by_next() {
    auto const kind = engine_.transports[first_];
    state_.begin(kind);
    ++sessions_;
    terms_ = {};
    open_by_ = give_up_;
    reschedule();
    bool const polls = kind == eio::transport_kind::polling;
    this->dial(polls ? client_line::poll : client_line::websocket, give_up_);
  }

  void opening_failed_by(attempt_failure const& why) {
    if (engine_.try_all && ++first_ < engine_.transports.size() && this->now() < give_up_) {
      return open_by_next();
    }
    this->attempt_failed(why);
  }

  void open_session(eio::packet const& packet, bool padded) {
    value_tape tape;
    json_parser json;
    errc bad = json.parse(as_text(packet.data), value_limits{}, tape, padded);
    if (bad == errc{}) bad = eio::read_open(tape.root(), terms_);
    if (bad != errc{}) return lose(disconnect_reason::parse_error, {make_error_code(bad)});
    state_.open();
    ++this->counters_.opened;
    open_by_ = time_point::max();
    await_ping();
    this->attempt_opened([&] {
      if (on_open) this->fenced([&] { on_open(); });
    });
    if (this->gone() || !state_.is_open()) return;
    if (state_.polls() && wants_upgrade()) {
      upgrade_by_ = this->now() + engine_.upgrade_timeout;
      reschedule();
      this->dial(client_line::websocket, upgrade_by_);
    }
    this->derived().session_opened();
  }

  bool wants_upgrade() const {
    return engine_.upgrade && terms_.can_upgrade &&
           std::find(engine_.transports.begin(), engine_.transports.end(),
                     eio::transport_kind::websocket) != engine_.transports.end();
  }

  // -- packets -----------------------------------------------------------------------------------

  void read_payload(mutable_bytes content) {
    eio::payload_reader reader(content, {max_packets_});
    eio::packet packet;
    auto const session = sessions_;  // a handler may begin the next one
    while (state_.at() != client_engine::stage::closed && session == sessions_) {
      switch (reader.next(packet)) {
        case eio::payload_reader::status::end: return;
        case eio::payload_reader::status::violation: return violated(reader.error());
        case eio::payload_reader::status::packet: break;
      }
      on_packet(packet, false);
      if (this->gone()) return;
    }
  }

  void on_packet(eio::packet const& packet, bool padded) {
    using verdict = client_engine::verdict;
    if (state_.at() == client_engine::stage::closing && packet.type == eio::packet_type::message) {
      return;
    }
    switch (state_.on_packet(packet)) {
      case verdict::opened: return open_session(packet, padded);
      case verdict::deliver:
        if (state_.polls()) ++this->counters_.messages_in;
        return this->derived().on_message(
            {packet.binary ? message_kind::binary : message_kind::text, packet.data}, padded);
      case verdict::answer_ping:
        await_ping();
        this->send_control("3");
        if (on_ping) this->fenced([&] { on_ping(); });
        return;
      case verdict::close:
        return lose(disconnect_reason::transport_close, {make_error_code(errc::not_open)});
      case verdict::violation: return violated(errc::unexpected_packet);
      default: return;
    }
  }

  // -- upgrading ---------------------------------------------------------------------------------

  void probed(message const& what) {
    auto const packet = what.is_text() ? eio::read_packet(what.text()) : std::nullopt;
    bool const answered =
        packet && state_.on_probe_packet(*packet) == client_engine::verdict::pause;
    answered ? this->go_on() : drop_probe();
  }

  // The session goes on by polling.
  void drop_probe() {
    if (!state_.polls()) return;
    state_.end_probe();
    upgrade_by_ = time_point::max();
    reschedule();
    if (connection_type* const one = this->connection_of(client_line::websocket);
        one && one->is_open()) {
      this->part_with(*one);
      (void)one->close(close_code::normal, {});
    } else {
      this->hang_up(client_line::websocket);
    }
    this->flush_soon();
  }

  // -- deadlines ---------------------------------------------------------------------------------

  void await_ping() {
    ping_by_ = this->now() + terms_.ping_interval + terms_.ping_timeout;
    looks_left_ = 0;
    reschedule();
  }

  void reschedule() {
    if (this->gone()) return;
    this->schedule(engine_at_, std::min({open_by_, ping_by_, upgrade_by_, close_by_}));
  }

  void look_again() {
    asio::post(this->executor(), operation<engine_client>(*this, &engine_client::on_looked));
  }
  void on_looked(std::error_code) {
    if (this->gone() || !state_.is_open() || looks_left_ == 0) return;  // over, or there was a ping
    if (--looks_left_ > 0) return look_again();
    this->count_violation(errc::heartbeat_timeout);
    lose(disconnect_reason::ping_timeout, {make_error_code(errc::heartbeat_timeout)},
         close_code::going_away);
  }

  void on_slow(std::error_code) {
    if (this->gone() || !std::exchange(slow_, false) || !state_.is_open()) return;
    lose(disconnect_reason::transport_error, {make_error_code(errc::send_queue_full)});
  }

  std::size_t max_packets_;
  wheel_entry engine_at_{static_cast<std::uint8_t>(client_deadline::engine)};
  time_point open_by_ = time_point::max();
  time_point ping_by_ = time_point::max();
  time_point upgrade_by_ = time_point::max();
  time_point close_by_ = time_point::max();
  std::size_t first_ = 0;       // of the transports: the one that opens the session
  std::uint64_t sessions_ = 0;  // begun
  std::uint8_t looks_left_ = 0;
  bool slow_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
