// The engine behind a Socket.IO client: its namespaces, what arrives for them, and their end.
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

#include <asio/any_io_executor.hpp>

#include <hawser/endpoint/client_joining.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Internal to `basic_client` with a framing of sessions.
template <class Policies>
class socketio_client_core final : public client_joining<socketio_client_core<Policies>, Policies> {
 public:
  using options_type = client_options<Policies>;
  using base = client_joining<socketio_client_core<Policies>, Policies>;
  using nsp_type = typename base::nsp_type;
  using stage = client_nsp::stage;

  socketio_client_core(typename base::executor_type executor, client_options<Policies> options)
      : base(std::move(executor), options), max_received_(options.max_received) {}

  // -- verbs -------------------------------------------------------------------------------------

  std::error_code connect(std::string_view where) {
    if (auto const error = check(where)) return error;
    typename base::turn const held(*this);  // a handler may destroy the client
    want_any();
    return base::connect(where);
  }
  void connect(std::string_view where, completion<std::error_code> done) {
    if (auto const error = check(where)) return done(error);
    want_any();
    base::connect(where, std::move(done));
  }

  std::error_code connect_nsp(socket_id which) override {
    nsp_type* const one = this->nsp_at(which);
    if (!one || this->gone()) return this->gone_call();
    typename base::turn const held(*this);
    one->wanted = true;
    if (one->is != stage::idle) return {};
    if (this->is_session_open()) {
      this->ask_auth(*one);
      return {};
    }
    if (!this->has_url()) return make_error_code(errc::not_open);
    if (this->state() == client_state::disconnected) return this->connect_again();
    this->connects_again_ = this->state() == client_state::disconnecting;
    return {};
  }
  void connect_nsp(socket_id which, completion<std::error_code> done) override {
    nsp_type* const one = this->nsp_at(which);
    if (!one || this->gone()) return done(this->gone_call());
    if (one->is == stage::connected) return done({});
    one->connect_done.push_back(std::move(done));
    if (auto const error = connect_nsp(which)) this->finish_connect(*one, error);
  }

  std::error_code disconnect(socket_id which) override {
    nsp_type* const one = this->nsp_at(which);
    if (!one || !one->wanted) return make_error_code(errc::not_open);
    typename base::turn const held(*this);
    // A server that hasn't let it in yet would close the connection.
    if (one->is == stage::connected) this->say_goodbye(*one);
    this->leave(*one, disconnect_reason::io_client_disconnect, false);
    this->close_if_unused();
    return {};
  }

  /// Leaves all namespaces and closes the connection behind what was sent.
  void close() {
    this->connects_again_ = false;
    if (this->gone() || this->state() == client_state::disconnected ||
        this->state() == client_state::disconnecting) {
      return;
    }
    typename base::turn const held(*this);
    if (this->is_connecting()) return this->give_up_connecting();
    this->begin_closing();
    this->for_each([&](nsp_type& one) {
      if (one.is == stage::connected) this->say_goodbye(one);
    });
    if (!this->gone()) this->close_session();
    // With the next `connect` of the client they are connected again.
    this->for_each([&](nsp_type& one) {
      this->leave(one, disconnect_reason::io_client_disconnect, one.wanted);
    });
  }
  void close(completion<std::error_code> done) {
    if (this->gone()) return done(make_error_code(asio::error::operation_aborted));
    if (this->state() == client_state::disconnected) return done(make_error_code(errc::not_open));
    close_done_.push_back(std::move(done));
    close();
    if (this->state() == client_state::disconnected) finish_close();
  }

  void receive(socket_id which, completion<std::error_code, received_event> done) override {
    nsp_type* const one = this->nsp_at(which);
    if (!one || this->gone()) return done(this->gone_call(), {});
    one->keeps_received = true;
    if (!one->received.empty()) {
      done({}, std::move(one->received.front()));
      one->received.pop_front();
    } else if (std::exchange(one->lost_received, false)) {
      done(make_error_code(errc::dropped), {});
    } else if (!one->wanted) {
      done(make_error_code(errc::disconnected), {});
    } else {
      one->receive_done.push_back(std::move(done));
    }
  }

