// Engine.IO on a server: requests that open, poll, post and upgrade, and the sessions behind them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/eio/payload.hpp>
#include <hawser/codec/http/content_coding.hpp>
#include <hawser/codec/http/origin.hpp>
#include <hawser/codec/ws/handshake.hpp>
#include <hawser/endpoint/cors.hpp>
#include <hawser/endpoint/engine_options.hpp>
#include <hawser/endpoint/server_core.hpp>
#include <hawser/endpoint/session.hpp>
#include <hawser/machine/engine_session.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A request that opened no session, or broke one.
struct connection_error {
  http::request const& request;
  eio::refusal code;
  std::string_view message;
};

/// The Engine.IO side of `socketio_core` (`Derived`), which gets messages and ends.
template <class Derived, class Policies>
class engine_front : public server_core<Derived, Policies, socketio_host> {
 public:
  using base = server_core<Derived, Policies, socketio_host>;
  using connection_type = connection<Derived>;
  using session_type = session<Derived>;
  static_assert(session_heartbeat_policy<typename Policies::heartbeat>,
                "sessions need a heartbeat of a known pace: server_ping, or no_heartbeat");

  /// What a connection has to do with a session.
  struct guest_type {
    session_type* of = nullptr;
  };

  callback<void(connection_error const&)> on_connection_error;

  // -- requests ---------------------------------------------------------------------------------

  /// How long the body of a request may be; empty: as usual. Knows here, before the body has come,
  /// that a session is being posted to.
  std::optional<std::size_t> body_limit(connection_type& one) {
    server_opening& now = *one.opening;
    one.guest.of = nullptr;
    if (!is_engine(now.request) || now.request.method() != "POST") return std::nullopt;
    auto const query = eio::read_query(now.request.query());
    session_type* const in = query.sid ? find_session(*query.sid) : nullptr;
    if (!in || !in->state.polls()) return max_payload_;
    if (in->poller()->post) {
      now.intent = static_cast<std::uint8_t>(intent::overlapping);
    } else {
      in->poller()->post = &one;
      one.guest.of = in;
    }
    return max_payload_;
  }

  /// A body was too large, or broke HTTP.
  void body_refused(connection_type& one) {
    if (session_type* const in = one.guest.of) {
      forget_post(one, *in);
      end_session(*in, disconnect_reason::transport_error);
    }
  }

