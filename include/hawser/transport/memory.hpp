// Byte streams in memory as a transport: whole servers and clients in one thread, in virtual time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <asio/error.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>

#include <hawser/transport/memory_network.hpp>
#include <hawser/transport/memory_pipe.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

struct memory_options {
  memory_network* network = nullptr;
  std::string address = "127.0.0.1";  ///< where clients come from; an IPv6 one without brackets
  bool counted = true;                ///< operations have numbers and can be made to fail
};

class memory_context {
 public:
  using executor_type = asio::io_context::executor_type;

  memory_context(executor_type executor, memory_options const& options)
      : executor_(std::move(executor)), address_(options.address), counted_(options.counted) {
    if (!options.network) return;
    asio::execution_context& here = asio::query(executor_, asio::execution::context);
    if (options.network->core()->context() == &here) core_ = options.network->core();
  }

  executor_type executor() const noexcept { return executor_; }
  /// `errc::bad_argument` without a network, or with that of another `io_context`.
  std::error_code prepare_server() const noexcept { return prepare_client(); }
  std::error_code prepare_client() const noexcept {
    return core_ ? std::error_code{} : make_error_code(errc::bad_argument);
  }

  std::shared_ptr<memory_core> const& core() const noexcept { return core_; }
  std::string const& address() const noexcept { return address_; }
  bool counted() const noexcept { return counted_; }

 private:
  executor_type executor_;
  std::shared_ptr<memory_core> core_;
  std::string address_;
  bool counted_;
};

/// One end of a simulated connection.
class memory_stream {
 public:
  memory_stream(std::shared_ptr<memory_pipe> pipe, memory_end end) noexcept
      : pipe_(std::move(pipe)), end_(end) {}
  memory_stream(memory_stream&& other) noexcept = default;
  memory_stream& operator=(memory_stream&& other) noexcept {
    if (this != &other) {
      close();
      pipe_ = std::move(other.pipe_);
      end_ = other.end_;
    }
    return *this;
  }
  ~memory_stream() { close(); }

  std::error_code handshake() { return pipe_->handshake(end_); }
  bool wants_write() const noexcept { return false; }
  bool unsent() const noexcept { return false; }
  bool secure() const noexcept { return false; }
  io_result read_some(mutable_bytes in) { return pipe_->read(end_, in); }
  io_result write_some(std::span<bytes_view const> out) { return pipe_->write(end_, out); }

  template <class Handler>
  void wait_readable(Handler handler) {
    pipe_->wait_readable(end_, wait_list::handler(std::move(handler)));
  }
  template <class Handler>
  void wait_writable(Handler handler) {
    pipe_->wait_writable(end_, wait_list::handler(std::move(handler)));
  }

  void shutdown() { pipe_->shutdown(end_); }
  void close() noexcept {
    if (pipe_) pipe_->close(end_);
  }
  void reset() noexcept {
    if (pipe_) pipe_->reset(end_);
  }

  /// As of a socket: "192.0.2.1:80", "[2001:db8::1]:80", or "unix".
  std::string remote_address() const {
    return pipe_->address(end_ == memory_end::dialler ? memory_end::acceptor : memory_end::dialler);
  }

  /// What `memory_network::connection()` knows this connection by.
  std::uint64_t number() const noexcept { return pipe_->number(); }

 private:
  std::shared_ptr<memory_pipe> pipe_;  // empty only when moved from
  memory_end end_;
};

/// Listens on a port, or on a path as a unix socket does. Without a host, or with that of every
/// address, under every name; else under exactly that one. Names are not resolved.
class memory_acceptor {
 public:
  explicit memory_acceptor(memory_context& context) noexcept
      : core_(context.core()), counted_(context.counted()) {}

  std::error_code open(listen_address const& where) {
    if (!core_) return make_error_code(errc::bad_argument);
    if (core_->down) return make_error_code(asio::error::network_down);
    if (listener_) return make_error_code(asio::error::already_open);
    memory_core::listener_name name{where.path, where.port, where.host};
    if (!name.path.empty()) {
      name.host.clear();
      name.port = 0;
    } else if (name.port == 0) {
      do {
        name.port = core_->next_port++;
        if (core_->next_port == 0) core_->next_port = 49152;
      } while (core_->listens_on(name.port));
    }
    if (name.host == "0.0.0.0" || name.host == "::") name.host.clear();
    if (core_->listeners.contains(name)) {
      return name.path.empty() ? make_error_code(asio::error::address_in_use)
                               : make_error_code(errc::address_in_use_by_other);
    }
    auto const backlog = static_cast<std::size_t>(where.backlog > 0 ? where.backlog : 1);
    listener_ = std::make_unique<memory_listener>(core_, std::move(name), backlog, counted_);
    return {};
  }

  result<memory_stream> accept() {
    if (!listener_) return make_error_code(asio::error::bad_descriptor);
    std::shared_ptr<memory_pipe> taken;
    if (auto const error = listener_->accept(taken)) return error;
    return memory_stream(std::move(taken), memory_end::acceptor);
  }

