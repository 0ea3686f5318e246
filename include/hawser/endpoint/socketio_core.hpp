// The engine behind a Socket.IO server: packets that arrive, and what they set off.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/emitting.hpp>
#include <hawser/endpoint/event_handler.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Internal to `basic_server` with a framing of sessions.
template <class Policies>
class socketio_core final : public emitting<socketio_core<Policies>, Policies> {
 public:
  using base = emitting<socketio_core<Policies>, Policies>;
  using policies = Policies;
  using options_type = server_options<Policies>;
  using session_type = typename base::session_type;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;

  socketio_core(typename base::executor_type executor, server_options<Policies> options)
      : base(std::move(executor), options),
        attachments_timeout_(options.framing.attachments_timeout) {}

  // -- what sessions report -----------------------------------------------------------------------

  /// The content of an Engine.IO message.
  void on_message(session_type& in, message const& what, bool padded) {
    incoming_packet packet;
    switch (this->parser_.decode(in.packets, what, padded, packet)) {
      case parse_status::violation: return this->violated(in, this->parser_.error());
      case parse_status::need_more:
        if (!in.awaits_attachments()) {
          in.set_attachments_deadline(this->now() + attachments_timeout_);
        }
        return;
      case parse_status::packet: break;
    }
    if (in.awaits_attachments()) in.set_attachments_deadline(time_point::max());
    in.retain();
    on_packet(in, packet);
    in.release();
  }

  /// A ping goes out, and its pong has come: what was sent before the ping has arrived.
  void pinging(session_type& in) { mark(in, &socket_type::pinged_at, nullptr); }
  void ponged(session_type& in) {
    mark(in, &socket_type::first, &socket_type::pinged_at);
    decide_claim(in);
  }

  void session_ended(session_type& in, disconnect_reason why) {
    base::session_ended(in, why);
    decide_claim(in);
  }

  void on_socket_deadline(wheel_entry& entry, time_point) {
    if (entry.kind() == static_cast<std::uint8_t>(deadline_kind::ack)) {
      ++this->counters_.ack_timeouts;
      ack_callback told = this->acks_.take(static_cast<ack_table::entry&>(entry));
      this->fenced([&] { told(make_error_code(errc::ack_timeout), value()); });
      return;
    }
    socket_type& one = static_cast<typename socket_type::asking&>(entry).of;
    if (!one.asks->slot) return take_over(one);
    refuse_socket(one, "timeout", {});
  }

  void answered(answer_route to) override {
    if (!to.of_socket) return base::answered(to);
    typename base::turn const held(*this);
    socket_type* const one = this->find_socket({to.id.slot, to.id.generation});
    if (!one || !one->asks || !one->asks->slot) return;
    if (conclude(*one)) ask_next(*one);
  }

  /// The façade has gone, and everybody's connection with it.
  void emptied() noexcept {
    this->free_sockets();
    this->free_sessions();
    this->acks_ = ack_table(static_cast<std::uint8_t>(deadline_kind::ack), 0);
  }

 private:
  void on_packet(session_type& in, incoming_packet const& packet) {
    if (packet.type == sio::packet_type::event) [[likely]] {
      socket_type* const to = this->socket_in(in, packet.nsp);
      if (!to || to->state != socket_record::stage::connected) {
        return this->violated(in, errc::namespace_not_joined);
      }
      return on_event(*to, packet);
    }
    if (packet.type == sio::packet_type::connect) return on_connect(in, packet);
    socket_type* const to = this->socket_in(in, packet.nsp);
    if (!to || packet.type == sio::packet_type::connect_error) {
      return this->violated(in, to ? errc::bad_packet : errc::namespace_not_joined);
    }
    if (packet.type == sio::packet_type::ack) return on_ack(in, *to, packet);
    this->end_socket(*to, disconnect_reason::client_namespace_disconnect);
  }

  // -- events -------------------------------------------------------------------------------------

