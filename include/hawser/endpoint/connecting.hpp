// How sockets of a Socket.IO server connect: decisions, refusals, recovery of what was before.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/emitting.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Seventh layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class connecting : public emitting<Derived, Policies> {
 public:
  using base = emitting<Derived, Policies>;
  using session_type = typename base::session_type;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;

  void answered(answer_route to) override {
    if (!to.of_socket) return base::answered(to);
    typename base::turn const held(*this);
    socket_type* const one = this->find_socket({to.id.slot, to.id.generation});
    if (!one || !one->asks || !one->asks->slot) return;
    if (conclude(*one)) ask_next(*one);
  }

  /// A ping goes out, and its pong has come: what was sent before the ping has arrived.
  void pinging(session_type& in) { mark(in, &recovery_type::pinged_at, nullptr); }
  void ponged(session_type& in) {
    mark(in, &recovery_type::first, &recovery_type::pinged_at);
    decide_claim(in);
  }

  void session_ended(session_type& in, disconnect_reason why) {
    base::session_ended(in, why);
    decide_claim(in);
  }

 protected:
  using base::base;

  // Whoever was to decide about this socket has not done so in time.
  void decision_timed_out(socket_type& one) {
    if (!one.asks->slot) return take_over(one);
    refuse_socket(one, "timeout", {});
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

  void on_connect(session_type& in, incoming_packet const& packet) {
    if (this->socket_in(in, packet.nsp)) return this->violated(in, errc::namespace_not_joined);
    if (this->socket_count(in) >= this->limits_.max_namespaces) {
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
      decision to_make(pending_answer(&this->anchored(), {{id.slot, id.generation}, true}, slot));
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
      refuse_socket(one, said.body.empty() ? "Not authorized" : said.body, std::move(said.details));
      return false;
    }
    if (said.data) one.data = std::move(said.data);
    return true;
  }

 private:
  using recovery_type = typename socket_type::recovery;

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
    (void)in.send(
        this->parser_.encode(
            {.type = sio::packet_type::connect_error, .nsp = nsp, .payload = json_source(payload)}),
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
    auto const pid = one.auth ? std::as_const(*one.auth)["pid"].string() : std::nullopt;
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
    if (this->find_connected(id) != &one) return;  // whoever heard of its room ended it
    if (before) {
      for (std::string const& room : before->rooms) {
        if (room != one.id()) (void)this->join(id, room);  // guards are asked again
        if (this->find_connected(id) != &one) return;
      }
    }
    if (in.recover) {
      one.recover->first = in.recover->log.next() - 1;
      in.recover->live.emplace(one.recover->pid, id);
    }
    send_connected(one, in);
    one.in->set_connect_deadline(time_point::max());
    ++this->counters_.sockets_connected;
    one.announced = true;
    auto const rules = in.rules;
    if (rules->on_connect) run(one, [&] { rules->on_connect(this->anchored(), id); });
  }

  void send_connected(socket_type& one, nsp_type& in) {
    json payload = json::object({{"sid", std::string(one.id())}});
    if (in.recover) {
      payload["pid"] = json(one.recover->pid);
      char offset[recovery_log::max_offset_size];
      std::size_t const size = in.recover->log.write_offset(one.recover->first, offset);
      payload["offset"] = json(std::string(offset, size));  // for clients that look at it
    }
    (void)this->send_packet(
        one, {.type = sio::packet_type::connect, .nsp = in.name, .payload = json_source(payload)});
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
      auto found = offset && !number
                       ? std::nullopt
                       : log.missed(before->start(number), before->rooms, this->now());
      if (found) {
        missed = std::move(*found);
      } else {
        before.reset();  // never silently: it is told that it starts anew
      }
    }
    one.recover = std::make_unique<recovery_type>();
    one.recover->pid = before ? std::string(*pid) : new_pid();
    return before;
  }

  std::error_code send_again(session_type& in, std::span<packet_part const> parts) {
    if (in.state.polls()) return in.queue(parts, {});
    return in.send_frames(messages_of(parts).view(), {});
  }

  std::string new_pid() {
    std::array<std::byte, 18> raw;
    this->random()(raw);
    return codec::base64url_encode(raw);
  }

  void mark(session_type& in, std::uint64_t recovery_type::* to,
            std::uint64_t recovery_type::* from) {
    if (!this->recovery_.enabled) return;
    for (socket_type* one = this->first_of(in); one; one = this->next_of(*one)) {
      if (!one->recover) continue;
      auto& own = *one->recover;
      own.*to = from ? std::max(own.*to, own.*from) : this->nsp_of(*one).recover->log.next() - 1;
    }
  }

  // For a connection to show that it is alive, when somebody claims its session.
  static constexpr auto claim_timeout = std::chrono::milliseconds{1'000};
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
