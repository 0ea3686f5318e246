// The sending half of a connection: what leaves now, what waits, and who is told.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/admission.hpp>
#include <hawser/endpoint/operation.hpp>
#include <hawser/endpoint/phase.hpp>
#include <hawser/endpoint/workspace.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/backpressure.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// First layer of `connection` (`Self`): the stream, the framing's state and the send queue.
template <class Host, class Self>
class sending : public wheel_entry {
 public:
  using policies = typename Host::policies;
  using executor_type = typename policies::transport::executor_type;
  using stream_type = typename policies::transport::stream;
  using framing = typename policies::framing;

  phase state() const noexcept { return phase_; }
  bool is_open() const noexcept { return phase_ == phase::open; }
  stream_type& stream() noexcept { return stream_; }
  typename framing::peer& peer() noexcept { return peer_; }
  backlog queued() const noexcept { return outbox_.queued(); }
  /// Whether it waits for the stream to take more.
  bool is_blocked() const noexcept { return waiting_write_; }
  block_pool& blocks() noexcept { return host_->space().blocks(); }
  operation_block& own_block() noexcept { return own_block_; }

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete &self();
  }

  static bool is_replaceable(message_key const& key) noexcept {
    return policies::backpressure::replaces_by_key && key.has_value();
  }

  [[gnu::always_inline]] std::error_code send(outgoing const& message, message_key const& key) {
    if (host_->is_corked(self()) && cork(message, key)) return no_error;
    return send_any(message, key);
  }

  /// What answers a message that was just read, mostly: a few steps, none of which is a call.
  /// False: `send_any` has to. Precondition: messages of this connection are being delivered.
  [[gnu::always_inline]] bool cork(outgoing const& message, message_key const& key) {
    auto& space = host_->space();
    if constexpr (Host::side == role::server &&
                  requires(std::byte* out) { peer_.plain_head(message, out, space.framing()); }) {
      if (phase_ != phase::open || !outbox_.is_bare() || is_replaceable(key) ||
          message.data.size() > max_short_message) {
        return false;
      }
      std::byte* const at = space.short_head();
      std::size_t const head = at ? peer_.plain_head(message, at, space.framing()) : 0;
      if (head == 0) return false;
      space.cork_short(head, message.data);
      ++host_->counters().messages_out;
      return true;
    }
    return false;
  }

  /// The same for all other messages.
  [[gnu::noinline]] std::error_code send_any(outgoing const& message, message_key const& key) {
    if (phase_ != phase::open) return make_error_code(errc::not_open);
    encoded_message const encoded = peer_.encode(message, host_->space().framing());
    if (message.at_once) return send_at_once(encoded.head_view(), encoded.body, key);
    return send_encoded(encoded.head_view(), encoded.body, key);
  }

  /// Several messages that belong together: they are queued, dropped and replaced as one.
  std::error_code send(std::span<outgoing const> parts, message_key const& key) {
    if (parts.size() == 1) [[likely]]
      return send(parts.front(), key);
    if (phase_ != phase::open) return make_error_code(errc::not_open);
    return send_encoded(encode_group(parts), {}, key);
  }

  /// The bytes of several messages behind each other, valid until the next group.
  bytes_view encode_group(std::span<outgoing const> parts) {
    auto& space = host_->space();
    byte_buffer& group = space.group();
    for (outgoing const& part : parts) {
      encoded_message const encoded = peer_.encode(part, space.framing());
      group.append(encoded.head_view());
      group.append(encoded.body);
    }
    return group.view();
  }

  /// Queues bytes that others get too, if they follow what is queued in a run: then no reference is
  /// taken, and the flush is on its way. False: nothing was done.
  [[gnu::always_inline]] bool extend_queue(payload_slice const& encoded) noexcept {
    if (!outbox_.lone_is_followed_by(encoded)) return false;
    backlog const before = outbox_.queued_lone();
    if (host_->backpressure().admit(before, encoded.size()) != verdict::enqueue) return false;
    outbox_.extend_lone(encoded);
    host_->counters().count_queued({before.bytes + encoded.size(), before.messages + 1});
    return true;
  }

  /// Queues bytes that others get too; whether it has taken them. Precondition: open.
  bool send_shared(payload_slice const& encoded, message_key const& key) {
    return !admit(encoded.size(), key, [&]() -> payload_slice const& { return encoded; });
  }

  /// Queues bytes of the opening handshake.
  void send_raw(bytes_view bytes) {
    if (phase_ == phase::closed) return;  // by a handler, while the answer was made
    outbox_.push_control(host_->space().pack(bytes), blocks());
    host_->mark_dirty(self());
  }

  /// Sends a text of the host's protocol: never dropped, and no message to the backpressure policy.
  void send_text_control(bytes_view text) {
    if (phase_ != phase::open) return;
    auto const encoded = peer_.encode({message_kind::text, text, false}, host_->space().framing());
    if (outbox_.empty() && host_->is_corked(self())) {
      send_corked(encoded.head_view(), encoded.body);
      return;
    }
    outbox_.push_control(host_->space().pack(encoded.head_view(), encoded.body), blocks());
    host_->mark_dirty(self());
  }

  void send_control(control_kind kind, bytes_view content) {
    auto& space = host_->space();
    std::array<std::byte, max_control_size> frame;
    std::size_t const size = peer_.encode_control(kind, content, frame.data(), space.framing());
    if (size == 0) return;
    bytes_view const bytes{frame.data(), size};
    if (outbox_.empty() && host_->is_corked(self())) {
      send_corked(bytes, {});
      return;
    }
    payload packed = space.pack(bytes);
    kind == control_kind::pong ? outbox_.push_pong(std::move(packed), blocks())
                               : outbox_.push_control(std::move(packed), blocks());
    host_->mark_dirty(self());
  }

  /// Writes what is queued, as far as the stream takes it.
  void flush() {
    if (!outbox_.lone().empty()) [[likely]] {
      std::size_t const left = write_whole(outbox_.lone());
      if (left == 0 && !stream_.unsent()) [[likely]] {
        outbox_.pop_lone();
        return self().on_written(std::exchange(was_blocked_, false));
      }
      std::size_t const taken = outbox_.lone().size() - left;
      outbox_.consume(taken, blocks());
      if (taken > 0) return write_when_ready();  // it takes no more now
    }
    write({});
  }

  /// Likewise under the feet of a caller: what calls handlers, the end of the connection or of a
  /// wait, is left to the next flush.
  void flush_early() {
    if (outbox_.empty() || !takes_early()) return;
    std::span<bytes_view> const views = host_->space().views();
    std::size_t const count = outbox_.gather(views);
    io_result const written = stream_.write_some(views.first(count));
    if (written.error && !is_would_block(written.error)) return;
    took(written.bytes);
    outbox_.consume(written.bytes, blocks());
    if (outbox_.empty() && !stream_.unsent()) return host_->unmark_dirty(self());
    if (written.error || stream_.unsent() || count < views.size()) write_when_ready();
  }

  /// Ends corking: what was said leaves in one write, before whatever else is queued.
  void uncork() {
    auto& space = host_->space();
    bytes_view corked = space.corked();
    if (corked.empty() && outbox_.empty()) return;
    if (outbox_.empty()) [[likely]] {
      std::size_t const left = write_whole(corked);
      if (left == 0 && !stream_.unsent()) [[likely]] {
        space.uncork();
        return self().on_written(std::exchange(was_blocked_, false));
      }
      corked = corked.last(left);
    }
    if (phase_ != phase::closed) write(corked);
    space.uncork();
  }

 protected:
  sending(Host& host, stream_type stream)
      : host_(&host), stream_(std::move(stream)), peer_(Host::side) {
    host_->retain();
    ++host_->counters().objects;
  }
  sending(sending const&) = delete;
  sending& operator=(sending const&) = delete;
  ~sending() {
    outbox_.clear(blocks());
    peer_.release(host_->space().framing());
    --host_->counters().objects;
    host_->release();
  }

  Self& self() noexcept { return static_cast<Self&>(*this); }

  void write_when_ready() {
    if (waiting_write_ || phase_ == phase::closed) return;
    waiting_write_ = true;
    was_blocked_ = true;
    self().on_blocked();
    stream_.wait_writable(operation<Self>(self(), &Self::on_writable));
  }

  /// Tries at once; the wait under way then finds nothing left to do.
  void retry_write() {
    if (!std::exchange(waiting_write_, false)) return;
    flush();
  }

  /// Throws away what may be thrown away.
  void drop_queued() noexcept {
    while (outbox_.drop_oldest()) continue;
  }

  // Small things lie in what alignment leaves free behind larger ones, here and in what derives.
  Host* host_;
  stream_type stream_;
  outbox outbox_;
  [[no_unique_address]] typename framing::peer peer_;

 public:
  bool dirty = false;  // and in the host's list of those with something to flush
  Self* next_dirty = nullptr;

 protected:
  [[no_unique_address]] operation_block own_block_;  // of the wait for something to read
  phase phase_ = phase::securing;
  bool waiting_write_ = false;
  bool was_blocked_ = false;
  std::uint32_t references_ = 0;

 private:
  // Whether a write now calls no handler.
  bool takes_early() noexcept {
    return phase_ == phase::open && !waiting_write_ && !was_blocked_ && !host_->is_reading() &&
           !stream_.unsent();
  }

  std::error_code send_at_once(bytes_view head, bytes_view body, message_key const& key) {
    auto& space = host_->space();
    if (!outbox_.empty() || !takes_early() || !space.fits_cork(head.size() + body.size())) {
      auto const refused = send_encoded(head, body, key);
      flush_early();
      return refused;
    }
    space.open_cork();
    space.cork(head);
    space.cork(body);
    bytes_view rest = space.corked();
    io_result const written = stream_.write_some({&rest, 1});
    took(written.bytes);
    rest = rest.subspan(written.bytes);
    ++host_->counters().messages_out;
    if (!rest.empty() && written.bytes > 0) {
      outbox_.push_begun(space.pack(rest), blocks());
    } else if (!rest.empty()) {
      outbox_.push(space.pack(rest), key, blocks());
    }
    space.uncork();
    if (written.error && !is_would_block(written.error)) {
      host_->mark_dirty(self());  // the next flush meets the same error
    } else if (!rest.empty() || stream_.unsent()) {
      write_when_ready();
    }
    return {};
  }

  std::error_code send_encoded(bytes_view head, bytes_view body, message_key const& key) {
    if (outbox_.empty() && host_->is_corked(self()) && !is_replaceable(key)) {
      ++host_->counters().messages_out;
      return send_corked(head, body);
    }
    return admit(head.size() + body.size(), key, [&] { return host_->space().pack(head, body); });
  }

  // Tries to write all of it; how much is left. An error is met again by the write that follows.
  std::size_t write_whole(bytes_view said) {
    if (waiting_write_ || phase_ == phase::closed) return said.size();
    std::span<bytes_view> const views = host_->space().views();
    views[0] = said;
    io_result const written = stream_.write_some(views.first(1));
    if (written.error) return said.size();
    took(written.bytes);
    return said.size() - written.bytes;
  }

  // What was corked goes first, then the queue, in as few writes as the stream allows.
  void write(bytes_view corked) {
    while (!waiting_write_ && phase_ != phase::closed) {
      std::span<bytes_view> const views = host_->space().views();
      std::size_t const first = corked.empty() ? 0 : 1;
      views[0] = corked;
      std::size_t const count = first + outbox_.gather(views.subspan(first));
      if (count == 0 && !stream_.unsent()) break;
      std::size_t wanted = 0;
      for (std::size_t i = 0; i < count; ++i) wanted += views[i].size();
      io_result const written = stream_.write_some(views.first(count));
      if (written.error && !is_would_block(written.error)) return self().fail(written.error);
      took(written.bytes);
      std::size_t const of_corked = std::min(written.bytes, corked.size());
      corked = corked.subspan(of_corked);
      outbox_.consume(written.bytes - of_corked, blocks());
      if (written.error || written.bytes < wanted || stream_.unsent()) {
        if (!corked.empty()) outbox_.push_front_begun(host_->space().pack(corked), blocks());
        return write_when_ready();
      }
      if (outbox_.empty()) break;
    }
    if (waiting_write_ && !corked.empty() && phase_ != phase::closed) {
      outbox_.push_front_begun(host_->space().pack(corked), blocks());
    }
    if (outbox_.empty() && !waiting_write_ && phase_ != phase::closed) {
      self().on_written(std::exchange(was_blocked_, false));
    }
  }

  // Small messages gather in the send buffer, large ones go out from where they are.
  std::error_code send_corked(bytes_view head, bytes_view body) {
    auto& space = host_->space();
    if (space.fits_cork(head.size() + body.size())) [[likely]] {
      space.cork(head);
      space.cork(body);
      return {};
    }
    std::array<bytes_view, 3> const views{space.corked(), head, body};
    std::size_t const first = views[0].empty() ? 1 : 0;
    std::size_t const count = (body.empty() ? 2 : 3) - first;
    io_result const written = stream_.write_some({views.data() + first, count});
    if (written.error && !is_would_block(written.error)) {
      // Nothing is torn down under the caller: the read that comes next meets the same error.
      space.uncork();
      return make_error_code(errc::not_open);
    }
    took(written.bytes);
    std::size_t taken = written.bytes;
    for (bytes_view const view : views) {
      std::size_t const skipped = std::min(taken, view.size());
      taken -= skipped;
      if (skipped < view.size()) outbox_.push_begun(space.pack(view.subspan(skipped)), blocks());
    }
    space.uncork();
    if (!outbox_.empty() || stream_.unsent()) write_when_ready();
    return {};
  }

  // Asks the policy about a message that can't leave at once, and queues it.
  template <class Make>
  std::error_code admit(std::size_t size, message_key const& key, Make&& make) {
    if (size > outbox::max_message) return make_error_code(errc::message_too_big);
    if (!is_replaceable(key)) return put(size, key, make);
    payload_slice bytes = make();
    if (!outbox_.replace(*key, bytes)) {
      return put(size, key, [&]() -> payload_slice const& { return bytes; });
    }
    ++host_->counters().messages_replaced;
    return {};
  }

  template <class Make>
  std::error_code put(std::size_t size, message_key const& key, Make&& make) {
    auto& counters = host_->counters();
    auto const refused = make_room(outbox_, host_->backpressure(), counters, self(), size);
    if (refused) return refused;
    outbox_.push(make(), key, blocks());
    counters.count_queued(outbox_.queued());
    host_->mark_dirty(self());
    return {};
  }

  void took(std::size_t bytes) noexcept {
    host_->counters().bytes_out += bytes;
    if (bytes > 0) self().on_progress();
  }
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
