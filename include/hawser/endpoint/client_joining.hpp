// How a client's namespaces come and go: CONNECT and its answer, refusals, the last one's end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/client_emitting.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Sixth layer of `socketio_client_core` (`Derived`), which handles the events that came early.
template <class Derived, class Policies>
class client_joining : public client_emitting<Derived, Policies> {
 public:
  using base = client_emitting<Derived, Policies>;
  using nsp_type = typename base::nsp_type;
  using stage = client_nsp::stage;

  // -- namespaces --------------------------------------------------------------------------------

  /// The namespace of that name, made if need be. Null for a name that can't be one, and when there
  /// are too many.
  nsp_type* open_nsp(std::string_view name) {
    std::string slashed(name.starts_with('/') ? "" : "/");
    slashed += name;
    if (nsp_type* const known = find_nsp(slashed)) return known;
    bool const fits = slashed.size() <= sio::max_namespace_size &&
                      slashed.find(',') == std::string::npos && codec::is_utf8(as_bytes(slashed));
    if (!fits || this->gone() || this->nsps_.size() >= this->sockets_.max_namespaces) {
      return nullptr;
    }
    auto const slot = static_cast<std::uint32_t>(this->nsps_.size());
    this->nsps_.push_back(
        std::make_unique<nsp_type>(slashed, socket_id{slot, 0}, this->queue_numbers_));
    nsp_type& made = *this->nsps_.back();
    // With the next turn: whoever names it has yet to say what CONNECT carries.
    if (this->is_session_open()) this->schedule(made, this->now());
    return &made;
  }

  nsp_type* find_nsp(std::string_view name) noexcept {
    for (auto const& one : this->nsps_) {
      if (one->name == name) return one.get();
    }
    return nullptr;
  }

  client_nsp* find(socket_id id) override { return this->nsp_at(id); }

  void authenticated(socket_id which, std::uint32_t round, json payload) override {
    nsp_type* const one = this->nsp_at(which);
    if (!one || one->round != round || one->is != stage::joining || this->gone()) return;
    typename base::turn const held(*this);
    ++one->round;  // only the first answer counts
    send_connect(*one, payload);
  }

