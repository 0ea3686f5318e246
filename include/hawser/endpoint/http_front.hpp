// How a server's connections begin: HTTP requests, routes, the accept step, the upgrade.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/http/body.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/status.hpp>
#include <hawser/codec/ws/extension.hpp>
#include <hawser/codec/ws/handshake.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/core/pooled.hpp>
#include <hawser/core/view_of.hpp>
#include <hawser/endpoint/answer.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/endpoint/routes.hpp>
#include <hawser/endpoint/server_options.hpp>
#include <hawser/endpoint/handshake.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What a connection holds until it is open, and no longer.
struct server_opening : pooled<server_opening> {
  server_opening(block_pool& pool, http::head_limits const& limits)
      : pooled(pool), parser(limits) {}

  http::request_parser parser;
  http::request request;
  std::optional<http::body_reader> body_reader;
  byte_buffer body;
  byte_buffer early;                     // arrived while an answer was awaited
  std::shared_ptr<answer_slot> awaited;  // of the accept step, or of a route
  std::optional<ws::upgrade_request> upgrade;
  bool turned_away = false;  // over `max_connections`: 503 whatever it asks
  bool parked = false;       // the answer comes when there is something to say
  std::uint8_t intent = 0;   // what the request is to the server above; 0: nothing special
};

/// The HTTP side of `server_core`.
template <class Derived, class Policies, class Interface>
class http_front : public host<Derived, Policies, Interface> {
 public:
  using opening = server_opening;
  using connection_type = connection<Derived>;
  using accept_step = callback<void(handshake const&, decision)>;

  route_table routes;
  accept_step authenticate;

  /// The stream is ready for the request, or for messages if the framing knows no HTTP.
  void secured(connection_type& one) {
    if constexpr (Policies::framing::opens_with_http) {
      one.set_deadline(this->now() + head_timeout_);
      one.begin_opening();
    } else {
      one.begin_opening();
      ask(one);
    }
  }

  /// Bytes of a request, of its body, or behind it.
  void opening_bytes(connection_type& one, mutable_bytes in) {
    while (one.state() == phase::opening) {
      server_opening& now = *one.opening;
      if (now.awaited || now.parked) return keep_early(one, in);
      if (in.empty() && !now.body_reader) return;
      if (now.body_reader) {  // asked without a byte too: a length can say that it is too long
        auto const got = now.body_reader->parse(as_text(in), now.body);
        in = in.subspan(got.consumed);
        if (got.error) return body_failed(one, got.error);
        if (!got.done) return;
      } else {
        auto const got = now.parser.parse(as_text(in));
        in = in.subspan(got.consumed);
        if (got.error) return reject(one, got.error);
        if (!got.done) return;
        now.request = now.parser.take();
        begin_body(one);
        if (!now.body_reader->done()) continue;
      }
      on_request(one);
    }
    if (one.state() > phase::opening && !in.empty()) one.receive(in);
  }

  /// An answer that came later than its call returned.
  void answered(answer_route to) override {
    connection_type* const one = this->derived().find_connection(to.id);
    if (!one || !one->opening || !one->opening->awaited) return;
    typename http_front::turn const held(*this);
    byte_buffer early = std::move(one->opening->early);
    conclude(*one);
    if (!early.empty()) one->receive(early.mutable_view());
  }

  void opening_timed_out(connection_type& one) {
    ++this->counters_.handshake_timeouts;
    if (one.state() == phase::securing || !one.opening) return one.dispose(true);
    server_opening& now = *one.opening;
    if (now.awaited) return refuse(one, 503, "No decision in time");
    if (now.parser.idle() && !now.body_reader) return one.dispose(false);  // an idle keep-alive
    refuse(one, 408, {});
  }

  void opening_failed(connection_type&, std::error_code error) {
    if (error == asio::error::operation_aborted) return;
    ++this->counters_.transport_failures;
    this->log()(log_level::debug, "opening_failed", {{"cause", error.message()}});
  }

 protected:
  http_front(typename http_front::executor_type executor, server_options<Policies>& options)
      : host<Derived, Policies, Interface>(std::move(executor), options),
        head_(options.head),
        origins_(std::move(options.origins)),
        subprotocols_(std::move(options.subprotocols)),
        deflate_(),
        head_timeout_(options.head_timeout),
        upgrade_timeout_(options.upgrade_timeout),
        max_body_size_(options.max_body_size),
        max_early_bytes_(options.max_early_bytes) {
    if constexpr (requires { options.framing.deflate; }) deflate_ = options.framing.deflate;
  }

