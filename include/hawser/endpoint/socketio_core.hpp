// The engine behind a Socket.IO server: packets that arrive, and what they set off.
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

#include <hawser/endpoint/clustering.hpp>
#include <hawser/endpoint/event_handler.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Internal to `basic_server` with a framing of sessions.
template <class Policies>
class socketio_core final : public clustering<socketio_core<Policies>, Policies> {
 public:
  using base = clustering<socketio_core<Policies>, Policies>;
  using policies = Policies;
  using options_type = server_options<Policies>;
  using session_type = typename base::session_type;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;

  socketio_core(typename base::executor_type executor, server_options<Policies> options)
      : base(std::move(executor), options),
        attachments_timeout_(options.framing.attachments_timeout) {}

  // -- what sessions report ----------------------------------------------------------------------

  /// The content of an Engine.IO message.
  void on_message(session_type& in, message const& what, bool padded) {
    incoming_packet packet;
    switch (this->parser_.decode(in.packets, what, padded, packet)) {
      case parse_status::violation: return this->violated(in, this->parser_.error());
      case parse_status::need_more: return keep_partial(in, what.data.size());
      case parse_status::packet: break;
    }
    if (in.awaits_attachments()) {
      in.set_attachments_deadline(time_point::max());
      in.forget_partial();
    }
    in.retain();
    on_packet(in, packet);
    in.release();
  }

  void on_socket_deadline(wheel_entry& entry, time_point) {
    if (entry.kind() == static_cast<std::uint8_t>(deadline_kind::ack)) {
      ++this->counters_.ack_timeouts;
      ack_callback told = this->acks_.take(static_cast<ack_table::entry&>(entry));
      this->fenced([&] { told(make_error_code(errc::ack_timeout), value()); });
      return;
    }
    this->decision_timed_out(static_cast<typename socket_type::asking&>(entry).of);
  }

  /// The façade has gone, and everybody's connection with it.
  void emptied() noexcept {
    this->leave_cluster();
    this->free_sockets();
    this->free_sessions();
    this->acks_ = ack_table(static_cast<std::uint8_t>(deadline_kind::ack), 0);
  }

 private:
  // Its attachments are to come: it counts as an unfinished message does.
  void keep_partial(session_type& in, std::size_t bytes) {
    if (!in.awaits_attachments()) {
      in.set_attachments_deadline(this->now() + attachments_timeout_);
    }
    in.partial += bytes;
    this->counters_.partial_bytes += bytes;
    if (this->counters_.partial_bytes > this->limits().partial_message_budget) {
      this->shed_session(in);
    }
  }

  void on_packet(session_type& in, incoming_packet const& packet) {
    if (packet.type == sio::packet_type::event) [[likely]] {
      socket_type* const to = this->socket_in(in, packet.nsp);
      if (!to || to->state != socket_record::stage::connected) {
        return this->violated(in, errc::namespace_not_joined);
      }
      return on_event(*to, packet);
    }
    if (packet.type == sio::packet_type::connect) return this->on_connect(in, packet);
    socket_type* const to = this->socket_in(in, packet.nsp);
    if (!to || packet.type == sio::packet_type::connect_error) {
      return this->violated(in, to ? errc::unexpected_packet : errc::namespace_not_joined);
    }
    if (packet.type == sio::packet_type::ack) return on_ack(in, *to, packet);
    this->end_socket(*to, disconnect_reason::client_namespace_disconnect);
  }

  // -- events ------------------------------------------------------------------------------------

  void on_event(socket_type& to, incoming_packet const& packet) {
    ++this->counters_.events_in;
    event_title const title(packet.data[0]);
    std::string_view const name = title.name();
    event_call call{this->anchored(), to.at, {name, packet.data}, packet.id};
    nsp_rules& rules = *to.nsp->rules;
    // Handlers may end the socket, and replace their table; both stay until the turn is over.
    handler_table& shared = *rules.handlers;
    handler_table* const own = to.own.get();
    if (shared.on_any && !this->run(to, [&] { shared.on_any(call); })) return;
    if (own && own->on_any && !this->run(to, [&] { own->on_any(call); })) return;
    if (rules.may_send && !this->guard_says(rules.may_send, call.from, call.what)) {
      return refuse_event(call);
    }
    if (own && own->guard) {
      bool yes = false;
      if (!this->run(to, [&] { yes = own->guard(call); })) return;
      if (!yes) return refuse_event(call);
    }
    bool handled = false;
    auto const each = [&](event_handler& handler) {
      if (to.state == socket_record::stage::connected) this->run(to, [&] { handler(call); });
    };
    if (to.state == socket_record::stage::connected) handled = shared.call(name, each);
    if (own && to.state == socket_record::stage::connected) handled |= own->call(name, each);
    if (!handled) ++this->counters_.events_unhandled;
    if (call.error != errc{}) mismatched(rules, call);
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
      this->run(from, [&] { told({}, packet.data); });
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

  std::chrono::milliseconds attachments_timeout_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