  asio::any_io_executor any_executor() override { return this->executor(); }
  bool is_active(socket_id which) override {
    nsp_type* const one = this->nsp_at(which);
    return one && one->wanted && this->state() != client_state::disconnected &&
           this->state() != client_state::disconnecting;
  }
  void keep(callback<void()> old) override { this->retire(std::move(old)); }
  void answered(answer_route) override {}

  // -- what the session reports ------------------------------------------------------------------

  void session_opened() {
    in_ = {};
    if (this->nsps_.empty()) (void)this->open_nsp("/");
    this->for_each([&](nsp_type& one) {
      if (one.wanted && one.is == stage::idle && this->is_session_open()) this->ask_auth(one);
    });
    this->complete_if_joined();
    this->close_if_unused();
  }

  void session_closed(disconnect_reason why) {
    this->for_each([&](nsp_type& one) { this->leave(one, why, one.wanted); });
  }

  /// An attempt to connect has failed; another one comes if the client is `active`.
  void attempt_was_lost(attempt_failure const& why) {
    bool const active = this->state() == client_state::reconnecting;
    this->for_each([&](nsp_type& one) {
      if (!one.wanted) return;
      if (!active) this->finish_connect(one, why.error);
      if (one.on_connect_error) {
        this->fenced([&] { one.on_connect_error({.error = why.error, .active = active}); });
      }
    });
  }

  /// The content of an Engine.IO message.
  void on_message(message const& what, bool padded) {
    incoming_packet packet;
    switch (this->parser_.decode(in_, what, padded, packet)) {
      case parse_status::violation: return this->violated(this->parser_.error());
      case parse_status::need_more: return;
      case parse_status::packet: break;
    }
    nsp_type* const to = this->find_nsp(packet.nsp);
    if (!to) return;
    if (to->is == stage::idle) {  // it was left meanwhile
      if (packet.type == sio::packet_type::connect) this->say_goodbye(*to);
      return;
    }
    switch (packet.type) {
      case sio::packet_type::connect: return this->on_connected(*to, packet.data);
      case sio::packet_type::connect_error: return this->on_refused(*to, packet.data);
      case sio::packet_type::disconnect:
        this->leave(*to, disconnect_reason::io_server_disconnect, false);
        return this->close_if_unused();
      case sio::packet_type::ack: return on_ack(*to, packet);
      default: return on_event(*to, packet);
    }
  }

  /// An event for a namespace that is connected.
  void handle(nsp_type& to, value whole, std::optional<std::uint64_t> ack) {
    event_title const title(whole[0]);
    event_call call{this->anchored(), to.at, {title.name(), whole}, ack, {}, to.round};
    // The server puts the place in its log behind the arguments.
    if (!to.pid.empty() && !ack && whole.size() > 1) {
      if (auto const last = whole[whole.size() - 1].string()) to.offset = *last;
    }
    auto const run = [&](auto& handler) {
      if (this->gone() || to.is != stage::connected) return;
      if (!this->fenced([&] { handler(call); })) {
        this->lose(disconnect_reason::forced_close, {make_error_code(errc::not_open)},
                   close_code::internal_error);
      }
    };
    handler_table& table = *to.handlers;
    if (table.on_any) run(table.on_any);
    if (this->gone() || to.is != stage::connected) return;
    bool const handled = table.call(title.name(), run);
    if (this->gone()) return;
    if (!handled) return keep_event(to, call);
    if (call.error != errc{}) mismatched(to, call);
  }

  void on_socket_deadline(wheel_entry& entry, time_point) {
    if (entry.kind() == static_cast<std::uint8_t>(client_deadline::ack)) {
      return this->on_ack_deadline(static_cast<ack_table::entry&>(entry));
    }
    auto& one = static_cast<nsp_type&>(entry);
    if (one.is == stage::idle && one.wanted && this->is_session_open()) return this->ask_auth(one);
    if (one.is != stage::joining) return;
    this->refuse(one, {.error = make_error_code(errc::handshake_timeout)});
  }

  // -- the end -----------------------------------------------------------------------------------

