// A socket with TLS over it, or without: the stream of the transports tls and tcp_or_tls.
#pragma once

#include <hawser/transport/tls_engine.hpp>

#if HAWSER_WITH_TLS

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <asio/post.hpp>

#include <hawser/transport/socket_stream.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Models `byte_stream`. Without an engine every call goes to the socket; with one, what is read
/// and written goes through TLS 1.2 or 1.3, and an idle connection holds no buffer.
///
/// A read or a handshake can also produce ciphertext (alerts, answers to key updates), so that
/// `unsent()` may become true there too. The end of the stream is `asio::error::eof` after the
/// peer's close_notify, and `errc::stream_truncated` without it: then what was received may be
/// incomplete. Errors of TLS are in `tls_category()` and `tls_verify_category()`.
template <class Executor>
class tls_stream {
 public:
  /// `engine` may be null: no TLS.
  explicit tls_stream(socket_stream<Executor> connected,
                      std::shared_ptr<tls_engine> engine = nullptr)
      : socket_(std::move(connected)), engine_(std::move(engine)) {}

  std::error_code handshake() {
    if (!engine_) return {};
    std::error_code error = engine_->handshake();
    for (int round = 0; is_would_block(error) && round < max_receives; ++round) {
      auto const got = receive();
      error = got.error ? got.error : engine_->handshake();
      if (got.error) break;
    }
    engine_->keep();
    auto const flushed = flush();
    return error && !is_would_block(error) ? error : flushed ? flushed : error;
  }

  /// During the handshake: it waits for writability. Later the same as `unsent()`.
  bool wants_write() const noexcept { return unsent(); }

  io_result read_some(mutable_bytes in) {
    return engine_ ? decrypt_some(in) : socket_.read_some(in);
  }
  /// Small views are joined into records of up to 16 KiB.
  io_result write_some(std::span<bytes_view const> out) {
    return engine_ ? encrypt_some(out) : socket_.write_some(out);
  }

  bool unsent() const noexcept { return engine_ && engine_->unsent(); }

  /// Completes at once, posted, when there is something to read that already left the socket.
  template <class Handler>
  void wait_readable(Handler handler) {
    if (!engine_ || !engine_->holds_input()) return socket_.wait_readable(std::move(handler));
    complete_soon(std::move(handler));
  }

  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.wait_writable(std::move(handler));
  }

  /// Sends close_notify and then ends the sending direction; if the socket is full, when
  /// `write_some` with nothing has flushed what is `unsent()`.
  void shutdown() {
    if (!engine_) return socket_.shutdown();
    engine_->close_notify();
    engine_->end_when_sent();
    if (flush() && !unsent()) socket_.shutdown();  // an error: there is nothing to wait for
  }

  void close() noexcept {
    socket_.close();
    engine_.reset();
  }

  void reset() noexcept {
    socket_.reset();
    engine_.reset();
  }

  std::string remote_address() const { return socket_.remote_address(); }

  /// From the end of the handshake until `close`.
  bool secure() const noexcept { return engine_ && engine_->established(); }

  socket_stream<Executor>& next_layer() noexcept { return socket_; }

  /// OpenSSL's object, to ask for the peer's certificate or the cipher; null without TLS.
  SSL* native_handle() const noexcept { return engine_ ? engine_->native_handle() : nullptr; }

 private:
  // Out of line, for the sake of connections without TLS.
  [[gnu::noinline]] io_result decrypt_some(mutable_bytes in) {
    if (in.empty()) return {};
    std::size_t done = 0;
    std::error_code error = would_block();
    if (engine_->holds_input()) error = engine_->read(in, done);
    // One receive takes all there is, unless it fills the buffer. A flood of records that carry
    // nothing must not keep the loop to itself.
    for (int round = 0; is_would_block(error) && round < max_receives; ++round) {
      auto const got = receive();
      error = got.error ? got.error : engine_->read(in, done);
      if (got.bytes < tls_scratch::input_size) break;
    }
    engine_->keep();
    if (engine_->has_output()) flush();
    if (done > 0) return {done, {}};  // the engine remembers an error for the next read
    return {0, error};
  }

  [[gnu::noinline]] io_result encrypt_some(std::span<bytes_view const> out) {
    if (auto const error = flush()) return {0, error};
    std::size_t taken = 0;
    std::size_t offset = 0;  // into out[0]
    std::error_code error;
    while (!error) {
      std::size_t batch = 0;
      for (std::size_t i = 0; i < tls_scratch::records_per_send && !error; ++i) {
        bytes_view const record = next_record(out, offset);
        if (record.empty()) break;
        error = engine_->write(record);
        if (!error) batch += record.size();
      }
      if (batch == 0 && !error) break;
      auto const flushed = flush();
      if (!flushed || is_would_block(flushed)) taken += batch;
      if (!error) error = flushed;
    }
    return taken > 0 ? io_result{taken, {}} : io_result{0, error};
  }

  template <class Handler>
  [[gnu::noinline]] void complete_soon(Handler handler) {
    auto wake = [alive = std::weak_ptr<tls_engine>(engine_),
                 handler = std::move(handler)]() mutable {
      handler(alive.expired() ? make_error_code(asio::error::operation_aborted)
                              : std::error_code{});
    };
    asio::post(socket_.next_layer().get_executor(), std::move(wake));
  }

  static constexpr int max_receives = 4;

  io_result receive() {
    auto const buffer = engine_->scratch().input();
    auto got = socket_.read_some(buffer);
    if (!got.error) {
      engine_->feed(buffer.first(got.bytes));
    } else if (!is_would_block(got.error)) {
      // A close_notify would have been read before.
      bool const cut = got.error == asio::error::eof;
      got.error = engine_->fail(cut ? make_error_code(errc::stream_truncated) : got.error);
    }
    return got;
  }

  // Zero when everything is sent, `would_block()` when the socket is full.
  std::error_code flush() {
    bytes_view const waiting = engine_->outgoing();
    if (engine_->sending_failure()) return engine_->fail_sending(engine_->sending_failure());
    if (!waiting.empty()) {
      auto const sent = socket_.write_some({&waiting, 1});
      if (sent.error && !is_would_block(sent.error)) return engine_->fail_sending(sent.error);
      engine_->sent(sent.bytes);
      if (engine_->unsent()) return would_block();
    }
    if (engine_->takes_end()) socket_.shutdown();
    return {};
  }

  // Cuts the next record off: a piece of one large view, or several small ones put together.
  bytes_view next_record(std::span<bytes_view const>& out, std::size_t& offset) {
    auto const record = engine_->scratch().record();
    std::size_t filled = 0;
    while (!out.empty() && filled < record.size()) {
      bytes_view const view = out.front().subspan(offset);
      std::size_t const count = std::min(view.size(), record.size() - filled);
      bool const ends = count == view.size();
      offset = ends ? 0 : offset + count;
      if (ends) out = out.subspan(1);
      if (filled == 0 && (count == record.size() || out.empty())) return view.first(count);
      if (count > 0) std::memcpy(record.data() + filled, view.data(), count);
      filled += count;
    }
    return record.first(filled);
  }

  socket_stream<Executor> socket_;
  std::shared_ptr<tls_engine> engine_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI

#endif
