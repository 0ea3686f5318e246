// Reaches what a URL names over sockets: resolves, races the addresses, goes through a proxy.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>

#include <hawser/core/callback.hpp>
#include <hawser/transport/proxy.hpp>
#include <hawser/transport/socket_stream.hpp>
#include <hawser/transport/tcp_options.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// The order in which addresses are tried (RFC 8305 section 4): the families in turns, beginning
/// with that of the first one found; within a family as found. No more than `most`.
inline std::vector<asio::ip::tcp::endpoint> in_turns(
    std::vector<asio::ip::tcp::endpoint> const& found, std::size_t most) {
  std::vector<asio::ip::tcp::endpoint> turns;
  std::vector<asio::ip::tcp::endpoint> others;
  for (auto const& endpoint : found) {
    (endpoint.protocol() == found.front().protocol() ? turns : others).push_back(endpoint);
  }
  std::size_t at = 1;
  for (auto const& endpoint : others) {
    turns.insert(turns.begin() + static_cast<std::ptrdiff_t>(std::min(at, turns.size())), endpoint);
    at += 2;
  }
  if (turns.size() > most) turns.resize(most);
  return turns;
}

/// One way to a peer, from the URL to the connected stream. Lives as long as something of it is
/// under way, and calls its handler once, never from within `start`, `race` or `cancel`.
template <class Executor, class Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>>
class socket_dial : public std::enable_shared_from_this<socket_dial<Executor, Resolver>> {
 public:
  using stream = socket_stream<Executor>;
  using handler = callback<void(result<stream>)>;
  using endpoint = asio::generic::stream_protocol::endpoint;

  socket_dial(Executor executor, tcp_options options, handler done)
      : executor_(std::move(executor)),
        options_(std::move(options)),
        done_(std::move(done)),
        deadline_(*this),
        head_start_(*this),
        resolver_(std::in_place, executor_) {}

  Executor executor() const { return executor_; }

  void start(http::url const& where) {
    if (!where.unix_path.empty()) {
      if (where.unix_path.size() >= sizeof(sockaddr_un::sun_path)) return fail(errc::bad_url);
      return race({asio::local::stream_protocol::endpoint(where.unix_path)});
    }
    auto const& proxy = options_.proxy;
    bool const direct = proxy.host.empty();
    if (!direct) {
      auto request = http::write_connect(where.host, where.port, {proxy.user, proxy.password});
      if (!request || proxy.port == 0) return fail(errc::bad_argument);
      tunnel_.emplace(std::move(*request), proxy.head);
    }
    reach(direct ? where.host : proxy.host, direct ? where.port : proxy.port);
  }

  /// Takes the first of these addresses that answers (RFC 8305 section 5).
  void race(std::vector<endpoint> addresses) {
    addresses_ = std::move(addresses);
    if (addresses_.empty()) return fail(asio::error::host_not_found);
    enter(step::racing, options_.dial_timeout);
    try_next();
  }

  /// The handler gets `operation_aborted`.
  void cancel() noexcept {
    if (step_ == step::over) return;
    cancelled_ = true;
    let_go();  // the handler of the deadline is the one that is sure to come
  }

 private:
  using socket = typename stream::socket;
  enum class step { starting, resolving, racing, tunnelling, over };

  bool is_in(step wanted) const noexcept { return step_ == wanted && !cancelled_; }

  void reach(std::string const& host, std::uint16_t port) {
    std::error_code error;
    auto const number = asio::ip::make_address(host, error);
    if (!error) return race({asio::ip::tcp::endpoint(number, port)});
    enter(step::resolving, options_.resolve_timeout);
    auto done = [self = this->shared_from_this()](std::error_code failed, auto const& found) {
      if (!self->is_in(step::resolving)) return;
      if (failed) return self->finish(failed);
      std::vector<asio::ip::tcp::endpoint> all;
      for (auto const& entry : found) all.push_back(entry.endpoint());
      auto const turns = in_turns(all, std::max<std::size_t>(self->options_.max_addresses, 1));
      self->race(std::vector<endpoint>(turns.begin(), turns.end()));
    };
    resolver_->async_resolve(host, std::to_string(port), asio::ip::resolver_base::numeric_service,
                             std::move(done));
  }

  // -- the race ----------------------------------------------------------------------------------

  void try_next() {
    auto const racer = racing_.emplace(racing_.end(), executor_);
    auto done = [self = this->shared_from_this(), racer](std::error_code error) {
      if (!self->is_in(step::racing)) return;  // then the racer is gone
      error ? self->lost(racer, error) : self->won(std::move(*racer));
    };
    racer->async_connect(addresses_[tried_++], std::move(done));
    if (tried_ == addresses_.size()) return head_start_.cancel();
    auto const delay = std::clamp(options_.attempt_delay, std::chrono::milliseconds{0}, longest);
    head_start_.wait_until(
        head_start_.now() + delay,
        [self = this->shared_from_this(), at = tried_](std::error_code replaced) {
          // A wait that is over can't be replaced any more, but may still be on its way here.
          if (!replaced && self->is_in(step::racing) && self->tried_ == at) self->try_next();
        });
  }

