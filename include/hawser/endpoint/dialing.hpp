// A client's connections: dialled, secured, upgraded to a WebSocket or used for HTTP requests.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/http/cookie.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/codec/ws/extension.hpp>
#include <hawser/codec/ws/handshake.hpp>
#include <hawser/core/view_of.hpp>
#include <hawser/endpoint/client_opening.hpp>
#include <hawser/endpoint/client_options.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/policy/reconnect.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// First layer of clients' cores (`Derived`), which is told:
/// - `ready(line, connection)`: it can be written to;
/// - `response(line, body)`: the answer to an HTTP request, status 200;
/// - `opened(connection)`: a WebSocket is open, and takes messages once `become_open` was called;
/// - `line_failed(line, attempt_failure)`: no connection or answer came of it;
/// - `other_server()`: what comes is said to another server than what was;
/// - `deliver`, `drained` and `closed`: as every host.
template <class Derived, class Policies, class Interface>
class dialing : public host<Derived, Policies, Interface> {
 public:
  using base = host<Derived, Policies, Interface>;
  using policies = Policies;
  static constexpr role side = role::client;
  using opening = client_opening;
  using guest_type = no_guest;
  using connection_type = connection<Derived>;
  using stream_type = typename Policies::transport::stream;

  /// The HTTP status of the last answer; 0: none came.
  int status() const noexcept { return status_; }
  connection_id current() const noexcept { return {0, generation_}; }

  // -- events of connections ---------------------------------------------------------------------

  void secured(connection_type& one) {
    one.begin_opening();
    this->derived().ready(one.opening->on, one);
  }

  void opening_bytes(connection_type& one, mutable_bytes in) {
    while (!in.empty() && one.state() == phase::opening) {
      client_opening& now = *one.opening;
      // A server that speaks unasked is no HTTP server.
      if (!now.waits) return line_over(one, {make_error_code(errc::bad_status_line)});
      if (now.body) {
        auto const got = now.body->parse(as_text(in), now.content);
        in = in.subspan(got.consumed);
        if (got.error) return line_over(one, {got.error, status_});
        if (!got.done) return;
        finish_answer(one);
      } else if (!read_head(one, in)) {
        return;
      }
    }
  }

  void opening_failed(connection_type& one, std::error_code error) {
    client_line const on = one.opening->on;
    bool const idle = one.state() == phase::opening && !one.opening->waits;
    part_with(one);
    if (idle) return;  // HTTP connections end between two requests: so be it
    ++this->counters_.transport_failures;
    this->derived().line_failed(on, {error});
  }
  void opening_timed_out(connection_type& one) {
    line_over(one, {make_error_code(errc::handshake_timeout)});
  }

  void remove(connection_type& one) noexcept {
    this->unschedule(one);
    part_with(one);
    std::erase(all_, &one);
    this->disarm();
    one.release();
  }

  void on_deadline(wheel_entry& entry, time_point now) {
    switch (static_cast<client_deadline>(entry.kind())) {
      case client_deadline::connection:
        return static_cast<connection_type&>(entry).on_deadline(now);
      case client_deadline::line: {
        auto const on = static_cast<client_line>(&static_cast<line&>(entry) - lines_.data());
        hang_up(on);
        return this->derived().line_failed(on, {make_error_code(errc::handshake_timeout)});
      }
      default: return this->derived().on_own_deadline(entry, now);
    }
  }

  void shed_partial(connection_type& one) {
    one.violate(errc::partial_budget_exceeded, close_code::try_again_later);
  }

 protected:
  template <class Options>
  dialing(typename base::executor_type executor, Options& options)
      : base(std::move(executor), options),
        head_(options.head),
        subprotocols_(std::move(options.subprotocols)),
        headers_(std::move(options.headers)),
        keeps_cookies_(options.keep_cookies) {
    if constexpr (requires { options.framing.deflate; }) deflate_ = options.framing.deflate;
  }

  // -- dialling ----------------------------------------------------------------------------------

  /// Bytes that the body of an answer may have; none, unless told.
  void limit_content(std::size_t bytes) noexcept { max_content_ = bytes; }

  /// Where all lines lead to.
  std::error_code set_url(std::string_view where) {
    auto target = http::parse_url(where);
    if (!target) return target.error();
    // Loading certificates is not for those who don't need them.
    if (target->secure && !std::exchange(prepared_, true)) {
      if (auto const error = this->context_.prepare_client()) {
        prepared_ = false;
        return error;
      }
    }
    bool const is_other = target->host != url_.host || target->port != url_.port ||
                          target->unix_path != url_.unix_path;
    if (is_other) {  // what one server has said in confidence is nothing to another one
      cookies_.reset();
      this->derived().other_server();
    }
    url_ = std::move(*target);
    if (keeps_cookies_ && !cookies_) cookies_.emplace(url_.host);
    return {};
  }
  http::url const& url() const noexcept { return url_; }
  bool has_url() const noexcept { return !url_.scheme.empty(); }
  void forget_status() noexcept { status_ = 0; }