  void on_event(socket_type& to, incoming_packet const& packet) {
    ++this->counters_.events_in;
    char digits[24];
    value const first = packet.data[0];
    std::string_view name;
    if (auto const text = first.string()) {
      name = *text;
    } else {  // a number is a name, too
      name = {digits, std::to_chars(digits, digits + sizeof digits, *first.integer()).ptr};
    }
    event_call call{this->anchored(), to.at, {name, packet.data}, packet.id};
    nsp_rules& rules = *to.nsp->rules;
    // Handlers may end the socket, and replace their table; both stay until the turn is over.
    handler_table& shared = *rules.handlers;
    handler_table* const own = to.own.get();
    if (shared.on_any && !run(to, [&] { shared.on_any(call); })) return;
    if (own && own->on_any && !run(to, [&] { own->on_any(call); })) return;
    if (rules.may_send && !this->guard_says(rules.may_send, call.from, call.what)) {
      return refuse_event(call);
    }
    if (own && own->guard) {
      bool yes = false;
      if (!run(to, [&] { yes = own->guard(call); })) return;
      if (!yes) return refuse_event(call);
    }
    bool handled = false;
    auto const each = [&](event_handler& handler) {
      if (to.state == socket_record::stage::connected) run(to, [&] { handler(call); });
    };
    if (to.state == socket_record::stage::connected) handled = shared.call(name, each);
    if (own && to.state == socket_record::stage::connected) handled |= own->call(name, each);
    if (!handled) ++this->counters_.events_unhandled;
    if (call.error != errc{}) mismatched(rules, call);
  }

  // False if the socket has gone meanwhile.
  template <class Call>
  bool run(socket_type& of, Call&& call) {
    if (!this->fenced(call)) blame(of);
    return of.state == socket_record::stage::connected;
  }

  // A handler threw: what this client did can't be handled.
  void blame(socket_type& of) {
    if (of.state == socket_record::stage::over) return;
    this->end_session(*of.in, disconnect_reason::forced_server_close, close_code::internal_error);
  }

  void refuse_event(event_call& call) {
    ++this->counters_.events_refused;
    if (call.ack) (void)ack<json>(call)(json::object({{"error", "not allowed"}}));
  }

  void mismatched(nsp_rules& rules, event_call& call) {
    ++this->counters_.argument_mismatches;
    this->log()(log_level::info, "event_mismatch", {{"event", call.what.name()}});
    if (!rules.on_bad_event) return;
    this->fenced([&] {
      rules.on_bad_event(this->anchored(), call.from, call.what.name(),
                         make_error_code(call.error));
    });
  }

  void on_ack(session_type& in, socket_type& from, incoming_packet const& packet) {
    ack_callback told;
    if (packet.id) told = this->acks_.take(from.at.number(), *packet.id);
    if (told) {
      run(from, [&] { told({}, packet.data); });
      return;
    }
    ++this->counters_.unknown_acks;
    time_point const now = this->now();
    if (now >= in.unknown_acks_since + std::chrono::seconds{10}) {
      in.unknown_acks_since = now;
      in.unknown_acks = 0;
    }
    if (++in.unknown_acks > this->limits_.max_unknown_acks) {
      this->violated(in, errc::unknown_acks);
    }
  }

  // -- connecting ---------------------------------------------------------------------------------

  void on_connect(session_type& in, incoming_packet const& packet) {
    if (this->socket_in(in, packet.nsp)) return this->violated(in, errc::namespace_not_joined);
    if (in.sockets.size() >= this->limits_.max_namespaces) {
      return this->violated(in, errc::too_many_namespaces);
    }
    std::unique_ptr<json> auth;
    if (packet.data.exists()) auth = std::make_unique<json>(packet.data);
    std::string const name(packet.nsp);  // what decides may send, and overwrite what was parsed
    nsp_type* const nsp = this->nsp_for(name, auth ? *auth : json());
    if (!in.is_open()) return;
    if (!nsp) return refuse_connect(in, name, "Invalid namespace", {});
    socket_type& one = this->add_socket(in, *nsp, std::move(auth));
    nsp_rules& rules = *nsp->rules;
    if (!rules.authenticate && rules.middlewares.empty()) return admit_socket(one, {});
    if (this->asking_ >= this->limits_.max_pending) return refuse_socket(one, "Server is busy", {});
    ++this->asking_;
    one.asks = std::make_unique<typename socket_type::asking>(one);
    one.asks->chain = rules.middlewares;
    one.asks->authenticated = !rules.authenticate;
    ask_next(one);
  }

