// One connection: drives framing, heartbeat and send queue over a stream. Servers and clients.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/workspace.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/backpressure.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/policy/heartbeat.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Where a connection is in its life. It only ever moves down this list.
enum class phase : std::uint8_t {
  securing,   ///< the stream's own handshake
  opening,    ///< HTTP: the host reads
  open,       ///< messages flow
  closing,    ///< this side sent Close and waits for the peer's
  lingering,  ///< the close event was delivered; what is queued still leaves, input is discarded
  closed
};

/// Owned by its host, and kept by the operations under way until they have ended. The host
/// (a server's or client's core) gives it workspace, clock and limits and gets its events.
template <class Host>
class connection : public wheel_entry {
 public:
  using policies = typename Host::policies;
  using stream_type = typename policies::transport::stream;
  using framing = typename policies::framing;
  using opening_type = typename Host::opening;

  connection(Host& host, stream_type stream, role self)
      : host_(&host), stream_(std::move(stream)), peer_(self), role_(self) {
    host_->retain();
    ++host_->counters().objects;
  }
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }

  phase state() const noexcept { return phase_; }
  bool is_open() const noexcept { return phase_ == phase::open; }
  connection_id id{};
  user_data data;
  std::string subprotocol{};
  std::unique_ptr<opening_type> opening;  ///< gone once the connection is open

  stream_type& stream() noexcept { return stream_; }
  typename framing::peer& peer() noexcept { return peer_; }
  backlog queued() const noexcept { return outbox_.queued(); }
  std::size_t held() const noexcept { return peer_.unfinished().held; }

  /// Begins with the stream's own handshake, then `Host::secured`.
  void start(time_point give_up) {
    phase_deadline_ = give_up;
    reschedule();
    secure();
  }

  /// The stream is ready: from here on what arrives goes to `Host::opening_bytes`.
  void begin_opening() {
    phase_ = phase::opening;
    read_when_ready();
  }

  void set_deadline(time_point when) {
    phase_deadline_ = when;
    reschedule();
  }

  /// Messages flow from here on; `rest` is what has arrived behind the handshake. The host has
  /// delivered its open event before.
  void become_open() {
    phase_ = phase::open;
    phase_deadline_ = time_point::max();
    beat_next_ = beat_.start(host_->heartbeat_options(), host_->now()).next;
    reschedule();
    read_when_ready();
  }

  /// Bytes that were read elsewhere, or held back.
  void receive(mutable_bytes in) {
    if (phase_ == phase::opening) {
      host_->opening_bytes(*this, in);
    } else if (phase_ == phase::open || phase_ == phase::closing) {
      read_frames(in);
    } else if (phase_ == phase::lingering) {
      lingered_ += in.size();
      if (lingered_ > max_linger_bytes) dispose(true);
    }
  }

  // -- sending ----------------------------------------------------------------------------------

  std::error_code send(outgoing const& message, message_key key) {
    if (phase_ != phase::open) return make_error_code(errc::not_open);
    auto& space = host_->space();
    encoded_message const encoded = peer_.encode(message, space.framing());
    bool const direct = outbox_.empty() && host_->is_corked(*this) && !is_replaceable(key);
    if (direct) {
      ++host_->counters().messages_out;
      return send_corked(encoded.head_view(), encoded.body);
    }
    return admit(encoded.size(), key,
                 [&] { return space.pack(encoded.head_view(), encoded.body); });
  }

  /// Queues bytes that others get too.
  std::error_code send_shared(payload const& encoded, message_key key) {
    if (phase_ != phase::open) return make_error_code(errc::not_open);
    return admit(encoded.size(), key, [&] { return encoded; });
  }

  /// Queues bytes of the opening handshake.
  void send_raw(bytes_view bytes) {
    outbox_.push_control(host_->space().pack(bytes), host_->space().blocks());
    host_->mark_dirty(*this);
  }

  void send_control(control_kind kind, bytes_view content) {
    auto& space = host_->space();
    std::array<std::byte, max_control_size> frame;
    std::size_t const size = peer_.encode_control(kind, content, frame.data(), space.framing());
    if (size == 0) return;
    bytes_view const bytes{frame.data(), size};
    if (outbox_.empty() && host_->is_corked(*this)) {
      send_corked(bytes, {});
    } else {
      payload packed = space.pack(bytes);
      kind == control_kind::pong ? outbox_.push_pong(std::move(packed), space.blocks())
                                 : outbox_.push_control(std::move(packed), space.blocks());
      host_->mark_dirty(*this);
    }
  }

  /// Writes what is queued, as far as the stream takes it.
  void flush() {
    while (!waiting_write_ && phase_ != phase::closed) {
      std::array<bytes_view, 64> views;
      std::size_t const count = outbox_.gather(views);
      if (count == 0 && !stream_.unsent()) break;
      std::size_t wanted = 0;
      for (std::size_t i = 0; i < count; ++i) wanted += views[i].size();
      io_result const written = stream_.write_some({views.data(), count});
      if (written.error && !is_would_block(written.error)) return fail(written.error);
      took(written.bytes);
      outbox_.consume(written.bytes, host_->space().blocks());
      if (written.error || written.bytes < wanted || stream_.unsent()) return write_when_ready();
    }
    if (outbox_.empty() && !waiting_write_) drained();
  }

  /// Ends corking: what was said goes out, before whatever else is queued.
  void uncork() {
    auto& space = host_->space();
    bytes_view const corked = space.corked();
    if (corked.empty()) {
      if (!outbox_.empty()) flush();
      return;
    }
    io_result written;
    if (phase_ != phase::closed) written = stream_.write_some({&corked, 1});
    space.uncork();
    if (phase_ == phase::closed) return;
    if (written.error && !is_would_block(written.error)) return fail(written.error);
    took(written.bytes);
    if (written.bytes < corked.size()) {
      outbox_.push_begun(space.pack(corked.subspan(written.bytes)), space.blocks());
      write_when_ready();
    } else {
      flush();
    }
  }

  // -- reading on demand ---------------------------------------------------------------------

  /// Nothing is decoded or read until `resume_reading`.
  void pause_reading() noexcept { paused_ = true; }

  void resume_reading() {
    if (!std::exchange(paused_, false) && !held_) return;
    if (held_) {
      byte_buffer rest = std::move(*held_);
      held_.reset();
      if (phase_ == phase::lingering || phase_ == phase::closed) return read_when_ready();
      receive(rest.mutable_view());
    }
    read_when_ready();
  }

  // -- closing ----------------------------------------------------------------------------------

  /// Sends Close behind what is queued and waits for the answer.
  std::error_code close(close_code code, std::string_view reason) {
    if (phase_ != phase::open) return make_error_code(errc::not_open);
    if (auto const error = ws::check_close(code, reason)) return error;
    said_ = {code, std::string(reason), {}, false};
    phase_ = phase::closing;
    send_close(code, reason);
    beat_next_ = time_point::max();
    phase_deadline_ = host_->now() + host_->limits().close_timeout;
    reschedule();
    resume_reading();
    return {};
  }

  /// Ends the connection without a word.
  void terminate(std::error_code why) {
    deliver_close({close_code::abnormal, {}, why, false});
    dispose(true);
  }

  /// The peer broke the protocol or a limit: nothing more is delivered.
  void violate(errc error, close_code code) {
    host_->count_violation(error);
    if (phase_ == phase::open || phase_ == phase::closing) {
      if (phase_ == phase::open) send_close(code, describe(error));
      deliver_close({code, std::string_view(describe(error)), make_error_code(error), false});
    }
    linger();
  }

  /// The stream failed.
  void fail(std::error_code error) {
    if (phase_ == phase::closed) return;
    if (phase_ == phase::securing || phase_ == phase::opening) host_->opening_failed(*this, error);
    deliver_close({close_code::abnormal, {}, error, false});
    dispose(false);
  }

  /// What is queued still leaves, then the sending direction ends; input is discarded.
  void linger() {
    if (phase_ >= phase::lingering) return;
    phase_ = phase::lingering;
    opening.reset();
    beat_next_ = watch_deadline_ = time_point::max();
    // The server ends the TCP connection first (RFC 6455 section 7.1.1).
    phase_deadline_ = host_->now() + (role_ == role::server ? host_->limits().linger_timeout
                                                            : host_->limits().close_timeout);
    reschedule();
    resume_reading();
    if (!host_->is_corked(*this)) flush();
  }

  /// Closes the stream and leaves the host. `rude`: with a reset.
  void dispose(bool rude) noexcept {
    if (phase_ == phase::closed) return;
    phase_ = phase::closed;
    rude ? stream_.reset() : stream_.close();
    host_->remove(*this);
  }

  /// The host goes: no event any more.
  void abandon() noexcept {
    phase_ = phase::closed;
    stream_.close();
    outbox_.clear(host_->space().blocks());
  }

  // -- time -------------------------------------------------------------------------------------

  /// One of the deadlines may have come. Nobody is given up before what they sent has been read.
  void on_deadline(time_point now) {
    connection* const self = this;
    self->retain();
    if (is_due(now)) look();
    expire(now);
    if (phase_ != phase::closed) reschedule();
    self->release();
  }

  // For the host's list of connections with something to flush.
  connection* next_dirty = nullptr;
  bool dirty = false;

 private:
  static constexpr std::size_t max_linger_bytes = 64 * 1024;
  static constexpr std::size_t min_progress = 8 * 1024;  // bytes per second of a long message

  ~connection() {
    outbox_.clear(host_->space().blocks());
    peer_.release(host_->space().framing());
    --host_->counters().objects;
    host_->release();
  }

  // An operation under way: keeps the connection, and its memory comes from the pool.
  template <void (connection::*Done)(std::error_code)>
  class operation {
   public:
    using allocator_type = pool_allocator<std::byte>;
    explicit operation(connection& self) noexcept : self_(&self) { self.retain(); }
    operation(operation&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
    operation& operator=(operation&&) = delete;
    ~operation() {
      if (self_) self_->release();
    }
    void operator()(std::error_code error) { (self_->*Done)(error); }
    allocator_type get_allocator() const noexcept {
      return allocator_type(self_->host_->space().blocks());
    }

   private:
    connection* self_;
  };

  void secure() {
    std::error_code const error = stream_.handshake();
    if (!error) return host_->secured(*this);
    if (!is_would_block(error)) return fail(error);
    using again = operation<&connection::on_securing>;
    stream_.wants_write() ? stream_.wait_writable(again(*this))
                          : stream_.wait_readable(again(*this));
  }

  void on_securing(std::error_code error) {
    if (phase_ != phase::securing) return;
    error ? fail(error) : secure();
  }

  void read_when_ready() {
    if (waiting_read_ || paused_ || phase_ == phase::closed) return;
    waiting_read_ = true;
    stream_.wait_readable(operation<&connection::on_readable>(*this));
  }

  void on_readable(std::error_code error) {
    waiting_read_ = false;
    if (phase_ == phase::closed) return;
    if (error) return fail(error);
    typename Host::turn const turn(*host_);
    read();
    read_when_ready();
  }

  // One read of what is there. False when there was nothing.
  bool read() {
    io_result const got = stream_.read_some(host_->space().receive_buffer());
    if (got.error) {
      if (is_would_block(got.error)) return false;
      on_end(got.error);
      return false;
    }
    host_->counters().bytes_in += got.bytes;
    beat_.on_received();
    receive(host_->space().receive_buffer().first(got.bytes));
    // TLS may have something to say that nobody asked for.
    if (stream_.unsent() && !waiting_write_ && phase_ != phase::closed) write_when_ready();
    return true;
  }

  void on_end(std::error_code error) {
    if (phase_ == phase::lingering) return dispose(false);
    fail(error == asio::error::eof ? make_error_code(errc::end_of_stream) : error);
  }

  void read_frames(mutable_bytes in) {
    using type = framing_event::type;
    auto& space = host_->space();
    bool completed = false;
    host_->cork(*this);
    while (phase_ == phase::open || phase_ == phase::closing) {
      if (paused_) {
        hold(in);
        break;
      }
      framing_event const event = peer_.decode(in, space.framing());
      if (event.what == type::message) [[likely]] {
        completed = true;
        if (phase_ == phase::open) deliver(event);
      } else if (event.what == type::need_more) {
        break;
      } else {
        on_control(event);
      }
    }
    host_->uncork(*this);
    if (phase_ == phase::open || phase_ == phase::closing) watch(completed);
  }

  void deliver(framing_event const& event) {
    auto& counters = host_->counters();
    ++counters.messages_in;
    if (rates_ || host_->limits().rates.limits_messages()) {
      if (!within_rates(rate_kind::message, event.payload.size())) return;
    }
    host_->deliver(*this, message{event.kind, event.payload});
  }

  void on_control(framing_event const& event) {
    using type = framing_event::type;
    switch (event.what) {
      case type::violation: return violate(event.error, event.code);
      case type::close: return on_close(event);
      case type::ping:
        ++host_->counters().pings_in;
        if (!within_rates(rate_kind::control, 0)) return;
        if (phase_ == phase::open) send_control(control_kind::pong, event.payload);
        return;
      default: within_rates(rate_kind::control, 0); return;
    }
  }

  void on_close(framing_event const& event) {
    std::string_view const reason = as_text(event.payload);
    if (phase_ == phase::open) {
      send_close(event.code, {});  // echoes the code (RFC 6455 section 5.5.1)
      deliver_close({event.code, reason, {}, true});
    } else {
      deliver_close({said_.code, said_.reason, {}, false});
    }
    linger();
  }

  void send_close(close_code code, std::string_view reason) {
    std::array<std::byte, ws::max_control_payload> body;
    std::size_t const size = ws::write_close(body.data(), code, reason);
    send_control(control_kind::close, {body.data(), size});
  }

  void deliver_close(close_event const& event) {
    if (phase_ != phase::open && phase_ != phase::closing) return;
    phase_ = phase::closing;  // nothing is delivered or sent any more
    if (std::exchange(close_delivered_, true)) return;
    host_->closed(*this, event);
  }

  bool is_replaceable(message_key const& key) const noexcept {
    return policies::backpressure::replaces_by_key && key.has_value();
  }

  // Small messages gather in the send buffer, large ones go out from where they are.
  std::error_code send_corked(bytes_view head, bytes_view body) {
    auto& space = host_->space();
    std::size_t const size = head.size() + body.size();
    if (size <= space.cork_room() && size <= space.cork_size() / 4) [[likely]] {
      space.cork(head);
      space.cork(body);
      return {};
    }
    std::array<bytes_view, 3> const views{space.corked(), head, body};
    std::size_t const first = views[0].empty() ? 1 : 0;
    std::size_t const count = body.empty() ? 2 - first : 3 - first;
    io_result const written = stream_.write_some({views.data() + first, count});
    std::size_t left = written.bytes;
    if (written.error && !is_would_block(written.error)) {
      // Nothing is torn down under the caller: the read that comes next sees the same error.
      space.uncork();
      return make_error_code(errc::not_open);
    }
    took(written.bytes);
    if (written.bytes < views[0].size() + size) {
      for (bytes_view const view : views) {
        std::size_t const skipped = std::min(left, view.size());
        left -= skipped;
        if (skipped == view.size()) continue;
        outbox_.push_begun(space.pack(view.subspan(skipped)), space.blocks());
      }
    }
    space.uncork();
    if (!outbox_.empty() || stream_.unsent()) write_when_ready();
    return {};
  }

  // Asks the policy about a message that can't leave at once, and queues it.
  template <class Make>
  std::error_code admit(std::size_t size, message_key const& key, Make&& make) {
    auto& counters = host_->counters();
    auto& blocks = host_->space().blocks();
    if (is_replaceable(key)) {
      payload bytes = make();
      if (outbox_.replace(*key, bytes)) {
        ++counters.messages_replaced;
        return {};
      }
    }
    while (!outbox_.empty()) {
      verdict const said = host_->backpressure().admit(outbox_.queued(), size);
      if (said == verdict::enqueue) break;
      if (said == verdict::pause_reading) {
        paused_ = true;
        break;
      }
      if (said == verdict::drop_oldest && outbox_.drop_oldest()) {
        ++counters.messages_dropped;
        continue;
      }
      ++counters.messages_dropped;
      if (said != verdict::disconnect) return make_error_code(errc::dropped);
      give_up_slow();
      return make_error_code(errc::send_queue_full);
    }
    ++counters.messages_out;
    outbox_.push(make(), key, blocks);
    counters.queued_bytes_peak = std::max(counters.queued_bytes_peak, outbox_.queued().bytes);
    counters.queued_messages_peak =
        std::max(counters.queued_messages_peak, outbox_.queued().messages);
    host_->mark_dirty(*this);
    return {};
  }

  // What is queued is thrown away, so that the Close frame has a chance; then a reset. The close
  // event waits for the next turn: the caller is in the middle of a broadcast or a handler.
  void give_up_slow() {
    host_->count_violation(errc::send_queue_full);
    while (outbox_.drop_oldest()) {
    }
    said_ = {close_code::try_again_later, {}, make_error_code(errc::send_queue_full), false};
    phase_ = phase::closing;
    send_close(close_code::try_again_later, {});
    beat_next_ = time_point::max();
    phase_deadline_ = host_->now() + host_->limits().linger_timeout;
    reschedule();
  }

  void took(std::size_t bytes) noexcept {
    host_->counters().bytes_out += bytes;
    if (bytes > 0) stall_deadline_ = time_point::max();
  }

  void write_when_ready() {
    if (waiting_write_ || phase_ == phase::closed) return;
    waiting_write_ = true;
    was_blocked_ = true;
    if (stall_deadline_ == time_point::max()) {
      stall_deadline_ = host_->now() + host_->limits().write_stall_timeout;
      reschedule();
    }
    stream_.wait_writable(operation<&connection::on_writable>(*this));
  }

  void on_writable(std::error_code error) {
    waiting_write_ = false;
    if (phase_ == phase::closed) return;
    if (error) return fail(error);
    typename Host::turn const turn(*host_);
    flush();
  }

  void drained() {
    if (phase_ == phase::lingering) {
      if (role_ == role::server && !std::exchange(shut_down_, true)) stream_.shutdown();
      return;
    }
    if (!was_blocked_) return;
    was_blocked_ = false;
    if (phase_ == phase::open) host_->drained(*this);
    if (paused_) resume_reading();
  }

  // Bytes that arrived behind the message at which reading was paused.
  void hold(mutable_bytes in) {
    if (in.empty()) return;
    if (!held_) held_ = std::make_unique<byte_buffer>();
    held_->append(in);
  }

  // Starts, keeps or ends the watch over an unfinished message, and the budget for all of them.
  void watch(bool completed) {
    auto const unfinished = peer_.unfinished();
    host_->partial_changed(*this, held_before_, unfinished.held);
    held_before_ = unfinished.held;
    if (!unfinished.exists) {
      watch_deadline_ = time_point::max();
      return;
    }
    if (completed || watch_deadline_ == time_point::max()) {
      watched_held_ = unfinished.held;
      watch_deadline_ = host_->now() + host_->limits().message_timeout;
      reschedule();
    }
  }

  bool within_rates(rate_kind kind, std::size_t bytes) {
    if (!rates_) {
      rates_ = std::make_unique<rate_guard>(host_->limits().rates, host_->now());
    }
    auto const waits = rates_->take(kind, bytes, host_->now());
    if (waits == rate_verdict::within) return true;
    if (waits == rate_verdict::exceeded) {
      auto const error = kind == rate_kind::control ? errc::control_flood : errc::message_flood;
      violate(error, ws::close_code_for(error));
      return false;
    }
    paused_ = true;
    throttled_until_ = rates_->until();
    reschedule();
    return true;
  }

  time_point earliest() const noexcept {
    return std::min(
        {phase_deadline_, beat_next_, watch_deadline_, stall_deadline_, throttled_until_});
  }

  void reschedule() {
    if (phase_ == phase::closed) return;
    host_->schedule(*this, earliest());
  }

  bool is_due(time_point now) const noexcept {
    return phase_deadline_ <= now || watch_deadline_ <= now || stall_deadline_ <= now;
  }

  // Reads all that has arrived and writes what is taken: a process that stalled must not mistake
  // its own silence for the peer's.
  void look() {
    typename Host::turn const turn(*host_);
    for (int i = 0; i < 64 && phase_ < phase::closed && !paused_ && read(); ++i) {
    }
    if (phase_ == phase::closed || phase_ == phase::securing || !waiting_write_) return;
    waiting_write_ = false;  // try at once; the wait under way then finds nothing left to do
    flush();
  }

  void expire(time_point now) {
    if (phase_ == phase::closed) return;
    if (throttled_until_ <= now) {
      throttled_until_ = time_point::max();
      resume_reading();
      if (phase_ == phase::closed) return;
    }
    if (phase_deadline_ <= now) return on_phase_timeout();
    if (stall_deadline_ <= now) {
      host_->count_violation(errc::write_stalled);
      return terminate(make_error_code(errc::write_stalled));
    }
    if (watch_deadline_ <= now) {
      std::size_t const held = peer_.unfinished().held;
      auto const seconds =
          std::chrono::duration_cast<std::chrono::seconds>(host_->limits().message_timeout);
      auto const enough = min_progress * static_cast<std::size_t>(seconds.count());
      if (held < watched_held_ + enough) {
        return violate(errc::message_timeout, ws::close_code_for(errc::message_timeout));
      }
      watched_held_ = held;
      watch_deadline_ = now + host_->limits().message_timeout;
    }
    if (beat_next_ <= now) on_beat(now);
  }

  void on_phase_timeout() {
    switch (phase_) {
      case phase::securing:
      case phase::opening:
        phase_deadline_ = time_point::max();
        return host_->opening_timed_out(*this);
      case phase::closing:
        if (said_.error) {
          deliver_close({said_.code, {}, said_.error, false});
          return dispose(true);
        }
        deliver_close({close_code::abnormal, {}, make_error_code(errc::close_timeout), false});
        return linger();
      default: return dispose(true);
    }
  }

  void on_beat(time_point now) {
    auto said = beat_.poll(host_->heartbeat_options(), now);
    if (said.what == beat::action::expired) {
      look();
      if (phase_ != phase::open) return;
      said = beat_.poll(host_->heartbeat_options(), now);
      if (said.what == beat::action::expired) {
        host_->count_violation(errc::heartbeat_timeout);
        return terminate(make_error_code(errc::heartbeat_timeout));
      }
    }
    if (said.what == beat::action::ping) {
      ++host_->counters().pings_out;
      send_control(control_kind::ping, {});
    }
    beat_next_ = said.next;
  }

  struct farewell {
    close_code code = close_code::no_status;
    std::string reason{};
    std::error_code error{};
    bool by_peer = false;
  };

  Host* host_;
  stream_type stream_;
  outbox outbox_;
  [[no_unique_address]] typename policies::heartbeat beat_;
  typename framing::peer peer_;
  std::unique_ptr<byte_buffer> held_;
  std::unique_ptr<rate_guard> rates_;
  time_point phase_deadline_ = time_point::max();
  time_point beat_next_ = time_point::max();
  time_point watch_deadline_ = time_point::max();
  time_point stall_deadline_ = time_point::max();
  time_point throttled_until_ = time_point::max();
  std::size_t watched_held_ = 0;
  std::size_t held_before_ = 0;
  std::size_t lingered_ = 0;
  farewell said_;
  std::uint32_t references_ = 0;
  role role_;
  phase phase_ = phase::securing;
  bool waiting_read_ = false;
  bool waiting_write_ = false;
  bool was_blocked_ = false;
  bool paused_ = false;
  bool close_delivered_ = false;
  bool shut_down_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