  /// Connects a line that has no connection.
  void dial(client_line on, time_point give_up) {
    line& at = line_of(on);
    at.give_up = give_up;
    if (!at.connector) at.connector.emplace(this->context_);
    this->schedule(at, give_up);
    at.dials = true;
    at.connector->connect(url_, [ref = anchor_ref(&this->anchored()), this, on,
                                 attempt = ++at.attempt](result<stream_type> stream) {
      if (!ref.host() || attempt != line_of(on).attempt || !line_of(on).dials) return;
      typename base::turn const held(*this);
      connected(on, std::move(stream));
    });
  }

  /// The line's connection, if it has one that is ready.
  connection_type* connection_of(client_line on) noexcept { return line_of(on).connection; }
  bool dials(client_line on) noexcept { return line_of(on).dials; }

  /// Gives a line up: what comes of it is not told. `rude`: with a reset.
  void hang_up(client_line on, bool rude = true) {
    line& at = line_of(on);
    this->unschedule(at);
    ++at.attempt;
    if (std::exchange(at.dials, false)) at.connector->cancel();
    if (connection_type* const one = std::exchange(at.connection, nullptr)) {
      if (on == client_line::websocket) ++generation_;
      one->dispose(rude);
    }
    this->disarm();
  }

  /// The connection is no line's any more: it closes by itself, and another one may be dialled.
  void part_with(connection_type& one) noexcept {
    for (line& at : lines_) {
      if (at.connection != &one) continue;
      at.connection = nullptr;
      if (&at == &lines_[0]) ++generation_;
    }
  }

  // -- requests ----------------------------------------------------------------------------------

  /// Asks for a WebSocket.
  void upgrade(connection_type& one, std::string const& target) {
    client_opening& now = *one.opening;
    std::array<std::byte, 16> raw;
    this->random()(raw);
    now.key = codec::base64_encode(raw);
    std::string offered;
    if constexpr (requires(ws::deflate_agreement a) { one.peer().agree(a); }) {
      offered = ws::offer(deflate_);
    }
    http::url to = url_;
    to.target = target;
    auto const written =
        ws::write_upgrade(to, now.key, view_of(subprotocols_), offered, view_of(fields(target)));
    if (!written) return line_over(one, {written.error()});
    now.waits = true;
    one.send_raw(as_bytes(*written));
  }

  /// Sends an HTTP request; with a body it is a POST.
  void request(connection_type& one, std::string const& target, time_point give_up,
               std::optional<std::string_view> body = {}) {
    client_opening& now = *one.opening;
    std::vector<http::header> extra = fields(target);
    if (body) extra.push_back(*http::header::make("Content-Type", "text/plain;charset=UTF-8"));
    http::url to = url_;
    to.target = target;
    auto const written = http::write_request(body ? "POST" : "GET", to, extra, body);
    if (!written) return line_over(one, {written.error()});
    now.waits = true;
    one.set_deadline(give_up);
    one.send_raw(as_bytes(*written));
  }

  /// Whether a request can be sent now by a connection that was used before. One that was idle for
  /// longer than servers let connections idle is not trusted, as its end may be on its way.
  connection_type* idle_connection(client_line on) {
    connection_type* const one = connection_of(on);
    if (!one) return nullptr;
    if (this->now() < one->opening->idle_since + max_idle) return one;
    hang_up(on, false);
    return nullptr;
  }

  /// The stream works, but nothing will come of it.
  void line_over(connection_type& one, attempt_failure const& why) {
    client_line const on = one.opening->on;
    one.retain();
    part_with(one);
    one.dispose(false);
    this->derived().line_failed(on, why);
    one.release();
  }

  void let_go() noexcept {
    this->detach();
    for (line& at : lines_) {
      ++at.attempt;
      at.dials = false;
      at.connector.reset();
      at.connection = nullptr;
    }
    for (connection_type* const one : std::exchange(all_, {})) {
      this->unschedule(*one);
      one->abandon();
      one->release();
    }
  }

 private:
  static constexpr int max_informational = 8;
  static constexpr std::size_t max_connections = 16;  // those that close and linger among them
  // Node's servers wait for 5 s, others at least as long.
  static constexpr auto max_idle = std::chrono::seconds{2};

  using line = line_state<typename Policies::transport::connector, connection_type>;

