// The sessions of an Engine.IO server: how they begin, are answered and end.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/http/content_coding.hpp>
#include <hawser/core/hash_index.hpp>
#include <hawser/endpoint/cors.hpp>
#include <hawser/endpoint/engine_options.hpp>
#include <hawser/endpoint/server_core.hpp>
#include <hawser/endpoint/session.hpp>
#include <hawser/machine/engine_session.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// First layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class session_table : public server_core<Derived, Policies, socketio_host> {
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

  // -- polls that wait ---------------------------------------------------------------------------

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

  /// A POST has been read. Its answer waits while its client is over a rate, as a WebSocket is not
  /// read from then.
  void end_post(connection_type& one, session_type& in) {
    auto* const poller = in.poller();
    bool const waits =
        poller && in.is_open() && poller->rates && poller->rates->until() > this->now();
    if (!waits) return reply(one, 200, "text/html", "ok");
    poller->post = &one;
    poller->post_at = poller->rates->until();
    one.guest.of = &in;
    one.opening->parked = true;
    one.set_deadline(time_point::max());
    in.reschedule();
  }

  /// The session has no more to do with its POST: one that waits for its answer gets it.
  void let_post_go(session_type& in) {
    auto* const poller = in.poller();
    connection_type* const post = std::exchange(poller->post, nullptr);
    bool const waits = std::exchange(poller->post_at, time_point::max()) != time_point::max();
    if (!post) return;
    post->guest.of = nullptr;
    if (waits) reply_parked(*post, 200, as_bytes("ok"));
  }

  /// Charges a packet that was posted. False if the session has ended for it.
  bool charge(session_type& in, std::size_t bytes) {
    if (in.within_rates(bytes)) return true;
    this->count_violation(errc::message_flood);
    end_session(in, disconnect_reason::transport_error);
    return false;
  }

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

  // -- the end of one ----------------------------------------------------------------------------

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
      let_post_go(in);
      for (connection_type* const one : {poller->poll, poller->probe}) {
        if (one) one->guest.of = nullptr;
      }
      if (connection_type* const poll = std::exchange(poller->poll, nullptr)) {
        reply_parked(*poll, 400, {});
      }
    }
    by_sid_.erase(hash_of(in.sid()), in.index);
    sessions_[in.index] = nullptr;
    free_.push_back(in.index);
    in.release();
  }

  void drop_probe(session_type& in) {
    connection_type* const probe = in.poller()->probe;
    forget_probe(in);
    if (!probe) return;
    probe->guest.of = nullptr;
    (void)probe->close(close_code::normal, {});
  }

  void violated(session_type& in, errc why) {
    this->count_violation(why);
    bool const was_packet = why == errc::namespace_not_joined || why == errc::unexpected_packet ||
                            why == errc::too_many_namespaces || why == errc::unknown_acks;
    auto const reason =
        was_packet ? disconnect_reason::forced_close : disconnect_reason::parse_error;
    end_session(in, reason, ws::close_code_for(why));
  }

  /// Packets that wait for attachments are over the budget of unfinished messages: the largest has
  /// to go.
  void shed_session(session_type& newest) {
    session_type* largest = &newest;
    for (session_type* const one : sessions_) {
      if (one && one->partial > largest->partial) largest = one;
    }
    this->count_violation(errc::partial_budget_exceeded);
    end_session(*largest, disconnect_reason::transport_error, close_code::try_again_later);
  }

  void on_own_deadline(wheel_entry& entry, time_point now) {
    if (entry.kind() == static_cast<std::uint8_t>(deadline_kind::session)) {
      return static_cast<session_type&>(entry).on_deadline(now);
    }
    this->derived().on_socket_deadline(entry, now);
  }

  // -- the end -----------------------------------------------------------------------------------

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

 protected:
  session_table(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        engine_(std::move(options.engine)),
        max_payload_(options.framing.max_message_size),
        sid_seed_(this->random().next()) {}

  session_type* find_session(std::string_view sid) {
    if (!eio::is_sid(sid)) return nullptr;
    auto const found = by_sid_.find(
        hash_of(sid), [&](std::uint32_t index) { return sessions_[index]->sid() == sid; });
    return found == hash_index::none ? nullptr : sessions_[found];
  }

  /// Sessions that hold no connection just now, and those that are to be told of their end, count:
  /// one connection can open any number of them.
  bool is_full() const noexcept {
    return sessions_.size() - free_.size() >= this->max_connections();
  }

  session_type& add_session(connection_type& one, engine_session::carrier first) {
    auto* const in = new session_type(this->derived(), first);
    in->name = fresh_sid_;
    in->base64_only = eio::read_query(one.opening->request.query()).base64_only;
    in->handshake = kept<session_handshake const>(
        *new session_handshake{.request = one.opening->request,
                               .address = one.stream().remote_address(),
                               .issued = std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::system_clock::now().time_since_epoch()),
                               .secure = one.stream().secure(),
                               .cross_domain = one.opening->request.count("Origin") > 0});
    if (free_.empty()) {
      in->index = static_cast<std::uint32_t>(sessions_.size());
      sessions_.push_back(in);
      free_.reserve(sessions_.capacity());
    } else {
      in->index = free_.back();
      free_.pop_back();
      sessions_[in->index] = in;
    }
    by_sid_.insert(hash_of(in->sid()), in->index);
    this->count_open();
    in->begin(this->now() + this->derived().connect_timeout());
    return *in;
  }

  std::array<char, 24> new_sid() {
    std::array<std::byte, 18> raw;
    this->random()(raw);
    std::array<char, 24> sid;
    std::memcpy(sid.data(), codec::base64url_encode(raw).data(), sid.size());
    return sid;
  }

  std::string open_packet_of(session_type const& in) const {
    auto const beat = Policies::heartbeat::announced(this->heartbeat_options());
    return eio::write_open({in.sid(),
                            in.state.polls() && engine_.allow_upgrades && engine_.websocket,
                            beat.interval, beat.timeout, max_payload_});
  }

  void forget_probe(session_type& in) noexcept {
    auto* const poller = in.poller();
    if (!poller) return;
    poller->probe = nullptr;
    poller->probe_by = time_point::max();
    in.state.end_probe();
  }

  /// The packet that tells a polling client of the end.
  void say_last(session_type& in) {
    in.poller()->parted = true;
    in.poller()->queue.push_control(this->space().pack(as_bytes("1")));
  }

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

  void reply(connection_type& one, int status, std::string_view type, std::string body,
             std::vector<http::header> headers = {}) {
    headers.push_back(*http::header::make("Content-Type", type));
    add_cors(engine_.cors, one.opening->request, headers);
    this->respond(one, {.accepted = true,
                        .status = status,
                        .body = std::move(body),
                        .headers = std::move(headers)});
  }

  /// The sessions are freed without a word: the façade has gone. Handlers up the stack may be of
  /// one of them.
  void free_sessions() noexcept {
    for (session_type* const in : to_answer_) in->release();
    to_answer_.clear();
    for (session_type*& at : sessions_) {
      if (session_type* const in = std::exchange(at, nullptr)) {
        in->finish();
        this->retire(std::unique_ptr<session_type, releasing>(in));
      }
    }
    by_sid_.clear();
  }

  engine_options engine_;
  std::size_t max_payload_;
  std::array<char, 24> fresh_sid_{};  // of the session that is being opened

 private:
  // Ids are random, but which sessions stay is up to the clients: hence the seed.
  std::uint32_t hash_of(std::string_view sid) const noexcept { return seeded_hash(sid, sid_seed_); }

  struct releasing {
    void operator()(session_type* one) const noexcept { one->release(); }
  };

  // The client of a session that has ended is told, as far as it can be.
  void part(session_type& in, disconnect_reason why, close_code code) {
    if (!in.state.polls()) {
      if (connection_type* const one = in.carrier()) {
        in.lost_carrier();
        one->guest.of = nullptr;
        bool const dead = why == disconnect_reason::ping_timeout;
        if (code == close_code::no_status)
          code = dead ? close_code::going_away : close_code::normal;
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

  std::vector<session_type*> sessions_;
  std::vector<std::uint32_t> free_;
  std::uint64_t sid_seed_;
  hash_index by_sid_;  // positions in `sessions_`
  std::vector<session_type*> to_answer_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
