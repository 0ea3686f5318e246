// One Engine.IO session: what carries it, when it is given up, what waits for its next poll.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/post.hpp>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/small_list.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/admission.hpp>
#include <hawser/endpoint/operation.hpp>
#include <hawser/endpoint/socketio_host.hpp>
#include <hawser/machine/engine_session.hpp>
#include <hawser/machine/packet_parser.hpp>
#include <hawser/machine/packet_queue.hpp>
#include <hawser/machine/rate_guard.hpp>
#include <hawser/policy/heartbeat.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Kinds of wheel entries beside the connections' own.
enum class deadline_kind : std::uint8_t { connection, session, ack, asking };

/// A session of `Core`, which owns it. A session that has only ever used a WebSocket has no
/// `polling` part.
template <class Core>
class session : public wheel_entry {
 public:
  using executor_type = typename Core::policies::transport::executor_type;
  using connection_type = typename Core::connection_type;
  using heartbeat = typename Core::policies::heartbeat;
  using parser = typename Core::policies::framing::parser;

  session(Core& core, engine_session::carrier first)
      : wheel_entry(static_cast<std::uint8_t>(deadline_kind::session)), core_(core), state(first) {
    core_.retain();
    if (state.polls()) polling_ = std::make_unique<polling>();
  }
  session(session const&) = delete;
  session& operator=(session const&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }
  block_pool& blocks() noexcept { return core_.blocks(); }

  // -- what the core keeps with it ---------------------------------------------------------------

  std::array<char, 24> name{};                          ///< its sid
  std::uint32_t index = 0;                              ///< among the core's sessions
  std::uint32_t first_socket = socket_record::no_slot;  ///< slot of the first of its sockets
  typename parser::peer packets;
  kept<session_handshake const> handshake;
  socket_id claimant{};     ///< that wants to take up where this one left off: see `recovery`
  std::size_t partial = 0;  ///< bytes of a packet whose attachments are to come
  bool is_claimed = false;
  bool base64_only = false;  ///< its client takes no binary frames
  std::uint16_t connect_errors = 0;
  std::uint16_t unknown_acks = 0;
  time_point unknown_acks_since{};

  std::string_view sid() const noexcept { return {name.data(), name.size()}; }
  bool has_sockets() const noexcept { return first_socket != socket_record::no_slot; }
  bool is_open() const noexcept { return stage_ == stage::open; }
  bool is_over() const noexcept { return stage_ == stage::over; }
  connection_type* carrier() const noexcept { return carrier_; }
  std::string_view transport() const noexcept { return state.polls() ? "polling" : "websocket"; }

  // -- deadlines ---------------------------------------------------------------------------------

  void begin(time_point connect_by) {
    beat_next_ = beat_.start(core_.heartbeat_options(), core_.now()).next;
    over_by_ = connect_by;
    reschedule();
  }
  /// The session has joined a namespace, or left the last.
  void set_connect_deadline(time_point when) {
    if (!is_open()) return;
    over_by_ = when;
    reschedule();
  }
  /// A packet waits for its attachments, or no longer.
  void set_attachments_deadline(time_point when) {
    if (attachments_by_ == when) return;
    attachments_by_ = when;
    reschedule();
  }
  void forget_partial() noexcept { core_.forget_partial(std::exchange(partial, 0)); }
  bool awaits_attachments() const noexcept { return attachments_by_ != time_point::max(); }

  /// Nothing but the answer to a ping counts: not a pong that comes by itself.
  void on_pong() {
    beat_.on_received();
    if (!std::exchange(awaits_pong_, false) || !is_open()) return;
    beat_next_ = beat_.start(core_.heartbeat_options(), core_.now()).next;
    reschedule();
  }

  void on_deadline(time_point now) {
    session& kept = *this;
    kept.retain();
    expire(now);
    if (!is_over()) reschedule();
    kept.release();
  }

  // -- sending -----------------------------------------------------------------------------------

  /// Sends one packet of the level above, with its attachments. Errors: as `socket::emit`.
  std::error_code send(encoded_packet const& what, emit_flags const& how) {
    if (!is_open()) return make_error_code(errc::not_open);
    if (how.droppable && !is_writable()) {
      ++core_.counters().messages_dropped;
      return make_error_code(errc::dropped);
    }
    if (state.polls()) [[unlikely]] {
      small_list<outgoing, 4> const parts = parts_of(what, how.compress);
      return queue(std::span<packet_part const>(copies(core_.blocks(), parts.view())), how);
    }
    if (what.attachments.empty() && !base64_only) [[likely]] {
      return carrier_->send(outgoing{what.kind, what.main, how.compress}, how.key);
    }
    return send_frames(parts_of(what, how.compress).view(), how.key);
  }