  /// Answers what belongs to Engine.IO; false for everything else.
  bool takes_request(connection_type& one) {
    server_opening& now = *one.opening;
    if (!is_engine(now.request)) return false;
    auto upgrade = ws::read_upgrade(now.request);
    bool const upgrades = upgrade || upgrade.error() != errc::not_an_upgrade;
    if (upgrades && !upgrade) return refuse(one, eio::refusal::bad_request, upgrades), true;
    if (now.request.method() == "OPTIONS" && !engine_.cors.origins.empty()) {
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
    if (now.turned_away) {
      ++this->counters_.rejected_full;
      this->unavailable(one);
      return true;
    }
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
    if (upgrades) {
      if (intent_of(one) == intent::open_websocket) fresh_sid_ = new_sid();
      add_cookie(said.headers);
      return this->admit(one, std::move(said));
    }
    fresh_sid_ = new_sid();
    session_type& in = add_session(one, engine_session::carrier::polling);
    std::vector<http::header> headers{*http::header::make("Cache-Control", "no-store")};
    add_cookie(headers);
    std::string const open = open_packet_of(in);
    reply(one, 200, "text/plain; charset=UTF-8", open, std::move(headers));
  }

  // -- WebSockets -------------------------------------------------------------------------------

  /// A WebSocket has been let in: a new session's, or one that probes.
  void open(connection_type& one) {
    if (intent_of(one) == intent::open_websocket) {
      session_type& in = add_session(one, engine_session::carrier::websocket);
      one.become_open();
      one.opening.reset();
      in.carry_by(one);
      one.send_text_control(as_bytes(open_packet_of(in)));
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
    if (!what.is_text()) return this->derived().on_message(*in, what, is_padded(what.data));
    auto const packet = eio::read_packet(what.text());
    if (!packet) return violated(*in, errc::bad_engine_packet);
    if (packet->type == eio::packet_type::message) [[likely]] {
      message const inner{message_kind::text, packet->data};
      return this->derived().on_message(*in, inner, is_padded(inner.data));
    }
    on_packet(*in, *packet);
  }

  void drained(connection_type&) {}

  void closed(connection_type& one, close_event const& event) {
    session_type* const in = std::exchange(one.guest.of, nullptr);
    if (!in) return;
    if (in->carrier() != &one) return forget_probe(*in);
    in->lost_carrier();
    bool const clean = !event.error || event.error == errc::end_of_stream;
    end_session(*in, clean ? disconnect_reason::transport_close
                           : disconnect_reason::transport_error);
  }

  /// A connection leaves the server.
  void lost(connection_type& one) noexcept {
    session_type* const in = std::exchange(one.guest.of, nullptr);
    if (!in) return;
    auto* const poller = in->poller();
    if (!poller) return;
    if (poller->probe == &one) return forget_probe(*in);
    bool const used = poller->poll == &one || poller->post == &one;
    if (poller->poll == &one) poller->poll = nullptr;
    if (poller->post == &one) poller->post = nullptr;
    // What it carried is lost. Not here: handlers must not run under the feet of whoever closes.
    if (used) in->end_soon(disconnect_reason::transport_error);
  }

  // -- what sessions ask ------------------------------------------------------------------------

  /// Has something for the next poll; answered once per turn of the loop.
  void poll_soon(session_type& in) {
    auto* const poller = in.poller();
    if (!poller->poll || std::exchange(poller->listed, true)) return;
    in.retain();
    to_answer_.push_back(&in);
    this->flush_soon();
  }

  void flush_polls() {
    while (!to_answer_.empty()) {
      session_type* const in = to_answer_.back();
      to_answer_.pop_back();
      if (auto* const poller = in->poller()) {
        poller->listed = false;
        if (!this->gone() && poller->poll && !poller->queue.empty()) answer_poll(*in);
      }
      in->release();
    }
  }

  /// A poll that waits while the client wants to upgrade has waited long enough.
  void release_poll(session_type& in) {
    auto* const poller = in.poller();
    if (poller && poller->poll && poller->queue.empty()) in.send_control("6");
  }

  void drop_probe(session_type& in) {
    connection_type* const probe = in.poller()->probe;
    forget_probe(in);
    if (!probe) return;
    probe->guest.of = nullptr;
    (void)probe->close(close_code::normal, {});
  }

  /// Ends a session. Its sockets are told; its client too, where it can be.
  void end_session(session_type& in, disconnect_reason why,
                   close_code code = close_code::no_status) {
    if (!in.is_open()) return;
    in.retain();
    in.begin_closing(this->now() + engine_.close_timeout);
    this->count_closed({.code = code});
    this->derived().session_ended(in, why);
    if (!this->gone()) part(in, why, code);
    in.release();
  }

  /// The client has been told, or never will be.
  void forget_session(session_type& in) {
    if (in.is_over()) return;
    in.finish();
    if (auto* const poller = in.poller()) {
      for (connection_type* const one : {poller->poll, poller->post, poller->probe}) {
        if (one) one->guest.of = nullptr;
      }
      if (connection_type* const poll = std::exchange(poller->poll, nullptr)) {
        reply_parked(*poll, 400, {});
      }
    }
    by_sid_.erase(&in);
    sessions_[in.index] = nullptr;
    free_.push_back(in.index);
    in.release();
  }

  void on_own_deadline(wheel_entry& entry, time_point now) {
    if (entry.kind() == static_cast<std::uint8_t>(deadline_kind::session)) {
      return static_cast<session_type&>(entry).on_deadline(now);
    }
    this->derived().on_socket_deadline(entry, now);
  }

  // -- the end ----------------------------------------------------------------------------------

  std::size_t drainable() const noexcept { return sessions_.size(); }
  bool drain_one(std::size_t index) {
    session_type* const in = sessions_[index];
    if (!in || !in->is_open()) return false;
    end_session(*in, disconnect_reason::server_shutting_down, close_code::service_restart);
    return true;
  }

  void stop() {
    typename base::turn const held(*this);
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i]) {
        end_session(*sessions_[i], disconnect_reason::server_shutting_down, close_code::going_away);
      }
    }
    this->flush();
    base::stop();
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i]) forget_session(*sessions_[i]);
    }
  }

  void violated(session_type& in, errc why) {
    this->count_violation(why);
    auto const reason = why == errc::namespace_not_joined || why == errc::unexpected_packet
                            ? disconnect_reason::forced_close
                            : disconnect_reason::parse_error;
    end_session(in, reason, ws::close_code_for(why));
  }

 protected:
  engine_front(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        engine_(std::move(options.engine)),
        path_(engine_.path + "/"),
        max_payload_(options.framing.max_message_size),
        max_packets_(options.framing.max_packets) {}

  /// The sessions are freed without a word: the façade has gone.
  void free_sessions() noexcept {
    for (session_type* const in : to_answer_) in->release();
    to_answer_.clear();
    for (session_type*& at : sessions_) {
      if (session_type* const in = std::exchange(at, nullptr)) {
        in->finish();
        in->release();
      }
    }
    by_sid_.clear();
  }

  std::vector<session_type*> const& sessions() const noexcept { return sessions_; }

 private:
  enum class intent : std::uint8_t { none, open_polling, open_websocket, probe, overlapping };

  // Sessions by what they are called; the ids are random, so nobody can choose ones that collide.
  struct sid_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view sid) const noexcept {
      return std::hash<std::string_view>()(sid);
    }
    std::size_t operator()(session_type const* one) const noexcept { return (*this)(one->sid()); }
  };
  struct sid_equal {
    using is_transparent = void;
    bool operator()(session_type const* a, session_type const* b) const noexcept { return a == b; }
    bool operator()(std::string_view sid, session_type const* one) const noexcept {
      return sid == one->sid();
    }
    bool operator()(session_type const* one, std::string_view sid) const noexcept {
      return sid == one->sid();
    }
  };

  static intent intent_of(connection_type& one) noexcept {
    return static_cast<intent>(one.opening->intent);
  }
  static void set_intent(connection_type& one, intent what) noexcept {
    one.opening->intent = static_cast<std::uint8_t>(what);
  }

  bool is_engine(http::request const& request) const noexcept { return request.path() == path_; }

  bool is_padded(bytes_view data) {
    constexpr std::less_equal<std::byte const*> before;  // compares what points elsewhere, too
    mutable_bytes const buffer = this->space().receive_buffer();
    return before(buffer.data(), data.data()) &&
           before(data.data() + data.size(), buffer.data() + buffer.size());
  }

  session_type* find_session(std::string_view sid) {
    if (!eio::is_sid(sid)) return nullptr;
    auto const found = by_sid_.find(sid);
    return found == by_sid_.end() ? nullptr : *found;
  }

  // In the order of the reference: the first reason counts.
  std::optional<eio::refusal> verify(connection_type& one, eio::engine_query const& query,
                                     bool upgrades, session_type*& in) {
    auto const& request = one.opening->request;
    bool const websocket = query.transport == eio::transport_kind::websocket;
    if (!query.transport || !(websocket ? engine_.websocket : engine_.polling)) {
      return eio::refusal::transport_unknown;
    }
    if (!this->origin_is_allowed(one) && !cors_allows(engine_.cors, request)) {
      ++this->counters_.rejected_origin;
      return eio::refusal::forbidden;
    }
    if (query.sid) {
      in = find_session(*query.sid);
      if (!in) return eio::refusal::sid_unknown;
      bool const fits = websocket ? upgrades && in->is_open() && engine_.allow_upgrades
                                  : !upgrades && in->state.polls();
      return fits ? std::nullopt : std::optional(eio::refusal::bad_request);
    }
    if (request.method() != "GET") return eio::refusal::bad_method;
    if (websocket != upgrades) return eio::refusal::bad_request;
    if (query.eio != eio::protocol_version) return eio::refusal::unsupported_version;
    return std::nullopt;
  }

  void refuse(connection_type& one, eio::refusal why, bool upgrades, std::string_view text = {}) {
    ++this->counters_.rejected_malformed;
    std::string_view const words = text.empty() ? eio::describe(why) : text;
    if (on_connection_error) {
      this->fenced([&] { on_connection_error({one.opening->request, why, words}); });
      if (one.state() != phase::opening) return;
    }
    session_type* const in = one.guest.of;
    if (in) forget_post(one, *in);
    if (!upgrades) {
      return reply(one, eio::http_status(why), "application/json", eio::write_refusal(why, words));
    }
    one.send_raw(as_bytes(ws::write_rejection(400, words)));
    one.linger();
  }

  // -- polling ------------------------------------------------------------------------------------

  void polled(connection_type& one, session_type& in) {
    auto const method = one.opening->request.method();
    if (method == "GET") return on_poll(one, in);
    if (method == "POST") return on_post(one, in);
    if (method == "OPTIONS") return refuse(one, eio::refusal::bad_method, false);
    reply(one, 500, "text/plain; charset=UTF-8", {});
  }

  void on_poll(connection_type& one, session_type& in) {
    auto& poller = *in.poller();
    if (poller.poll) {  // two at once: both have lost
      this->count_violation(errc::unexpected_packet);
      end_session(in, disconnect_reason::transport_error);
      return reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    poller.poll = &one;
    one.guest.of = &in;
    one.opening->parked = true;
    one.set_deadline(time_point::max());
    if (in.state.is_probed()) {
      poller.noop_at = this->now() + std::chrono::milliseconds{100};
      in.reschedule();
    }
    if (!in.is_open()) say_last(in);
    if (!poller.queue.empty()) poll_soon(in);
  }

  void say_last(session_type& in) {
    in.poller()->parted = true;
    in.poller()->queue.push_control(this->space().pack(as_bytes("1")));
  }

 public:
  /// Precondition: a poll waits.
  void answer_poll(session_type& in) {
    auto& poller = *in.poller();
    connection_type& one = *std::exchange(poller.poll, nullptr);
    one.guest.of = nullptr;
    poller.noop_at = time_point::max();
    bool const compress = poller.queue.wants_compression();
    byte_buffer body;
    poller.queue.write_payload(body);
    reply_parked(one, 200, body.view(), compress);
    if (poller.parted) forget_session(in);
  }

 private:
  void reply_parked(connection_type& one, int status, bytes_view body, bool compress = false) {
    one.opening->parked = false;
    one.guest.of = nullptr;
    byte_buffer early = std::move(one.opening->early);
    std::string content;
    std::vector<http::header> headers;
    if (compress && engine_.compress_polling && body.size() >= engine_.compression_threshold &&
        http::accepts_gzip(one.opening->request)) {
      content = http::gzip(body);
      if (!content.empty()) headers.push_back(*http::header::make("Content-Encoding", "gzip"));
    }
    if (content.empty()) content = as_text(body);
    headers.push_back(*http::header::make("Cache-Control", "no-store"));
    reply(one, status, "text/plain; charset=UTF-8", std::move(content), std::move(headers));
    one.receive_later(early.mutable_view());
  }

  void on_post(connection_type& one, session_type& in) {
    server_opening& now = *one.opening;
    if (intent_of(one) == intent::overlapping) {
      this->count_violation(errc::unexpected_packet);
      end_session(in, disconnect_reason::transport_error);
      return reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    forget_post(one, in);
    if (now.request.get("Content-Type").value_or("").starts_with("application/octet-stream")) {
      end_session(in, disconnect_reason::transport_error);
      return reply(one, 400, "text/plain; charset=UTF-8", {});
    }
    // Handlers may end the connection, and its buffers with it.
    byte_buffer body = std::move(now.body);
    one.retain();
    in.retain();
    on_payload(in, body.mutable_view());
    in.release();
    if (one.state() == phase::opening) reply(one, 200, "text/html", "ok");
    one.release();
  }

  void on_payload(session_type& in, mutable_bytes body) {
    eio::payload_reader reader(body, {max_packets_});
    eio::packet packet;
    while (in.is_open()) {
      switch (reader.next(packet)) {
        case eio::payload_reader::status::end: return;
        case eio::payload_reader::status::violation: return violated(in, reader.error());
        case eio::payload_reader::status::packet: break;
      }
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
      case verdict::heartbeat:
        this->derived().ponged(in);
        return in.on_pong();
      case verdict::end_transport_error:
        this->count_violation(errc::unexpected_packet);
        return end_session(in, disconnect_reason::transport_error);
      case verdict::end_transport_close:
        // The client has said so itself: a poll that waits is let go, and needs no more.
        if (auto* const poller = in.poller(); poller && poller->poll) {
          poller->queue.clear();
          in.send_control("6");
          answer_poll(in);
        }
        return end_session(in, disconnect_reason::transport_close, close_code::normal);
      default: return;
    }
  }

  // -- upgrading --------------------------------------------------------------------------------

  void begin_probe(connection_type& one, session_type& in) {
    if (!in.state.begin_probe()) return refuse(one, eio::refusal::bad_request, true);
    set_intent(one, intent::probe);
    in.poller()->probe = &one;
    in.poller()->probe_by = this->now() + engine_.upgrade_timeout;
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
      return release_poll(in);
    }
    if (said == verdict::switch_over) {
      auto* const poller = in.poller();
      if (poller->poll) {  // the client was to wait for it
        connection_type& poll = *std::exchange(poller->poll, nullptr);
        reply_parked(poll, 200, as_bytes("6"));
      }
      if (poller->post) poller->post->guest.of = nullptr;
      in.switch_over();
      return in.reschedule();
    }
    drop_probe(in);
  }

  void forget_probe(session_type& in) noexcept {
    auto* const poller = in.poller();
    if (!poller) return;
    poller->probe = nullptr;
    poller->probe_by = time_point::max();
    in.state.end_probe();
  }

  void forget_post(connection_type& one, session_type& in) noexcept {
    if (auto* const poller = in.poller(); poller && poller->post == &one) poller->post = nullptr;
    one.guest.of = nullptr;
  }

  // -- sessions ---------------------------------------------------------------------------------

  std::array<char, 24> new_sid() {
    std::array<std::byte, 18> raw;
    this->random()(raw);
    std::array<char, 24> sid;
    std::memcpy(sid.data(), codec::base64url_encode(raw).data(), sid.size());
    return sid;
  }

  session_type& add_session(connection_type& one, engine_session::carrier first) {
    auto* const in = new session_type(this->derived(), first);
    in->name = fresh_sid_;
    in->handshake = std::make_shared<session_handshake const>(session_handshake{
        one.opening->request, one.stream().remote_address(), one.stream().secure(),
        one.opening->request.count("Origin") > 0,
        std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch())});
    if (free_.empty()) {
      in->index = static_cast<std::uint32_t>(sessions_.size());
      sessions_.push_back(in);
      free_.reserve(sessions_.capacity());
    } else {
      in->index = free_.back();
      free_.pop_back();
      sessions_[in->index] = in;
    }
    by_sid_.insert(in);
    this->count_open();
    in->begin(this->now() + this->derived().connect_timeout());
    return *in;
  }

  std::string open_packet_of(session_type const& in) const {
    auto const beat = Policies::heartbeat::announced(this->heartbeat_options());
    return eio::write_open({in.sid(),
                            in.state.polls() && engine_.allow_upgrades && engine_.websocket,
                            beat.interval, beat.timeout, max_payload_});
  }

  // The client of a session that has ended is told, as far as it can be.
  void part(session_type& in, disconnect_reason why, close_code code) {
    if (!in.state.polls()) {
      if (connection_type* const one = in.carrier()) {
        in.lost_carrier();
        one->guest.of = nullptr;
        bool const dead = why == disconnect_reason::ping_timeout;
        if (code == close_code::no_status) code = dead ? close_code::going_away : close_code::normal;
        (void)one->close(code, {});
      }
      return forget_session(in);
    }
    auto* const poller = in.poller();
    if (poller->probe) drop_probe(in);
    switch (why) {
      case disconnect_reason::transport_error:
      case disconnect_reason::parse_error:
        // It broke the rules: it is told if it listens, and is not waited for.
        if (poller->poll) {
          poller->queue.clear();
          say_last(in);
          return answer_poll(in);
        }
        return forget_session(in);
      case disconnect_reason::transport_close:
      case disconnect_reason::ping_timeout: return forget_session(in);
      default: break;
    }
    // What was sent before comes first, and alone: clients look at a close before all else.
    if (poller->queue.empty()) say_last(in);
    if (poller->poll) answer_poll(in);
  }

  // -- answers ----------------------------------------------------------------------------------

  void reply(connection_type& one, int status, std::string_view type, std::string body,
             std::vector<http::header> headers = {}) {
    headers.push_back(*http::header::make("Content-Type", type));
    add_cors(engine_.cors, one.opening->request, headers);
    this->respond(one, {.accepted = true, .status = status, .body = std::move(body),
                        .headers = std::move(headers)});
  }

  void answer_preflight(connection_type& one) {
    std::vector<http::header> headers;
    add_cors_preflight(engine_.cors, one.opening->request, headers);
    this->respond(one, {.accepted = true, .status = 204, .headers = std::move(headers)});
  }

  void add_cookie(std::vector<http::header>& headers) {
    auto const& cookie = engine_.cookie;
    if (cookie.name.empty()) return;
    std::string text = cookie.name + "=" + std::string(fresh_sid_.data(), fresh_sid_.size());
    text += "; Path=" + cookie.path;
    if (cookie.http_only) text += "; HttpOnly";
    if (!cookie.same_site.empty()) text += "; SameSite=" + cookie.same_site;
    if (auto made = http::header::make("Set-Cookie", text)) headers.push_back(std::move(*made));
  }

  engine_options engine_;
  std::string path_;
  std::size_t max_payload_;
  std::size_t max_packets_;
  std::vector<session_type*> sessions_;
  std::vector<std::uint32_t> free_;
  std::unordered_set<session_type*, sid_hash, sid_equal> by_sid_;
  std::vector<session_type*> to_answer_;
  std::array<char, 24> fresh_sid_{};  // of the session that is being opened
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