  void shut() noexcept {
    this->retain();
    this->let_go();
    this->end_attempt();
    auto const aborted = make_error_code(asio::error::operation_aborted);
    this->complete_connect(aborted);
    finish_close(aborted);
    for (auto const& one : this->nsps_) {
      this->finish_connect(*one, aborted);
      this->finish_receive(*one, aborted);
      one->owners.clear();
      this->retire(std::exchange(one->queue, std::nullopt));
    }
    forget_acks();
    this->release();
  }
  void context_gone() noexcept override {
    this->retain();
    this->let_go();
    this->drop_completions();
    close_done_.clear();
    for (auto const& one : this->nsps_) {
      one->connect_done.clear();
      one->receive_done.clear();
    }
    shut();  // which finds nobody to tell
    this->release();
  }

  /// There won't be a connection, unless the user connects again, or did so while it closed.
  void rested(std::error_code why) {
    finish_close();
    for (auto const& one : this->nsps_) {
      if (this->connects_again_ && one->wanted) continue;
      this->finish_connect(*one, why);
      this->finish_receive(*one, make_error_code(errc::disconnected));
    }
  }
  /// Nor are secrets of recovery for another server.
  void other_server() noexcept {
    for (auto const& one : this->nsps_) {
      one->pid.clear();
      one->offset.clear();
    }
  }
  /// Everybody has been told.
  void rest_told() {
    if (!std::exchange(this->connects_again_, false) || this->gone()) return;
    if (this->state() == client_state::disconnected) (void)this->connect_again();
  }
  void connect_cancelled() {
    if (this->is_connecting() || this->is_awaited()) close();
  }

 private:
  // Whoever connects after all namespaces were left, or refused, wants them again.
  void want_any() noexcept {
    for (auto const& one : this->nsps_) {
      if (one->wanted) return;
    }
    for (auto const& one : this->nsps_) one->wanted = true;
  }

  // The path of a URL would be taken for a namespace, or for the path of Engine.IO.
  static std::error_code check(std::string_view where) {
    auto const url = http::parse_url(where);
    if (!url) return url.error();
    bool const plain = url->target == "/" || url->target.starts_with("/?");
    return plain ? std::error_code() : make_error_code(errc::bad_url);
  }

  void finish_close(std::error_code error = {}) { complete_all(close_done_, error); }
  void forget_acks() noexcept {
    this->acks_ = ack_table(static_cast<std::uint8_t>(client_deadline::ack), 0);
  }

  // -- what arrives ------------------------------------------------------------------------------

  void on_event(nsp_type& to, incoming_packet const& packet) {
    ++this->counters_.events_in;
    if (to.is == stage::connected) return handle(to, packet.data, packet.id);
    value_payload const whole(packet.data);
    byte_buffer packed = pack_event(whole.source());
    to.early_bytes += packed.size() + sizeof packed;
    if (to.early_bytes > this->sockets_.max_early_bytes) {
      return this->violated(errc::message_too_big);
    }
    to.early.emplace_back(std::move(packed), packet.id);
  }

  void mismatched(nsp_type& to, event_call const& call) {
    ++this->counters_.argument_mismatches;
    this->log()(log_level::info, "event_mismatch", {{"event", call.what.name()}});
    if (!to.on_bad_event) return;
    this->fenced([&] { to.on_bad_event(call.what.name(), make_error_code(call.error)); });
  }

  // Nobody handles it: it is for whoever receives.
  void keep_event(nsp_type& to, event_call& call) {
    if (!to.keeps_received) {
      ++this->counters_.events_unhandled;
      return;
    }
    if (to.received.size() >= max_received_) {
      ++this->counters_.messages_dropped;
      to.lost_received = true;
      return;
    }
    received_event event{std::string(call.what.name()), json::array(), ack<json>(call)};
    for (std::size_t i = 0; i < call.what.size(); ++i) {
      event.arguments.push_back(json(call.what[i]));
    }
    if (auto first = take_first(to.receive_done)) return first({}, std::move(event));
    to.received.push_back(std::move(event));
  }

  void on_ack(nsp_type& to, incoming_packet const& packet) {
    ack_callback told;
    if (packet.id) told = this->acks_.take(to.owner(), *packet.id);
    if (told) {
      this->fenced([&] { told({}, packet.data); });
    } else {
      ++this->counters_.unknown_acks;
    }
  }

  typename base::parser::peer in_;  // a packet whose attachments are to come
  std::vector<completion<std::error_code>> close_done_;
  std::size_t max_received_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
