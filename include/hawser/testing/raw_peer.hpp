// A peer that speaks bytes, over any transport: what a test puts opposite a server or a client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/error.hpp>

#include <hawser/codec/http/url.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// The other end of a connection as a script: sends what it is given, keeps what it gets. Works
/// while its executor runs; destroying it closes the connection. Movable.
template <transport_policy Transport>
class raw_peer {
 public:
  using stream = typename Transport::stream;

  /// Dials; what is sent before there is a connection is kept.
  raw_peer(typename Transport::executor_type executor, typename Transport::options const& options,
           http::url const& where)
      : state_(std::make_shared<state>()) {
    state_->dialling.emplace(std::move(executor), options);
    if (auto const error = state_->dialling->context.prepare_client()) {
      state_->error = error;
      return;
    }
    state_->dialling->connector.connect(where, [weak = weak()](result<stream> made) {
      auto const self = weak.lock();
      if (!self) return;
      if (made) {
        self->begin(std::move(*made));
      } else {
        self->error = made.error();
      }
    });
  }

  /// Takes an accepted connection over.
  explicit raw_peer(stream accepted) : state_(std::make_shared<state>()) {
    state_->begin(std::move(accepted));
  }

  bool connected() const noexcept { return state_->ready; }
  /// Why there is no connection, or what ended it: `asio::error::eof` is a FIN.
  std::error_code error() const noexcept { return state_->error; }
  bool eof() const noexcept { return state_->error == asio::error::eof; }
  bool was_reset() const noexcept { return state_->error == asio::error::connection_reset; }

  /// Sends in order, as the other side takes it.
  void send(bytes_view bytes) {
    state_->out.append(bytes);
    state_->write();
  }
  void send(std::string_view text) { send(as_bytes(text)); }
  /// Bytes that the other side has not taken.
  std::size_t unsent() const noexcept { return state_->out.size(); }

  /// All that came and was not taken away.
  bytes_view received() const noexcept { return state_->in.view(); }
  std::string_view text() const noexcept { return as_text(received()); }
  std::string take() {
    std::string all(text());
    state_->in.release();
    return all;
  }
  void consume(std::size_t count) noexcept { state_->in.consume(count); }

  /// Leaves what comes unread, so that the sender's buffers fill up; until called with false.
  void pause_reading(bool paused) {
    state_->paused = paused;
    if (!paused) state_->read();
  }

  /// FIN, behind what is still unsent.
  void shutdown() {
    state_->ending = true;
    state_->write();
  }
  /// At once, with what is unsent.
  void close() { state_->end(); }
  /// RST.
  void reset() {
    if (state_->wire) state_->wire->reset();
    state_->end();
  }

  /// Precondition: a connection was made.
  stream& next_layer() noexcept { return *state_->wire; }

 private:
  struct dial {
    dial(typename Transport::executor_type executor, typename Transport::options const& options)
        : context(std::move(executor), options), connector(context) {}
    typename Transport::context context;
    typename Transport::connector connector;
  };

  struct state : std::enable_shared_from_this<state> {
    std::optional<dial> dialling;
    std::optional<stream> wire;
    byte_buffer in;
    byte_buffer out;
    std::error_code error{};
    bool ready = false;
    bool paused = false;
    bool ending = false;
    bool finished = false;  // our FIN was sent
    bool reading = false;   // a wait is under way
    bool writing = false;

    void begin(stream made) {
      wire.emplace(std::move(made));
      prepare();
    }

    void prepare() {
      auto const failed = wire->handshake();
      if (is_would_block(failed)) {
        auto again = [weak = this->weak_from_this()](std::error_code stopped) {
          auto const self = weak.lock();
          if (self && self->wire && !stopped) self->prepare();
        };
        if (wire->wants_write()) {
          wire->wait_writable(again);
        } else {
          wire->wait_readable(again);
        }
        return;
      }
      error = failed;
      ready = !failed;
      write();
      read();
    }

    void read() {
      if (!ready || paused || error || reading) return;
      std::array<std::byte, 16 * 1024> chunk;
      for (;;) {
        auto const done = wire->read_some(chunk);
        if (done.error && !is_would_block(done.error)) {
          error = done.error;
          return;
        }
        if (done.error) break;
        in.append({chunk.data(), done.bytes});
      }
      reading = true;
      wire->wait_readable([weak = this->weak_from_this()](std::error_code stopped) {
        auto const self = weak.lock();
        if (!self) return;
        self->reading = false;
        if (!stopped) self->read();
      });
    }

    void write() {
      if (!ready || writing || finished) return;
      while (!out.empty() || wire->unsent()) {
        std::array<bytes_view, 1> const parts{out.view()};
        auto const done = wire->write_some(parts);
        out.consume(done.bytes);
        if (!done.error) continue;
        if (!is_would_block(done.error)) {
          if (!error) error = done.error;
          return;
        }
        writing = true;
        wire->wait_writable([weak = this->weak_from_this()](std::error_code stopped) {
          auto const self = weak.lock();
          if (!self) return;
          self->writing = false;
          if (!stopped) self->write();
        });
        return;
      }
      out.release();
      if (!ending) return;
      finished = true;
      wire->shutdown();
    }

    void end() {
      if (dialling) dialling->connector.cancel();
      if (wire) wire->close();
      ready = false;
    }
  };

  std::weak_ptr<state> weak() const noexcept { return state_; }

  std::shared_ptr<state> state_;
};

/// Listens as a script does: every connection that comes in becomes a `raw_peer`.
template <transport_policy Transport>
class raw_host {
 public:
  raw_host(typename Transport::executor_type executor, typename Transport::options const& options,
           listen_address const& where)
      : state_(std::make_shared<state>(std::move(executor), options)) {
    error_ = state_->context.prepare_server();
    if (!error_) error_ = state_->acceptor.open(where);
    if (!error_) state_->accept();
  }

  /// Why it doesn't listen.
  std::error_code error() const noexcept { return error_; }
  std::uint16_t port() const noexcept { return state_->acceptor.port(); }
  /// How many connections came in.
  std::size_t size() const noexcept { return state_->peers.size(); }
  raw_peer<Transport>& operator[](std::size_t i) noexcept { return *state_->peers[i]; }
  /// Listens no longer; the connections stay.
  void close() noexcept { state_->acceptor.close(); }

 private:
  struct state : std::enable_shared_from_this<state> {
    state(typename Transport::executor_type executor, typename Transport::options const& options)
        : context(std::move(executor), options), acceptor(context) {}

    void accept() {
      while (auto taken = acceptor.accept()) {
        peers.push_back(std::make_unique<raw_peer<Transport>>(std::move(*taken)));
      }
      acceptor.wait([weak = this->weak_from_this()](std::error_code stopped) {
        auto const self = weak.lock();
        if (self && !stopped) self->accept();
      });
    }

    typename Transport::context context;
    typename Transport::acceptor acceptor;
    std::vector<std::unique_ptr<raw_peer<Transport>>> peers;
  };

  std::shared_ptr<state> state_;
  std::error_code error_{};
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
