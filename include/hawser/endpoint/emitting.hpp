// What a Socket.IO server sends: events to one or many, acknowledgements, descriptions.
#pragma once

#include <algorithm>
#include <array>
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

#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/endpoint/broadcast.hpp>
#include <hawser/endpoint/fanout.hpp>
#include <hawser/endpoint/targeting.hpp>
#include <hawser/machine/ack_table.hpp>
#include <hawser/policy/adapter.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Sixth layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class emitting : public targeting<Derived, Policies> {
 public:
  using base = targeting<Derived, Policies>;
  using session_type = typename base::session_type;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;
  using parser = typename Policies::framing::parser;

  // -- to one ------------------------------------------------------------------------------------

  std::error_code emit(socket_id id, payload_source what, emit_flags const& how) override {
    socket_type* const to = this->find_connected(id);
    if (!to) return this->gone_call();
    if (what.is_reserved()) [[unlikely]]
      return make_error_code(errc::bad_event_name);
    typename base::turn const held(*this);
    nsp_type& in = this->nsp_of(*to);
    if (is_watched(*to)) [[unlikely]] {
      observe(*to, what);
      if (this->find_connected(id) != to) return make_error_code(errc::not_open);
    }
    outgoing_packet packet{.nsp = in.name, .payload = what};
    offset_text offset;
    if (in.recover) packet.offset = offset.write(in.recover->log, how.droppable);
    encoded_packet const encoded = parser_.encode(packet);
    std::error_code const refused = to->in->send(encoded, how);
    if (in.recover && !how.droppable) {
      std::string_view const name = to->id();
      auto const messages = parts_of(encoded, how.compress);
      in.recover->log.append(this->now(), copies(this->blocks(), messages.view()), {&name, 1}, {});
    }
    return refused;
  }

  void emit_with_ack(socket_id id, payload_source what, emit_flags const& how,
                     ack_callback told) override {
    typename base::turn const held(*this);
    socket_type* const to = this->find_connected(id);
    std::error_code failed = to ? std::error_code() : this->gone_call();
    if (what.is_reserved()) failed = make_error_code(errc::bad_event_name);
    std::uint64_t const number = failed ? 0 : this->nsp_of(*to).next_ack++;
    if (!failed && !await(*to, number, how, told)) failed = make_error_code(errc::too_many_acks);
    if (!failed && is_watched(*to)) {
      observe(*to, what);
      if (this->find_connected(id) != to) return;  // it was told then
    }
    if (!failed) {
      failed = send_packet(*to, {.nsp = to->nsp->name, .id = number, .payload = what}, how);
      if (failed) told = acks_.take(id.number(), number);
    }
    if (failed && told) this->fenced([&] { told(failed, value()); });
  }

  std::error_code answer(socket_id id, std::uint64_t ack, payload_source what) override {
    socket_type* const to = this->find_connected(id);
    if (!to) return this->gone_call();
    return send_packet(
        *to, {.type = sio::packet_type::ack, .nsp = to->nsp->name, .id = ack, .payload = what});
  }

  std::error_code send_packet(socket_type& to, outgoing_packet const& what,
                              emit_flags const& how = {}) {
    return to.in->send(parser_.encode(what), how);
  }

  // -- to many -----------------------------------------------------------------------------------

  std::size_t broadcast(nsp_record& in, broadcast_target const& to, payload_source what,
                        emit_flags const& how) override {
    if (what.is_reserved()) [[unlikely]]
      return 0;
    typename base::turn const held(*this);
    if constexpr (!Policies::adapter::alone) {
      if (!how.local) this->derived().publish({.verb = cluster_verb::broadcast}, in, to, how, what);
    }
    std::size_t taken = 0;
    this->for_each_child(in, [&](nsp_type& one) { taken += broadcast_here(one, to, what, how); });
    return taken;
  }

  void broadcast_with_ack(nsp_record& in, broadcast_target const& to, payload_source what,
                          emit_flags const& how, broadcast_ack_callback told) override {
    typename base::turn const held(*this);
    auto const gathered = std::make_shared<gathering>();
    gathered->told = std::move(told);
    gathered->awaited = 1;  // until everybody has been asked
    std::vector<socket_id> watched;
    if (what.is_reserved()) {
      gathered->error = make_error_code(errc::bad_event_name);
      return finish_soon(gathered);
    }
    this->for_each_child(in, [&](nsp_type& one) {
      std::uint64_t const number = one.next_ack++;
      auto const targets = this->targets_of(one, to);
      fanout<Derived> out(this->derived(),
                          parser_.encode({.nsp = one.name, .id = number, .payload = what}), how);
      for (std::uint32_t const slot : targets) {
        socket_type& member = this->socket_at(slot);
        ack_callback heard = [this, gathered](std::error_code error, value const& arguments) {
          if (!error) {
            this->fenced([&] { gathered->told({}, &arguments); });
          } else if (!gathered->error) {
            gathered->error = error;
          }
          finish(gathered);
        };
        if (!await(member, number, how, heard)) {
          gathered->error = make_error_code(errc::too_many_acks);
          continue;
        }
        ++gathered->awaited;
        if (is_watched(member)) [[unlikely]]
          watched.push_back(member.at);
        out.to(*member.in);
      }
    });
    observe_all(watched, what);
    if constexpr (!Policies::adapter::alone) {
      if (!how.local && this->derived().others(in) > 0) {
        ++gathered->awaited;
        this->derived().ask_others(in, to, what, how,
                                   [this, gathered](std::error_code error, value const* one) {
                                     if (one) return gathered->told({}, one);
                                     if (error && !gathered->error) gathered->error = error;
                                     finish(gathered);
                                   });
      }
    }
    if (gathered->awaited > 1) return finish(gathered);
    finish_soon(gathered);
  }

  void join_all(nsp_record& in, broadcast_target const& who, bool local,
                std::span<std::string_view const> rooms, bool leave) override {
    if constexpr (!Policies::adapter::alone) {
      auto const verb = leave ? cluster_verb::leave : cluster_verb::join;
      if (!local) this->derived().publish({.verb = verb, .rooms = rooms}, in, who);
    }
    this->for_each_target(in, who, [&](socket_type& one) {
      socket_id const id = one.at;
      for (std::string_view const room : rooms) {
        leave ? (void)this->leave(id, room) : (void)this->join(id, room);
      }
    });
  }

  void disconnect_all(nsp_record& in, broadcast_target const& who, bool local,
                      bool close) override {
    if constexpr (!Policies::adapter::alone) {
      if (!local)
        this->derived().publish({.verb = cluster_verb::disconnect, .close = close}, in, who);
    }
    this->for_each_target(in, who,
                          [&](socket_type& one) { (void)this->disconnect(one.at, close); });
  }

  void visit(nsp_record& in, broadcast_target const& who,
             callback<void(socket_record&)> each) override {
    this->for_each_target(in, who, [&](socket_type& one) { each(one); });
  }

  void fetch(nsp_record& in, broadcast_target const& who, emit_flags const& how,
             callback<void(std::error_code, std::vector<socket_description>)> told) override {
    std::vector<socket_description> found;
    this->for_each_target(in, who,
                          [&](socket_type& one) { found.push_back(describe_socket(one)); });
    if constexpr (!Policies::adapter::alone) {
      if (!how.local && this->derived().others(in) > 0) {
        return this->derived().ask_others(in, who, how, std::move(found), std::move(told));
      }
    }
    (void)how;
    // Posted, as where other servers have to be asked.
    (void)this->anchored().mail().push(
        [found = std::move(found), told = std::move(told)]() mutable {
          told({}, std::move(found));
        },
        0, true);
  }

  std::error_code server_side_emit(nsp_record& in, payload_source what) override {
    if constexpr (Policies::adapter::alone) {
      return (void)in, (void)what, std::error_code();  // nobody else is there
    } else {
      return this->derived().publish({.verb = cluster_verb::server_side_emit}, in, {}, {}, what);
    }
  }

  // -- acknowledgements --------------------------------------------------------------------------

  /// The socket goes: what it was to acknowledge is told so.
  void abandon_acks(socket_type& one) {
    for (ack_callback& told : acks_.take_all(one.at.number())) {
      this->fenced([&] { told(make_error_code(errc::disconnected), value()); });
    }
  }

  asio::any_io_executor any_executor() override { return this->executor(); }

 protected:
  emitting(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        parser_(Policies::framing::packet_numbers(options.framing)),
        acks_(static_cast<std::uint8_t>(deadline_kind::ack), options.sockets.max_acks) {}

  socket_description describe_socket(socket_type& one) {
    auto const& of = *one.handshake;
    json headers = json::object({});
    for (auto const field : of.request.fields()) {
      std::string name(field.name);
      std::transform(name.begin(), name.end(), name.begin(), http::lower);
      headers[name] = json(std::string(field.value));
    }
    socket_description made{std::string(one.id()), this->room_list(one), {}, json::object({})};
    made.handshake["headers"] = std::move(headers);
    made.handshake["address"] = json(of.address);
    made.handshake["xdomain"] = json(of.cross_domain);
    made.handshake["secure"] = json(of.secure);
    made.handshake["issued"] = json(std::int64_t{of.issued.count()});
    made.handshake["url"] = json(std::string(of.request.target()));
    made.handshake["auth"] = one.auth ? *one.auth : json::object({});
    return made;
  }

  parser parser_;
  ack_table acks_;

 private:
  // The answers to one broadcast.
  struct gathering {
    broadcast_ack_callback told;
    std::size_t awaited = 0;
    std::error_code error;
  };

  // An offset as text, for the duration of one emit.
  class offset_text {
   public:
    // What can't be recovered still says where the log stands: clients take the last argument of
    // whatever comes for an offset.
    std::string_view write(recovery_log const& log, bool droppable) {
      std::uint64_t const number = droppable ? log.next() - 1 : log.next();
      return {text_.data(), log.write_offset(number, text_.data())};
    }

   private:
    std::array<char, recovery_log::max_offset_size> text_;
  };

  bool await(socket_type& of, std::uint64_t number, emit_flags const& how, ack_callback& told) {
    auto* const entry = acks_.add(of.at.number(), number, told);
    if (!entry) return false;
    auto const patience = how.timeout.count() > 0 ? how.timeout : this->limits_.ack_timeout;
    this->schedule(*entry, this->now() + patience);
    return true;
  }

  // Nobody was asked: not under the feet of whoever asks.
  void finish_soon(std::shared_ptr<gathering> const& gathered) {
    (void)this->anchored().mail().push([this, gathered] { finish(gathered); }, 0, true);
  }

  void finish(std::shared_ptr<gathering> const& gathered) {
    if (--gathered->awaited > 0) return;
    this->fenced([&] { gathered->told(gathered->error, nullptr); });
  }

  std::size_t broadcast_here(nsp_type& in, broadcast_target const& to, payload_source what,
                             emit_flags const& how) {
    // Recipients first: guards may emit, and what is encoded lives in the parser.
    bool const all = to.to.empty() && to.except.empty() && !in.rules->may_receive;
    std::vector<std::uint32_t> targets;
    if (!all) targets = this->targets_of(in, to);
    outgoing_packet packet{.nsp = in.name, .payload = what};
    offset_text offset;
    if (in.recover) packet.offset = offset.write(in.recover->log, how.droppable);
    fanout<Derived> out(this->derived(), parser_.encode(packet), how);
    std::vector<socket_id> watched;
    for (std::uint32_t const slot : all ? in.members : targets) {
      socket_type& member = this->socket_at(slot);
      if (to.except_socket && *to.except_socket == member.at) continue;
      if (is_watched(member)) [[unlikely]]
        watched.push_back(member.at);
      out.to(*member.in);
    }
    if (in.recover && !how.droppable) remember(in, to, out.parts());
    if (!all) this->give_back(std::move(targets));
    observe_all(watched, what);
    return out.taken();
  }

  void remember(nsp_type& in, broadcast_target const& to, std::span<packet_part const> parts) {
    std::vector<std::string_view> rooms, except;
    for (room_name const& one : to.to) rooms.push_back(one.name);
    for (room_name const& one : to.except) except.push_back(one.name);
    socket_type* const left_out = to.except_socket ? this->find_socket(*to.except_socket) : nullptr;
    if (left_out) except.push_back(left_out->id());
    in.recover->log.append(this->now(), parts, rooms, except);
  }

  static bool is_watched(socket_type const& to) noexcept {
    return to.nsp->rules->handlers->on_any_outgoing || (to.own && to.own->on_any_outgoing);
  }

  // Behind a broadcast: whoever watches may emit, and end sockets that it is for.
  void observe_all(std::span<socket_id const> watched, payload_source what) {
    for (socket_id const id : watched) {
      if (socket_type* const one = this->find_connected(id)) observe(*one, what);
    }
  }

  // For those who watch what leaves: the arguments as values, which are made only for them.
  void observe(socket_type& to, payload_source what) {
    auto const rules = to.nsp->rules;
    auto const own = to.own;
    byte_buffer bytes;
    value_writer writer(bytes, value_format::msgpack);
    what.write(what.self, writer, {});
    value_tape tape;
    if (parse_msgpack(bytes.view(), value_limits{1'000, 100'000'000, 64}, tape) != errc{}) return;
    value const whole = tape.root();
    event_call call{this->anchored(), to.at, {whole[0].string().value_or(""), whole}, {}};
    auto& shared = rules->handlers->on_any_outgoing;
    if (shared) this->fenced([&] { shared(call); });
    if (own && own->on_any_outgoing) this->fenced([&] { own->on_any_outgoing(call); });
  }
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
