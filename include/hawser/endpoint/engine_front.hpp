// Engine.IO on a server: requests that open, poll, post and upgrade, and the sessions behind them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/eio/payload.hpp>
#include <hawser/codec/ws/handshake.hpp>
#include <hawser/endpoint/cors.hpp>
#include <hawser/endpoint/engine_options.hpp>
#include <hawser/endpoint/session_table.hpp>
#include <hawser/machine/engine_session.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A request that opened no session, or was for none that it could be for.
struct connection_error {
  http::request const& request;
  eio::refusal code;
  std::string_view message;
};

/// Second layer of `socketio_core` (`Derived`), which gets messages and ends.
template <class Derived, class Policies>
class engine_front : public session_table<Derived, Policies> {
 public:
  using base = session_table<Derived, Policies>;
  using connection_type = typename base::connection_type;
  using session_type = typename base::session_type;

  callback<void(connection_error const&)> on_connection_error;

  // -- requests ----------------------------------------------------------------------------------

  /// How long the body of a request may be; empty: as usual. Knows here, before the body has come,
  /// that a session is being posted to.
  std::optional<std::size_t> body_limit(connection_type& one) {
    server_opening& now = *one.opening;
    one.guest.of = nullptr;
    if (!is_engine(now.request) || now.request.method() != "POST") return std::nullopt;
    auto const query = eio::read_query(now.request.query());
    session_type* const in = query.sid ? this->find_session(*query.sid) : nullptr;
    if (!in || !in->state.polls()) return this->max_payload_;
    if (in->poller()->post) {
      now.intent = static_cast<std::uint8_t>(intent::overlapping);
    } else {
      in->poller()->post = &one;
      one.guest.of = in;
    }
    return this->max_payload_;
  }

  /// A body was too large, or broke HTTP.
  void body_refused(connection_type& one) {
    if (session_type* const in = one.guest.of) {
      forget_post(one, *in);
      this->end_session(*in, disconnect_reason::transport_error);
    }
  }

  /// Answers what belongs to Engine.IO; false for everything else.
  bool takes_request(connection_type& one) {
    server_opening& now = *one.opening;
    if (!is_engine(now.request)) return false;
    auto upgrade = ws::read_upgrade(now.request);
    bool const upgrades = upgrade || upgrade.error() != errc::not_an_upgrade;
    if (upgrades && !upgrade) return refuse(one, eio::refusal::bad_request, upgrades), true;
    if (now.request.method() == "OPTIONS" && !this->engine_.cors.origins.empty()) {
      return answer_preflight(one), true;
    }
    auto const query = eio::read_query(now.request.query());
    session_type* in = nullptr;
    if (auto const why = verify(one, query, upgrades, in)) return refuse(one, *why, upgrades), true;
    if (upgrade) now.upgrade = std::move(*upgrade);
    if (in) {
      upgrades ? begin_probe(one, *in) : polled(one, *in);
      return true;
    }
    if (now.turned_away || this->is_full()) return this->unavailable(one), true;
    set_intent(one, upgrades ? intent::open_websocket : intent::open_polling);
    this->ask(one);
    return true;
  }

  /// The accept step of a request that opens a session has an answer.
  void decided(connection_type& one, answer said) {
    bool const upgrades = intent_of(one) != intent::open_polling;
    if (!said.accepted) {
      ++this->counters_.rejected_refused;
      return refuse(one, eio::refusal::forbidden, upgrades, said.body);
    }
    // A drain may have begun while it was asked about.
    if (one.opening->turned_away) return this->unavailable(one);
    if (upgrades) {
      if (intent_of(one) == intent::open_websocket) this->fresh_sid_ = this->new_sid();
      add_cookie(said.headers);
      return this->admit(one, std::move(said));
    }
    this->fresh_sid_ = this->new_sid();
    session_type& in = this->add_session(one, engine_session::carrier::polling);
    std::vector<http::header> headers{*http::header::make("Cache-Control", "no-store")};
    add_cookie(headers);
    std::string const open = this->open_packet_of(in);
    this->reply(one, 200, "text/plain; charset=UTF-8", open, std::move(headers));
  }

  // -- WebSockets --------------------------------------------------------------------------------

  /// A WebSocket has been let in: a new session's, or one that probes.
  void open(connection_type& one) {
    if (intent_of(one) == intent::open_websocket) {
      session_type& in = this->add_session(one, engine_session::carrier::websocket);
      one.become_open();
      one.opening.reset();
      in.carry_by(one);
      one.send_text_control(as_bytes(this->open_packet_of(in)));
      return;
    }
    one.become_open();
    one.opening.reset();
    if (!one.guest.of) (void)one.close(close_code::going_away, {});  // it ended meanwhile
  }