 protected:
  using base::base;

  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < this->nsps_.size() && !this->gone(); ++i) visit(*this->nsps_[i]);
  }

  // -- connecting --------------------------------------------------------------------------------

  void ask_auth(nsp_type& one) {
    one.is = stage::joining;
    one.early.clear();
    one.early_bytes = 0;
    this->schedule(one, this->now() + this->sockets_.connect_timeout);
    if (!one.authenticate) return send_connect(one, one.auth);
    auth_reply reply(this->anchored(), one.at, ++one.round);
    this->fenced([&] { one.authenticate(std::move(reply)); });
  }

  void send_connect(nsp_type& one, json const& auth) {
    json payload = auth;
    if (!one.pid.empty()) {
      if (payload.is_null()) payload = json::object();
      if (payload["pid"].is_null()) payload["pid"] = json(one.pid);
      if (!one.offset.empty() && payload["offset"].is_null()) payload["offset"] = json(one.offset);
    }
    outgoing_packet packet{.type = sio::packet_type::connect, .nsp = one.name};
    if (payload.kind() == value_kind::object) packet.payload = json_source(payload);
    (void)this->send(this->parser_.encode(packet), {});
  }

  void on_connected(nsp_type& one, value data) {
    if (one.is != stage::joining) return this->violated(errc::namespace_not_joined);
    auto const id = data["sid"].string();
    if (!id || id->empty()) {  // a server of protocol 4 or older
      return refuse(one, {.error = make_error_code(errc::connect_refused),
                          .message = "the server speaks another revision of the protocol"});
    }
    this->unschedule(one);
    std::string const pid(data["pid"].string().value_or(""));
    one.id = *id;
    one.recovered = !pid.empty() && pid == one.pid;
    if (!one.recovered) one.offset.clear();
    one.pid = pid;
    if (auto const offset = data["offset"].string(); offset && !pid.empty()) one.offset = *offset;
    one.is = stage::connected;
    ++this->counters_.sockets_connected;
    if (one.recovered) ++this->counters_.sockets_recovered;
    deliver_early(one);
    if (this->gone() || one.is != stage::connected) return;
    this->send_queued(one);
    if (this->gone() || one.is != stage::connected) return;
    one.announced = true;
    if (one.on_connect) this->fenced([&] { one.on_connect(this->anchored(), one.at); });
    if (this->gone() || one.is != stage::connected) return;
    finish_connect(one, {});
    complete_if_joined();
  }

  // Events of before: the server sends what was missed ahead of its answer.
  void deliver_early(nsp_type& one) {
    auto const early = std::exchange(one.early, {});
    one.early_bytes = 0;
    for (auto const& [packed, ack] : early) {
      if (this->gone() || one.is != stage::connected) return;
      value_tape tape;
      if (unpack_event(packed.view(), tape)) {
        this->derived().handle(one, tape.root(), ack);
      }
    }
  }

  void on_refused(nsp_type& one, value data) {
    if (one.is != stage::joining) return this->violated(errc::unexpected_packet);
    std::string const message(
        (data.kind() == value_kind::string ? data : data["message"]).string().value_or(""));
    refuse(one, {.error = make_error_code(errc::connect_refused),
                 .message = message,
                 .data = data["data"]});
  }

  void refuse(nsp_type& one, connect_failure const& why) {
    ++this->counters_.sockets_refused;
    this->unschedule(one);
    one.is = stage::idle;
    one.wanted = false;
    ++one.round;
    // Before the handler, which may begin the next.
    finish_connect(one, why.error);
    finish_receive(one, make_error_code(errc::disconnected));
    this->complete_connect(why.error);
    if (one.on_connect_error) this->fenced([&] { one.on_connect_error(why); });
    close_if_unused();
  }

  // -- leaving -----------------------------------------------------------------------------------

  void say_goodbye(nsp_type& to) {
    (void)this->send(this->parser_.encode({.type = sio::packet_type::disconnect, .nsp = to.name}),
                     {});
  }

  // `wanted`: whether it connects again with the next connection; its handler may object.
  void leave(nsp_type& one, disconnect_reason why, bool wanted) {
    bool const was_connected = one.is == stage::connected;
    bool const on_purpose = why == disconnect_reason::io_server_disconnect ||
                            why == disconnect_reason::io_client_disconnect;
    this->unschedule(one);
    one.is = stage::idle;
    one.id.clear();
    one.wanted = wanted;
    ++one.round;
    if (on_purpose) {
      one.pid.clear();
      one.offset.clear();
      finish_connect(one, make_error_code(asio::error::operation_aborted));
      finish_receive(one, make_error_code(errc::disconnected));
    }
    if (!was_connected) return;
    // Unless what waited, or came early, was the end already.
    bool const told = std::exchange(one.announced, false);
    if (told && one.on_disconnect) this->fenced([&] { one.on_disconnect(why); });
    if (!this->gone()) this->forget_sent(one);
  }

  void close_if_unused() {
    bool const connected = this->state() == client_state::connected;
    if (this->gone()) return;
    for (auto const& one : this->nsps_) {
      if (one->wanted) return;
    }
    connects_again_ = false;
    if (this->is_connecting()) return this->give_up_connecting();
    if (!connected) return;
    this->begin_closing();
    if (!this->gone()) this->close_session();
  }

  void complete_if_joined() {
    if (this->gone() || !this->is_awaited()) return;
    for (auto const& one : this->nsps_) {
      if (one->wanted && one->is != stage::connected) return;
    }
    this->complete_connect({});
  }

  void finish_connect(nsp_type& one, std::error_code error) {
    complete_all(one.connect_done, error);
  }
  void finish_receive(nsp_type& one, std::error_code error) {
    auto waiting = std::exchange(one.receive_done, {});
    for (auto& done : waiting) done(error, {});
  }

  bool connects_again_ = false;  // when the connection that is being closed is closed
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