  template <class Handler>
  void wait(Handler handler) {
    if (listener_) {
      listener_->wait(wait_list::handler(std::move(handler)));
    } else if (core_) {
      core_->post(wait_list::handler(std::move(handler)),
                  make_error_code(asio::error::operation_aborted));
    }
  }

  void close() noexcept { listener_.reset(); }
  std::uint16_t port() const noexcept { return listener_ ? listener_->port() : 0; }

 private:
  std::shared_ptr<memory_core> core_;
  std::unique_ptr<memory_listener> listener_;
  bool counted_;
};

/// Connects to the listener that a URL's host and port, or its path, name. Nobody listens there:
/// `connection_refused`, as with a full backlog.
class memory_connector {
 public:
  explicit memory_connector(memory_context& context)
      : executor_(context.executor()),
        core_(context.core()),
        address_(context.address()),
        counted_(context.counted()) {}
  memory_connector(memory_connector&&) noexcept = default;
  ~memory_connector() { cancel(); }

  template <class Handler>
  void connect(http::url const& where, Handler handler) {
    if (!core_ || core_->down) {
      return fail(std::move(handler), make_error_code(asio::error::network_down));
    }
    if (counted_) {
      auto const next = core_->dialled;
      if (auto const error = core_->before(memory_operation::connect, next, memory_end::dialler)) {
        return fail(std::move(handler), error);
      }
    }
    auto const pipe = std::make_shared<memory_pipe>(
        core_, where.is_unix ? "unix" : name_of(address_, source_port(core_->dialled)),
        where.is_unix ? "unix" : name_of(where.host, where.port));
    pipe->open(memory_end::dialler, counted_);
    memory_core::listener_name target{where.unix_path, where.port, where.host};
    if (where.is_unix) target = {where.unix_path, 0, {}};
    auto const dial = std::make_shared<memory_dial>(
        pipe, std::move(target),
        [stream = memory_stream(pipe, memory_end::dialler),
         handler = std::move(handler)](std::error_code error) mutable {
          handler(error ? result<memory_stream>(error) : result<memory_stream>(std::move(stream)));
        });
    core_->dials.emplace(pipe->number(), dial);
    dial_ = dial;
    if (pipe->link().latency > duration{}) {
      core_->schedule(dial->event, core_->now() + pipe->link().latency);
    } else {
      dial->advance();
    }
  }

  /// The handler of a connect under way gets `operation_aborted`.
  void cancel() noexcept {
    auto const dial = dial_.lock();
    dial_.reset();
    if (!dial || !dial->handler) return;
    dial->finish(make_error_code(asio::error::operation_aborted));
  }

 private:
  template <class Handler>
  void fail(Handler handler, std::error_code error) {
    auto failing = [handler = std::move(handler), error]() mutable {
      handler(result<memory_stream>(error));
    };
    if (core_) return core_->post(std::move(failing));
    asio::post(executor_, std::move(failing));
  }

  static std::uint16_t source_port(std::uint64_t number) noexcept {
    return static_cast<std::uint16_t>(1024 + number % 48'000);
  }
  static std::string name_of(std::string const& host, std::uint16_t port) {
    bool const six = host.find(':') != std::string::npos;
    return (six ? "[" + host + "]:" : host + ":") + std::to_string(port);
  }

  memory_context::executor_type executor_;
  std::shared_ptr<memory_core> core_;
  std::string address_;
  bool counted_;
  std::weak_ptr<memory_dial> dial_;
};

/// A timer on the network's virtual time.
class memory_timer {
 public:
  explicit memory_timer(memory_context& context) : core_(context.core()) {
    if (!core_) return;
    number_ = core_->next_timer++;
    core_->timers.emplace(number_, &waits_);
  }
  memory_timer(memory_timer const&) = delete;
  memory_timer& operator=(memory_timer const&) = delete;
  ~memory_timer() {
    cancel();
    if (core_) core_->timers.erase(number_);
  }

  /// Zero without a network.
  time_point now() const noexcept { return core_ ? core_->now() : time_point{}; }

  template <class Handler>
  void wait_until(time_point when, Handler handler) {
    if (!core_) return;  // refused by `prepare_server` and `prepare_client`
    cancel();
    if (core_->down) {
      return core_->post(wait_list::handler(std::move(handler)),
                         make_error_code(asio::error::operation_aborted));
    }
    if (!core_->context()) return;
    waits_.add(wait_list::handler(std::move(handler)));
    core_->schedule(event_, when);
  }

  void cancel() noexcept {
    if (!core_) return;
    event_.cancel();
    waits_.complete(*core_, make_error_code(asio::error::operation_aborted));
  }

 private:
  std::shared_ptr<memory_core> core_;
  std::uint64_t number_ = 0;
  wait_list waits_;
  virtual_event event_{[](void* at) {
                         auto& self = *static_cast<memory_timer*>(at);
                         self.waits_.complete(*self.core_, {});
                       },
                       this};
};

/// A simulated network as a transport: see `memory_network`.
struct memory {
  using executor_type = asio::io_context::executor_type;
  using options = memory_options;
  using context = memory_context;
  using stream = memory_stream;
  using acceptor = memory_acceptor;
  using connector = memory_connector;
  using timer = memory_timer;
};

static_assert(transport_policy<memory>);

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