  line& line_of(client_line on) noexcept { return lines_[static_cast<std::size_t>(on)]; }

  void drop_oldest() noexcept {
    for (connection_type* const one : all_) {
      bool const leaves = std::all_of(lines_.begin(), lines_.end(),
                                      [one](line const& at) { return at.connection != one; });
      if (leaves) return one->dispose(true);
    }
  }

  void connected(client_line on, result<stream_type> stream) {
    line& at = line_of(on);
    at.dials = false;
    this->unschedule(at);  // from here the connection keeps the deadline
    if (!stream) {
      if (all_.empty()) this->disarm();  // a loop without work may end
      return this->derived().line_failed(on, {stream.error()});
    }
    if (all_.size() >= max_connections) drop_oldest();
    auto* const one = new connection_type(this->derived(), std::move(*stream));
    one->retain();
    all_.push_back(one);
    at.connection = one;
    if (on == client_line::websocket) one->id = current();
    one->opening = std::make_unique<client_opening>(head_, on);
    one->start(at.give_up);
  }

  // False when there is nothing more to read for now.
  bool read_head(connection_type& one, mutable_bytes& in) {
    client_opening& now = *one.opening;
    auto const got = now.parser.parse(as_text(in));
    in = in.subspan(got.consumed);
    if (got.error) return line_over(one, {got.error}), false;
    if (!got.done) return false;
    now.answer = now.parser.take();
    status_ = now.answer.status();
    if (status_ >= 100 && status_ < 200 && status_ != 101) {
      if (++now.informational <= max_informational) return true;
      return line_over(one, {make_error_code(errc::unexpected_status), status_}), false;
    }
    keep_cookies(now.answer);
    if (now.on == client_line::websocket) {
      if (!switch_protocols(one)) return false;
      if (!in.empty()) one.receive(in);
      return false;
    }
    if (status_ != 200) return line_over(one, refusal_of(now.answer)), false;
    now.body.emplace(now.answer, max_content_);
    if (now.body->done()) finish_answer(one);
    return true;
  }

  bool switch_protocols(connection_type& one) {
    client_opening& now = *one.opening;
    if (status_ != 101) return line_over(one, refusal_of(now.answer)), false;
    if (auto const error = ws::check_switching(now.answer, now.key, view_of(subprotocols_))) {
      return line_over(one, {error, status_}), false;
    }
    auto const agreed =
        ws::check_answer(view_of(now.answer.get_all("Sec-WebSocket-Extensions")), deflate_);
    if (!agreed) return line_over(one, {agreed.error(), status_}), false;
    if constexpr (requires(ws::deflate_agreement a) { one.peer().agree(a); }) {
      if (*agreed) one.peer().agree(**agreed);
    }
    one.set_subprotocol(ws::chosen_subprotocol(now.answer));
    this->derived().opened(one);
    return true;
  }

  void finish_answer(connection_type& one) {
    client_opening& now = *one.opening;
    client_line const on = now.on;
    byte_buffer content = std::move(now.content);
    bool const over =
        now.answer.version_minor() == 0 || now.answer.has_token("Connection", "close");
    now.content = {};
    now.body.reset();
    now.informational = 0;
    now.waits = false;
    now.idle_since = this->now();
    one.set_deadline(time_point::max());
    if (over) {
      part_with(one);
      one.dispose(false);
    }
    this->derived().response(on, content.mutable_view());
  }

  // What every request carries.
  std::vector<http::header> fields(std::string_view target) {
    std::vector<http::header> all = headers_;
    if (!cookies_) return all;
    std::string const kept = cookies_->header_for(target, url_.secure, this->now());
    if (auto made = http::header::make("Cookie", kept); made && !kept.empty()) {
      all.push_back(std::move(*made));
    }
    return all;
  }

  void keep_cookies(http::response const& answer) {
    if (!cookies_) return;
    auto const path = std::string_view(url_.target).substr(0, url_.target.find('?'));
    for (std::string_view const one : answer.get_all("Set-Cookie")) {
      cookies_->set(one, path, url_.secure, this->now(), unix_time());
    }
  }

  http::head_limits head_;
  std::vector<std::string> subprotocols_;
  std::vector<http::header> headers_;
  ws::deflate_options deflate_;
  std::array<line, base::has_sessions ? 3 : 1> lines_;
  std::vector<connection_type*> all_;  // those that are on their way out, too
  http::url url_;
  std::optional<http::cookie_jar> cookies_;
  std::size_t max_content_ = 0;
  std::uint32_t generation_ = 0;
  int status_ = 0;
  bool keeps_cookies_;
  bool prepared_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