  // Asks whoever is to decide next, until one takes its time.
  void ask_next(socket_type& one) {
    socket_id const id = one.at;
    auto const rules = one.nsp->rules;
    for (;;) {
      auto& asks = *one.asks;
      bool const authenticates = !std::exchange(asks.authenticated, true);
      if (!authenticates && asks.next == asks.chain.size()) {
        user_data decided = std::move(one.data);
        this->forget_asking(one);
        return admit_socket(one, std::move(decided));
      }
      auto const slot = std::make_shared<answer_slot>();
      asks.slot = slot;
      decision to_make(
          pending_answer(&this->anchored(), {{id.slot, id.generation}, true}, slot));
      if (authenticates) {
        this->fenced([&] { rules->authenticate(one.asked(), std::move(to_make)); });
      } else {
        auto const step = asks.chain[asks.next++];
        this->fenced([&] { (*step)(this->anchored(), id, std::move(to_make)); });
      }
      if (this->find_socket(id) != &one) return;  // gone meanwhile
      if (!slot->stop_waiting_inline()) {
        return this->schedule(*one.asks, this->now() + this->limits_.decision_timeout);
      }
      if (!conclude(one)) return;
    }
  }

  // Takes an answer. False: it was no.
  bool conclude(socket_type& one) {
    this->unschedule(*one.asks);
    auto const slot = std::exchange(one.asks->slot, nullptr);
    answer& said = slot->value();
    if (!said.accepted) {
      ++this->counters_.rejected_refused;
      refuse_socket(one, said.body.empty() ? "Not authorized" : said.body,
                    std::move(said.details));
      return false;
    }
    if (said.data) one.data = std::move(said.data);
    return true;
  }

  void refuse_socket(socket_type& one, std::string_view why, json details) {
    session_type& in = *one.in;
    std::string const nsp = one.nsp->name;
    in.retain();
    this->end_socket(one, disconnect_reason::forced_server_close);
    refuse_connect(in, nsp, why, std::move(details));
    in.release();
  }

  void refuse_connect(session_type& in, std::string_view nsp, std::string_view why, json details) {
    ++this->counters_.sockets_refused;
    json payload = json::object({{"message", std::string(why)}});
    if (!details.is_null()) payload["data"] = std::move(details);
    (void)in.send(this->parser_.encode({.type = sio::packet_type::connect_error, .nsp = nsp,
                                        .payload = source_of(payload)}),
                  {});
    if (++in.connect_errors > this->limits_.max_connect_errors) {
      this->violated(in, errc::too_many_namespaces);
    }
  }

  // It may come in. If it claims a session that is still alive, that one is asked first: a
  // connection that is dead and not known to be so must not cost its client the session, and
  // whoever has learned of a session's secret must not take it from its owner.
  void admit_socket(socket_type& one, user_data decided) {
    one.data = std::move(decided);
    nsp_type& in = this->nsp_of(one);
    socket_type* const owner = in.recover ? live_owner(one, in) : nullptr;
    if (!owner) return seat_socket(one);
    if (owner->in->is_claimed || this->asking_ >= this->limits_.max_pending) {
      return seat_socket(one);
    }
    ++this->asking_;
    one.asks = std::make_unique<typename socket_type::asking>(one);
    owner->in->is_claimed = true;
    owner->in->claimant = one.at;
    owner->in->ping();
    this->schedule(*one.asks, this->now() + claim_timeout);
  }

  socket_type* live_owner(socket_type& one, nsp_type& in) {
    auto const pid = one.auth ? (*one.auth)["pid"].string() : std::nullopt;
    if (!pid) return nullptr;
    auto const live = in.recover->live.find(*pid);
    socket_type* const owner =
        live == in.recover->live.end() ? nullptr : this->find_connected(live->second);
    return owner && owner->in != one.in ? owner : nullptr;
  }

  // The old connection has said something, or is over.
  void decide_claim(session_type& of) {
    if (!std::exchange(of.is_claimed, false)) return;
    socket_type* const one = this->find_socket(of.claimant);
    if (!one || !one->asks || one->asks->slot) return;
    this->forget_asking(*one);
    seat_socket(*one);
  }