  void deliver(connection_type& one, message const& what) {
    session_type* const in = one.guest.of;
    if (!in) return;
    if (in->carrier() != &one) return probed(one, *in, what);
    if (!what.is_text()) return this->derived().on_message(*in, what, this->is_padded(what.data));
    auto const packet = eio::read_packet(what.text());
    if (!packet) return on_base64(*in, what);
    if (packet->type == eio::packet_type::message) [[likely]] {
      message const inner{message_kind::text, packet->data};
      return this->derived().on_message(*in, inner, this->is_padded(inner.data));
    }
    on_packet(*in, *packet);
  }

  void drained(connection_type&) {}

  void closed(connection_type& one, close_event const& event) {
    session_type* const in = std::exchange(one.guest.of, nullptr);
    if (!in) return;
    if (in->carrier() != &one) return this->forget_probe(*in);
    in->lost_carrier();
    bool const clean = !event.error || event.error == errc::end_of_stream;
    this->end_session(
        *in, clean ? disconnect_reason::transport_close : disconnect_reason::transport_error);
  }

  /// A connection leaves the server.
  void lost(connection_type& one) noexcept {
    session_type* const in = std::exchange(one.guest.of, nullptr);
    if (!in) return;
    auto* const poller = in->poller();
    if (!poller) return;
    if (poller->probe == &one) return this->forget_probe(*in);
    bool const used = poller->poll == &one || poller->post == &one;
    if (poller->poll == &one) poller->poll = nullptr;
    if (poller->post == &one) poller->post = nullptr;
    // What it carried is lost. Not here: handlers must not run under the feet of whoever closes.
    if (used) in->end_soon(disconnect_reason::transport_error);
  }