  /// Sends by WebSocket what belongs together; binary as text to a client that takes no other.
  std::error_code send_frames(std::span<outgoing const> parts, message_key key) {
    if (!base64_only) return carrier_->send(parts, key);
    std::vector<std::string> texts;
    small_list<outgoing, 4> converted;
    texts.reserve(parts.size());
    for (outgoing part : parts) {
      if (part.kind == message_kind::binary) {
        texts.push_back(eio::binary_character + codec::base64_encode(part.data));
        part = {message_kind::text, as_bytes(texts.back()), part.compress};
      }
      converted.push_back(part);
    }
    return carrier_->send(converted.view(), key);
  }

  /// Queues what others get too, for the next poll.
  std::error_code queue(std::span<packet_part const> parts, emit_flags const& how) {
    if (!is_open()) return make_error_code(errc::not_open);
    if (how.droppable && !is_writable()) {
      ++core_.counters().messages_dropped;
      return make_error_code(errc::dropped);
    }
    auto const refused =
        queue_packet(polling_->queue, core_.backpressure(), core_.counters(), *this, parts, how);
    if (refused) return refused;
    core_.poll_soon(*this);
    return {};
  }

  /// Sends a packet of Engine.IO itself: its type character, and what is behind it.
  void send_control(std::string_view packet) {
    if (state.polls()) {
      polling_->queue.push_control(core_.space().pack(as_bytes(packet)));
      core_.poll_soon(*this);
    } else if (carrier_) {
      carrier_->send_text_control(as_bytes(packet));
    }
  }

  /// Asks for a sign of life.
  void ping() {
    ++core_.counters().pings_out;
    send_control("2");
  }

  /// Whether something that is sent now leaves at once.
  bool is_writable() const noexcept {
    if (!state.polls()) return carrier_ && carrier_->queued().messages == 0;
    return polling_->poll != nullptr && polling_->queue.empty();
  }
  backlog queued() const noexcept {
    if (state.polls()) return polling_->queue.queued();
    return carrier_ ? carrier_->queued() : backlog{};
  }

  // -- what a full queue means: see `make_room` --------------------------------------------------

  void hurry(std::size_t size) {
    auto& waiting = polling_->queue;
    if (polling_->poll && waiting.holds_messages() &&
        core_.backpressure().admit(waiting.queued(), size) != verdict::enqueue) {
      core_.answer_poll(*this);  // as a WebSocket takes what no longer fits
    }
  }
  void on_backlog() noexcept {}  // a client that doesn't poll doesn't post for ever either
  void give_up_slow() {
    if (std::exchange(given_up_, true)) return;
    core_.count_violation(errc::send_queue_full);
    end_soon(disconnect_reason::transport_error);
  }

  /// Ends with the next turn of the loop: not under the feet of whoever sends or closes.
  void end_soon(disconnect_reason why) {
    ends_by_ = why;
    asio::post(core_.executor(), operation<session>(*this, &session::on_ending));
  }

  // -- connections -------------------------------------------------------------------------------

  void carry_by(connection_type& one) noexcept {
    carrier_ = &one;
    one.guest.of = this;
  }

  /// What a session has while it polls, or is about to be upgraded.
  struct polling {
    packet_queue queue;
    connection_type* poll = nullptr;   // waits for its answer
    connection_type* post = nullptr;   // its body is coming, or its answer waits
    connection_type* probe = nullptr;  // a WebSocket that wants to take over
    time_point probe_by = time_point::max();
    time_point noop_at = time_point::max();
    time_point post_at = time_point::max();  // when the POST whose answer waits gets it
    std::unique_ptr<rate_guard> rates;       // made only when something is limited
    bool listed = false;                     // among those with something to answer
    bool parted = false;                     // the last packet is queued, or has left
  };
  polling* poller() noexcept { return polling_.get(); }