  // The old connection has said nothing.
  void take_over(socket_type& one) {
    if (socket_type* const owner = live_owner(one, this->nsp_of(one))) {
      return this->end_session(*owner->in, disconnect_reason::transport_close);  // decides
    }
    this->forget_asking(one);
    seat_socket(one);
  }

  // It is in: with its rooms, data and missed events, if it was here before.
  void seat_socket(socket_type& one) {
    socket_id const id = one.at;
    nsp_type& in = this->nsp_of(one);
    std::optional<saved_session> before;
    std::vector<std::span<packet_part const>> missed;
    if (in.recover) before = recover(one, in, missed);
    if (before) {
      std::copy_n(before->id.data(), one.name.size(), one.name.data());
      if (!one.data) one.data = std::move(before->data);
      one.recovered = true;
      ++this->counters_.sockets_recovered;
    }
    // First what was missed, then the answer: so the reference does it, and clients expect it.
    for (auto const parts : missed) (void)send_again(*one.in, parts);
    this->seat(one);
    if (before) {
      for (std::string const& room : before->rooms) {
        if (room != one.id()) (void)this->join(id, room);  // guards are asked again
        if (this->find_connected(id) != &one) return;
      }
    }
    if (in.recover) {
      one.first = in.recover->log.next() - 1;
      in.recover->live.emplace(one.pid, id);
    }
    send_connected(one, in);
    one.in->set_connect_deadline(time_point::max());
    ++this->counters_.sockets_connected;
    auto const rules = in.rules;
    if (rules->on_connect) run(one, [&] { rules->on_connect(this->anchored(), id); });
  }

  void send_connected(socket_type& one, nsp_type& in) {
    json payload = json::object({{"sid", std::string(one.id())}});
    if (in.recover) {
      payload["pid"] = json(one.pid);
      char offset[recovery_log::max_offset_size];
      std::size_t const size = in.recover->log.write_offset(one.first, offset);
      payload["offset"] = json(std::string(offset, size));  // for clients that look at it
    }
    (void)this->send_packet(one, {.type = sio::packet_type::connect, .nsp = in.name,
                                  .payload = source_of(payload)});
  }

  std::optional<saved_session> recover(socket_type& one, nsp_type& in,
                                       std::vector<std::span<packet_part const>>& missed) {
    json const none;
    json const& auth = one.auth ? *one.auth : none;
    auto const pid = auth["pid"].string();
    std::optional<saved_session> before;
    if (pid) before = in.recover->sessions.take(*pid, this->now());
    if (before) {
      auto& log = in.recover->log;
      auto const offset = auth["offset"].string();
      auto const number = offset ? log.read_offset(*offset) : std::nullopt;
      auto found = offset && !number ? std::nullopt
                                     : log.missed(before->start(number), before->rooms, this->now());
      if (found) {
        missed = std::move(*found);
      } else {
        before.reset();  // never silently: it is told that it starts anew
      }
    }
    one.pid = before ? std::string(*pid) : new_pid();
    return before;
  }

  std::error_code send_again(session_type& in, std::span<packet_part const> parts) {
    if (in.state.polls()) return in.queue(parts, {});
    small_list<outgoing, 4> messages;
    for (packet_part const& part : parts) messages.push_back({part.kind, part.bytes.view()});
    return in.carrier()->send(messages.view(), {});
  }

  std::string new_pid() {
    std::array<std::byte, 18> raw;
    this->random()(raw);
    return codec::base64url_encode(raw);
  }

  static payload_source source_of(json const& what) noexcept {
    return {[](void const* self, value_writer& out, std::string_view) {
              write_value(out, *static_cast<json const*>(self));
            },
            &what};
  }

  void mark(session_type& in, std::uint64_t socket_type::*to, std::uint64_t socket_type::*from) {
    if (!this->recovery_.enabled) return;
    for (std::uint32_t const slot : in.sockets) {
      socket_type& one = this->socket_at(slot);
      auto const& recover = this->nsp_of(one).recover;
      if (!recover) continue;
      one.*to = from ? std::max(one.*to, one.*from) : recover->log.next() - 1;
    }
  }

  // For a connection to show that it is alive, when somebody claims its session.
  static constexpr auto claim_timeout = std::chrono::milliseconds{1'000};

  std::chrono::milliseconds attachments_timeout_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