  std::unique_ptr<server_opening> new_opening() {
    auto& pool = this->blocks();
    return std::unique_ptr<server_opening>(new (pool) server_opening(pool, head_));
  }

  /// Goes on with a request whose head was parsed by somebody else.
  void adopt_request(connection_type& one, http::request request) {
    one.opening->request = std::move(request);
    begin_body(one);
    if (one.opening->body_reader->done()) on_request(one);
  }

  // -- for `Derived`, which may take requests of its own: see `takes_request` --------------------

  void begin_body(connection_type& one) {
    server_opening& now = *one.opening;
    now.body.clear();
    now.intent = 0;
    std::size_t limit = max_body_size_;
    if constexpr (requires { this->derived().body_limit(one); }) {
      limit = this->derived().body_limit(one).value_or(limit);
    }
    now.body_reader.emplace(now.request, limit);
    if (!now.body_reader->done() && !now.body_reader->parse({}, now.body).error &&
        http::iequals(now.request.get("Expect").value_or(""), "100-continue")) {
      one.send_raw(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
    }
  }

  void body_failed(connection_type& one, std::error_code error) {
    if constexpr (requires { this->derived().body_refused(one); })
      this->derived().body_refused(one);
    reject(one, error);
  }

  // Before a 101 the peer may already talk; it is not listened to without end.
  void keep_early(connection_type& one, mutable_bytes in) {
    byte_buffer& early = one.opening->early;
    if (in.size() > max_early_bytes_ - early.size()) {
      return reject(one, make_error_code(errc::too_many_early_bytes));
    }
    early.append(in);
  }

  void on_request(connection_type& one) {
    server_opening& now = *one.opening;
    now.body_reader.reset();
    if constexpr (requires { this->derived().takes_request(one); }) {
      if (this->derived().takes_request(one)) return;
    }
    if (now.turned_away) return unavailable(one);
    // A request for another scheme was meant for somebody else (RFC 9112 section 3.2.2).
    bool const for_https = now.request.scheme() == "https";
    if (!now.request.scheme().empty() && for_https != one.stream().secure()) {
      return reject(one, make_error_code(errc::bad_target));
    }
    auto upgrade = ws::read_upgrade(now.request);
    if (!upgrade) {
      if (upgrade.error() == errc::not_an_upgrade) return on_plain_request(one);
      if (now.request.method() != "GET") return method_not_allowed(one, "GET, HEAD");
      if (upgrade.error() == errc::unsupported_http_version) {
        return reject(one, make_error_code(errc::bad_field));
      }
      return reject(one, upgrade.error());
    }
    if (!origin_is_allowed(one)) {
      ++this->counters_.rejected_origin;
      return refuse(one, 403, "Origin not allowed");
    }
    if constexpr (!any_path_upgrades) return refuse(one, 404, "Not Found");
    now.upgrade = std::move(*upgrade);
    ask(one);
  }

  bool origin_is_allowed(connection_type& one) const {
    return http::origin_allowed(one.opening->request, one.stream().secure(), origins_);
  }

  // The accept step. Without one, everybody is welcome.
  void ask(connection_type& one) {
    server_opening& now = *one.opening;
    now.awaited = std::make_shared<answer_slot>();
    decision to_make(pending_answer(&this->anchored(), {one.id}, now.awaited));
    if (!authenticate) {
      to_make.accept();
    } else {
      static std::vector<std::string> const none;
      handshake const asked(now.request, now.upgrade ? now.upgrade->subprotocols : none,
                            one.stream().remote_address(), one.stream().secure());
      this->fenced([&] { authenticate(asked, std::move(to_make)); });
    }
    await(one);
  }

  void on_plain_request(connection_type& one) {
    server_opening& now = *one.opening;
    auto const found = routes.find(now.request.method(), now.request.path());
    if (!found.handler) {
      if (!found.allow.empty()) return method_not_allowed(one, found.allow);
      if (any_path_upgrades && routes.empty()) return refuse(one, 426, {});
      return respond(one, {.status = 404, .body = "Not Found"});
    }
    ++this->counters_.http_requests;
    now.awaited = std::make_shared<answer_slot>();
    http_reply reply(pending_answer(&this->anchored(), {one.id}, now.awaited));
    http_request const request{now.request, as_text(now.body.view()),
                               one.stream().remote_address()};
    this->fenced([&] { (*found.handler)(request, std::move(reply)); });
    await(one);
  }

  void await(connection_type& one) {
    if (one.state() != phase::opening) return;  // the handler ended it, or the server
    if (one.opening->awaited->stop_waiting_inline()) return conclude(one);
    one.set_deadline(this->now() + upgrade_timeout_);
  }

  void conclude(connection_type& one) {
    server_opening& now = *one.opening;
    answer said = std::move(now.awaited->value());
    now.awaited.reset();
    if (one.state() != phase::opening) return;
    if constexpr (requires { this->derived().decided(one, std::move(said)); }) {
      if (now.intent != 0) return this->derived().decided(one, std::move(said));
    }
    if (now.upgrade || !Policies::framing::opens_with_http) {
      if (!said.accepted) {
        ++this->counters_.rejected_refused;
        return refuse(one, said.status, said.body);
      }
      if (now.turned_away) return unavailable(one);
      return admit(one, std::move(said));
    }
    respond(one, said);
  }

  // 101, and messages from here on.
  void admit(connection_type& one, answer said) {
    if constexpr (Policies::framing::opens_with_http) {
      server_opening& now = *one.opening;
      if (said.subprotocol.empty()) said.subprotocol = pick_subprotocol(now.upgrade->subprotocols);
      std::string extensions;
      if constexpr (requires(ws::deflate_agreement a) { one.peer().agree(a); }) {
        auto const agreed = ws::accept_offer(view_of(now.upgrade->extensions), deflate_);
        if (!agreed) return reject(one, agreed.error());
        if (*agreed) {
          extensions = ws::answer(**agreed);
          one.peer().agree(**agreed);
        }
      }
      auto const switching =
          ws::write_switching(*now.upgrade, said.subprotocol, extensions, view_of(said.headers));
      if (!switching) {
        this->log()(log_level::error, "bad_subprotocol_chosen", {{"name", said.subprotocol}});
        return refuse(one, 500, {});
      }
      one.send_raw(as_bytes(*switching));
    }
    one.set_subprotocol(said.subprotocol);
    one.data = std::move(said.data);
    this->derived().open(one);
  }

  std::string pick_subprotocol(std::vector<std::string> const& offered) const {
    for (auto const& name : offered) {
      for (auto const& spoken : subprotocols_) {
        if (name == spoken) return name;
      }
    }
    return {};
  }

  void respond(connection_type& one, answer const& said) {
    server_opening& now = *one.opening;
    bool const keep = now.request.keep_alive();
    std::vector<http::header> headers = said.headers;
    auto written =
        http::write_response(said.status == 0 ? 500 : said.status, headers, said.body, keep);
    if (!written) return refuse(one, 500, {});
    if (now.request.method() == "HEAD") written->resize(written->size() - said.body.size());
    one.send_raw(as_bytes(*written));
    if (!keep) return one.linger();
    now.parser.reset();
    one.set_deadline(this->now() + head_timeout_);
  }

  void method_not_allowed(connection_type& one, std::string_view allowed) {
    auto const allow = http::header::make("Allow", allowed);
    respond(one, {.status = 405, .body = "Method Not Allowed", .headers = {*allow}});
  }

  void reject(connection_type& one, std::error_code error) {
    ++this->counters_.rejected_malformed;
    this->log()(log_level::info, "handshake_rejected",
                {{"cause", error.message()}, {"peer", one.stream().remote_address()}});
    refuse(one, http::http_status(error), error.message());
  }

  void unavailable(connection_type& one) {
    ++this->counters_.rejected_full;
    // 2 to 8 seconds, so that those turned away don't come back together.
    auto const seconds = std::to_string(2 + this->random().next() % 7);
    auto const retry = http::header::make("Retry-After", seconds);
    one.send_raw(as_bytes(ws::write_rejection(503, {}, {&*retry, 1})));
    one.linger();
  }

  void refuse(connection_type& one, int status, std::string_view body) {
    // Somebody above may be waiting for this request, or with it.
    if constexpr (requires { this->derived().lost(one); }) this->derived().lost(one);
    if constexpr (Policies::framing::opens_with_http) {
      one.send_raw(as_bytes(ws::write_rejection(status, body)));
      one.linger();
    } else {
      one.dispose(false);
    }
  }

 private:
  // Without sessions, which have a path of their own, any path is good for a WebSocket.
  static constexpr bool any_path_upgrades = !session_framing_policy<typename Policies::framing>;

  http::head_limits head_;
  http::origin_rule origins_;
  std::vector<std::string> subprotocols_;
  ws::deflate_options deflate_;
  std::chrono::milliseconds head_timeout_;
  std::chrono::milliseconds upgrade_timeout_;
  std::size_t max_body_size_;
  std::size_t max_early_bytes_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