  void lost(typename std::list<socket>::iterator racer, std::error_code error) {
    racing_.erase(racer);
    if (tried_ < addresses_.size()) return try_next();
    if (racing_.empty()) finish(error);
  }

  void won(socket connected) {
    racing_.clear();
    head_start_.cancel();
    reached_.emplace(std::move(connected));
    if (!tunnel_) return finish(std::move(*reached_));
    enter(step::tunnelling, options_.proxy_timeout);
    tunnel();
  }

  // -- the proxy ---------------------------------------------------------------------------------

  void tunnel() {
    auto const error = tunnel_->advance(*reached_);
    if (!error) return finish(std::move(*reached_));
    if (!is_would_block(error)) return finish(error);
    auto again = [self = this->shared_from_this()](std::error_code failed) {
      if (!self->is_in(step::tunnelling)) return;
      failed ? self->finish(failed) : self->tunnel();
    };
    tunnel_->wants_write() ? reached_->wait_writable(std::move(again))
                           : reached_->wait_readable(std::move(again));
  }

  // -- its end -----------------------------------------------------------------------------------

  void enter(step next, std::chrono::milliseconds timeout) {
    step_ = next;
    deadline_.wait_until(deadline_.now() + std::clamp(timeout, shortest, longest),
                         [self = this->shared_from_this(), next](std::error_code) {
                           // Cancelled, or too late; else the next step has replaced this wait.
                           if (self->step_ == next) self->finish(self->late());
                         });
  }

  std::error_code late() const noexcept {
    switch (step_) {
      case step::resolving: return asio::error::host_not_found_try_again;
      case step::racing: return asio::error::timed_out;
      default: return make_error_code(errc::handshake_timeout);
    }
  }

  void fail(std::error_code error) {
    step_ = step::starting;
    deadline_.cancel();
    asio::post(executor_, [self = this->shared_from_this(), error] { self->finish(error); });
  }

  void finish(result<stream> outcome) {
    if (cancelled_) outcome = make_error_code(asio::error::operation_aborted);
    step_ = step::over;
    let_go();
    handler done = std::move(done_);
    done(std::move(outcome));
  }

  void let_go() noexcept {
    deadline_.cancel();
    head_start_.cancel();
    resolver_.reset();
    racing_.clear();
    reached_.reset();
  }

  static constexpr std::chrono::milliseconds shortest{1};
  static constexpr std::chrono::milliseconds longest = std::chrono::hours{24};

  Executor executor_;
  tcp_options options_;
  handler done_;
  steady_wait<Executor> deadline_;    // of the step under way
  steady_wait<Executor> head_start_;  // of the racer that was started last
  std::optional<Resolver> resolver_;
  std::vector<endpoint> addresses_;
  std::size_t tried_ = 0;
  std::list<socket> racing_;  // an operation under way holds its address
  std::optional<proxy_handshake> tunnel_;
  std::optional<stream> reached_;
  step step_ = step::starting;
  bool cancelled_ = false;
};

/// Connects to what a URL names: a number, a name (then Asio resolves it on a thread of its own),
/// or for `ws+unix:` a path. How it does that, and which errors there are: `tcp_options`.
///
/// `Context` has an `executor()`, and maybe a `tcp()` with the options, which are read at each
/// `connect`.
template <class Executor>
class socket_connector {
 public:
  using stream = socket_stream<Executor>;

  template <class Context>
  explicit socket_connector(Context& context) : executor_(context.executor()) {
    if constexpr (requires { context.tcp(); }) options_ = &context.tcp();
  }
  ~socket_connector() { cancel(); }
  socket_connector(socket_connector const&) = delete;
  socket_connector& operator=(socket_connector const&) = delete;

  /// One at a time: a connect under way is cancelled.
  template <class Handler>
  void connect(http::url const& where, Handler handler) {
    cancel();
    auto const dial = std::make_shared<socket_dial<Executor>>(
        executor_, options_ ? *options_ : tcp_options{}, std::move(handler));
    dial_ = dial;
    dial->start(where);
  }

  /// The handler of a connect under way gets `operation_aborted`.
  void cancel() noexcept {
    if (auto const dial = dial_.lock()) dial->cancel();
    dial_.reset();
  }

 protected:
  template <class Handler>
  void fail(Handler handler, std::error_code error) {
    asio::post(executor_,
               [handler = std::move(handler), error]() mutable { handler(result<stream>(error)); });
  }

 private:
  Executor executor_;
  tcp_options const* options_ = nullptr;
  std::weak_ptr<socket_dial<Executor>> dial_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