  /// Charges a packet that was posted, as every message of a WebSocket is charged. False if that
  /// was the last straw.
  bool within_rates(std::size_t bytes) {
    if (!core_.limits_messages() || !polling_) return true;
    auto& rates = polling_->rates;
    if (!rates) rates = std::make_unique<rate_guard>(core_.limits().rates, core_.now());
    return rates->take(rate_kind::message, bytes, core_.now()) != rate_verdict::exceeded;
  }

  /// The upgrade is done: what has waited leaves by the WebSocket.
  void switch_over() {
    std::unique_ptr<polling> const old = std::move(polling_);
    carry_by(*old->probe);
    auto const counted = core_.counters().messages_out;
    old->queue.take_all([&](std::span<packet_part const> parts, bool compress, message_key key) {
      (void)send_frames(messages_of(parts, compress).view(), key);
    });
    core_.counters().messages_out = counted;  // each was counted when it was queued
  }

  // -- the end -----------------------------------------------------------------------------------

  /// Nothing is delivered or sent any more but the last packet of a session that polls.
  void begin_closing(time_point by) noexcept {
    stage_ = stage::closing;
    packets = {};
    forget_partial();
    beat_next_ = attachments_by_ = time_point::max();
    over_by_ = by;
    reschedule();
  }
  void finish() noexcept {
    stage_ = stage::over;
    forget_partial();
    core_.unschedule(*this);
  }
  void lost_carrier() noexcept { carrier_ = nullptr; }

  void reschedule() {
    if (is_over()) return;
    time_point next = std::min({beat_next_, attachments_by_, over_by_});
    if (polling_) {
      next = std::min({next, polling_->probe_by, polling_->noop_at, polling_->post_at});
    }
    core_.schedule(*this, next);
  }

 private:
  enum class stage : std::uint8_t { open, closing, over };

  ~session() {
    polling_.reset();  // what is queued is of the core's pool
    core_.release();
  }

  void expire(time_point now) {
    if (!is_open() && over_by_ <= now) return core_.forget_session(*this);
    if (polling_ && polling_->noop_at <= now) {
      polling_->noop_at = time_point::max();
      core_.release_poll(*this);
    }
    if (polling_ && polling_->post_at <= now) core_.let_post_go(*this);
    if (polling_ && polling_->probe_by <= now) core_.drop_probe(*this);
    if (is_open() && over_by_ <= now) {
      return core_.end_session(*this, disconnect_reason::forced_server_close);
    }
    if (attachments_by_ <= now) {
      core_.count_violation(errc::attachments_timeout);
      return core_.end_session(*this, disconnect_reason::parse_error);
    }
    if (beat_next_ <= now) on_beat(now);
  }

  void on_beat(time_point now) {
    hawser::beat const said = beat_.poll(core_.heartbeat_options(), now);
    beat_next_ = said.next;
    if (said.what == hawser::beat::action::ping) {
      awaits_pong_ = true;
      core_.pinging(*this);
      return ping();
    }
    if (said.what != hawser::beat::action::expired) return;
    // A process that stalled must not take its own silence for the peer's: what has arrived is read
    // first, by a turn or two of the loop.
    beat_next_ = time_point::max();
    looks_left_ = 2;
    look_again();
  }

  void look_again() {
    asio::post(core_.executor(), operation<session>(*this, &session::on_looked));
  }

  void on_looked(std::error_code) {
    if (!is_open() || beat_next_ != time_point::max()) return;  // over, or a pong was among it
    if (looks_left_-- > 0) return look_again();
    typename Core::turn const held(core_);
    core_.count_violation(errc::heartbeat_timeout);
    core_.end_session(*this, disconnect_reason::ping_timeout);
  }

  void on_ending(std::error_code) {
    if (is_over()) return;
    typename Core::turn const held(core_);
    core_.end_session(*this, ends_by_);
  }

  Core& core_;

 public:
  engine_session state;

 private:
  [[no_unique_address]] heartbeat beat_;
  stage stage_ = stage::open;
  std::uint8_t looks_left_ = 0;
  bool awaits_pong_ = false;
  bool given_up_ = false;
  disconnect_reason ends_by_ = disconnect_reason::transport_error;
  std::uint32_t references_ = 1;
  connection_type* carrier_ = nullptr;
  std::unique_ptr<polling> polling_;
  time_point beat_next_ = time_point::max();
  time_point attachments_by_ = time_point::max();
  // Open: by when it has to be in a namespace. Closing: by when it is forgotten.
  time_point over_by_ = time_point::max();
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