 protected:
  engine_front(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        path_(this->engine_.path + "/"),
        max_packets_(options.framing.max_packets) {}

 private:
  enum class intent : std::uint8_t { none, open_polling, open_websocket, probe, overlapping };

  static intent intent_of(connection_type& one) noexcept {
    return static_cast<intent>(one.opening->intent);
  }
  static void set_intent(connection_type& one, intent what) noexcept {
    one.opening->intent = static_cast<std::uint8_t>(what);
  }

  bool is_engine(http::request const& request) const noexcept { return request.path() == path_; }

  // In the order of the reference: the first reason counts.
  std::optional<eio::refusal> verify(connection_type& one, eio::engine_query const& query,
                                     bool upgrades, session_type*& in) {
    auto const& request = one.opening->request;
    bool const websocket = query.transport == eio::transport_kind::websocket;
    if (!query.transport || !(websocket ? this->engine_.websocket : this->engine_.polling)) {
      return eio::refusal::transport_unknown;
    }
    if (!this->origin_is_allowed(one) && !cors_allows(this->engine_.cors, request)) {
      ++this->counters_.rejected_origin;
      return eio::refusal::forbidden;
    }
    if (query.sid) {
      in = this->find_session(*query.sid);
      if (!in) return eio::refusal::sid_unknown;
      bool const fits = websocket ? upgrades && in->is_open() && this->engine_.allow_upgrades
                                  : !upgrades && in->state.polls();
      return fits ? std::nullopt : std::optional(eio::refusal::bad_request);
    }
    if (request.method() != "GET") return eio::refusal::bad_method;
    if (websocket != upgrades) return eio::refusal::bad_request;
    if (query.eio != eio::protocol_version) return eio::refusal::unsupported_version;
    return std::nullopt;
  }

  void refuse(connection_type& one, eio::refusal why, bool upgrades, std::string_view text = {}) {
    if (why != eio::refusal::forbidden) ++this->counters_.rejected_malformed;
    std::string_view const words = text.empty() ? eio::describe(why) : text;
    if (on_connection_error) {
      this->fenced([&] { on_connection_error({one.opening->request, why, words}); });
      if (one.state() != phase::opening) return;
    }
    session_type* const in = one.guest.of;
    if (in) forget_post(one, *in);
    if (!upgrades) {
      return this->reply(one, eio::http_status(why), "application/json",
                         eio::write_refusal(why, words));
    }
    one.send_raw(as_bytes(ws::write_rejection(400, words)));
    one.linger();
  }

  // A binary message as text, from a client that can't send it otherwise.
  void on_base64(session_type& in, message const& what) {
    byte_buffer copy;
    copy.append(what.data);
    eio::packet packet;
    errc const bad = eio::read_packet(copy.mutable_view(), packet);
    if (bad != errc{}) return this->violated(in, bad);
    this->derived().on_message(in, {message_kind::binary, packet.data}, false);
  }

  // -- polling -----------------------------------------------------------------------------------

  void polled(connection_type& one, session_type& in) {
    auto const method = one.opening->request.method();
    if (method == "GET") return on_poll(one, in);
    if (method == "POST") return on_post(one, in);
    if (method == "OPTIONS") return refuse(one, eio::refusal::bad_method, false);
    this->reply(one, 500, "text/plain; charset=UTF-8", {});
  }

  void on_poll(connection_type& one, session_type& in) {
    auto& poller = *in.poller();
    if (poller.poll) {  // two at once: both have lost
      this->count_violation(errc::unexpected_packet);
      this->end_session(in, disconnect_reason::transport_error);
      return this->reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    poller.poll = &one;
    one.guest.of = &in;
    one.opening->parked = true;
    one.set_deadline(time_point::max());
    if (in.state.is_probed()) {
      poller.noop_at = this->now() + std::chrono::milliseconds{100};
      in.reschedule();
    }
    if (!in.is_open() && poller.queue.empty()) this->say_last(in);
    if (!poller.queue.empty()) this->poll_soon(in);
  }

  void on_post(connection_type& one, session_type& in) {
    server_opening& now = *one.opening;
    if (intent_of(one) == intent::overlapping) {
      this->count_violation(errc::unexpected_packet);
      this->end_session(in, disconnect_reason::transport_error);
      return this->reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    forget_post(one, in);
    if (now.request.get("Content-Type").value_or("").starts_with("application/octet-stream")) {
      this->end_session(in, disconnect_reason::transport_error);
      return this->reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    // Handlers may end the connection, and its buffers with it.
    byte_buffer body = std::move(now.body);
    one.retain();
    in.retain();
    on_payload(in, body.mutable_view());
    if (one.state() == phase::opening) this->end_post(one, in);
    in.release();
    one.release();
  }

  void on_payload(session_type& in, mutable_bytes body) {
    eio::payload_reader reader(body, {max_packets_});
    eio::packet packet;
    while (in.is_open()) {
      switch (reader.next(packet)) {
        case eio::payload_reader::status::end: return;
        case eio::payload_reader::status::violation: return this->violated(in, reader.error());
        case eio::payload_reader::status::packet: break;
      }
      if (!this->charge(in, packet.data.size())) return;
      if (packet.type != eio::packet_type::message) {
        on_packet(in, packet);
        continue;
      }
      ++this->counters_.messages_in;
      message const inner{packet.binary ? message_kind::binary : message_kind::text, packet.data};
      this->derived().on_message(in, inner, false);
    }
  }

  void on_packet(session_type& in, eio::packet const& packet) {
    using verdict = engine_session::verdict;
    switch (in.state.on_packet(packet)) {
      case verdict::heartbeat: in.on_pong(); return this->derived().ponged(in);  // may end it
      case verdict::end_transport_error:
        this->count_violation(errc::unexpected_packet);
        return this->end_session(in, disconnect_reason::transport_error);
      case verdict::end_transport_close:
        // The client has said so itself: a poll that waits is let go, and needs no more.
        if (auto* const poller = in.poller(); poller && poller->poll) {
          poller->queue.clear();
          in.send_control("6");
          this->answer_poll(in);
        }
        return this->end_session(in, disconnect_reason::transport_close, close_code::normal);
      default: return;
    }
  }

  // -- upgrading ---------------------------------------------------------------------------------

  void begin_probe(connection_type& one, session_type& in) {
    if (!in.state.begin_probe()) return refuse(one, eio::refusal::bad_request, true);
    set_intent(one, intent::probe);
    in.poller()->probe = &one;
    in.poller()->probe_by = this->now() + this->engine_.upgrade_timeout;
    in.reschedule();
    one.guest.of = &in;
    this->admit(one, {.accepted = true});
  }

  void probed(connection_type& one, session_type& in, message const& what) {
    using verdict = engine_session::verdict;
    auto const packet = what.is_text() ? eio::read_packet(what.text()) : std::nullopt;
    auto const said = packet ? in.state.on_probe_packet(*packet) : verdict::refuse_probe;
    if (said == verdict::answer_probe) {
      one.send_text_control(as_bytes("3probe"));
      return this->release_poll(in);
    }
    if (said == verdict::switch_over) {
      auto* const poller = in.poller();
      if (poller->poll) {  // the client was to wait for it
        connection_type& poll = *std::exchange(poller->poll, nullptr);
        this->reply_parked(poll, 200, as_bytes("6"));
      }
      this->let_post_go(in);
      in.switch_over();
      return in.reschedule();
    }
    this->drop_probe(in);
  }

  void forget_post(connection_type& one, session_type& in) noexcept {
    if (auto* const poller = in.poller(); poller && poller->post == &one) poller->post = nullptr;
    one.guest.of = nullptr;
  }

  // -- answers -----------------------------------------------------------------------------------

  void answer_preflight(connection_type& one) {
    std::vector<http::header> headers;
    add_cors_preflight(this->engine_.cors, one.opening->request, headers);
    this->respond(one, {.accepted = true, .status = 204, .headers = std::move(headers)});
  }

  void add_cookie(std::vector<http::header>& headers) {
    auto const& cookie = this->engine_.cookie;
    if (cookie.name.empty()) return;
    std::string_view const sid(this->fresh_sid_.data(), this->fresh_sid_.size());
    auto made = http::header::make("Set-Cookie", cookie.text(sid));
    if (made) headers.push_back(std::move(*made));
  }

  std::string path_;
  std::size_t max_packets_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
