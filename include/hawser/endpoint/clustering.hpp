// The other servers of a cluster: operations that go to them, and theirs that come here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/view_of.hpp>
#include <hawser/endpoint/connecting.hpp>
#include <hawser/policy/adapter.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Eighth layer of `socketio_core` (`Derived`): nothing at all with an adapter that is alone.
template <class Derived, class Policies>
class clustering : public connecting<Derived, Policies> {
 public:
  using base = connecting<Derived, Policies>;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;
  using adapter = typename Policies::adapter;

  // -- what goes out -----------------------------------------------------------------------------

  void nsp_added(nsp_type& one) { (void)adapter_->open(one.name); }
  void nsp_removed(nsp_type& one) { adapter_->close(one.name); }
  std::size_t others(nsp_record& in) const { return adapter_->others(in.name); }

  /// Hands an operation on local sockets, which has been carried out here, to the others.
  std::error_code publish(cluster_operation what, nsp_record& in, broadcast_target const& to,
                          emit_flags const& how = {}, payload_source event = {}) {
    std::vector<std::string_view> rooms, except;
    for (room_name const& one : to.to) rooms.push_back(one.name);
    for (room_name const& one : to.except) except.push_back(one.name);
    socket_type* const left_out = to.except_socket ? this->find_socket(*to.except_socket) : nullptr;
    if (left_out) except.push_back(left_out->id());
    what.nsp = in.name;
    what.to = view_of(rooms);
    what.except = view_of(except);
    what.write_event = event.write;
    what.event = event.self;
    what.droppable = how.droppable;
    what.compress = how.compress;
    what.timeout = how.timeout.count() > 0 ? how.timeout : this->limits_.ack_timeout;
    return adapter_->publish(what);
  }

  /// Describes the sockets of the others, too.
  void ask_others(nsp_record& in, broadcast_target const& who, emit_flags const& how,
                  std::vector<socket_description> found,
                  callback<void(std::error_code, std::vector<socket_description>)> told) {
    request asked;
    asked.found = std::move(found);
    asked.described = std::move(told);
    send_request({.verb = cluster_verb::fetch}, in, who, how, {}, std::move(asked));
  }

  /// Asks the sockets of the others for acknowledgements: `told` as of `broadcast_with_ack`.
  void ask_others(nsp_record& in, broadcast_target const& to, payload_source event,
                  emit_flags const& how, broadcast_ack_callback told) {
    request asked;
    asked.acknowledged = std::move(told);
    send_request({.verb = cluster_verb::broadcast_with_ack}, in, to, how, event, std::move(asked));
  }

 protected:
  clustering(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        inbox_(*this),
        adapter_(std::in_place, options.adapter, inbox_) {
    if constexpr (!adapter::alone) nsp_added(this->root());
  }

  /// The façade goes, and the adapter with it: it may hold what doesn't outlive the server.
  void leave_cluster() noexcept {
    adapter_.reset();
    requests_.clear();
  }

 private:
  // Something that was asked of the others.
  struct request {
    std::vector<socket_description> found;
    callback<void(std::error_code, std::vector<socket_description>)> described;
    broadcast_ack_callback acknowledged;
  };

  // What the adapter tells.
  class inbox final : public cluster_inbox {
   public:
    explicit inbox(clustering& at) noexcept : at_(at) {}
    void perform(cluster_operation const& what) override {
      if constexpr (!adapter::alone) at_.perform(what);
    }
    void asked(std::uint64_t, std::size_t) override {}  // the adapter knows when it is over
    void answered(std::uint64_t number, value arguments) override {
      if (request* const one = at_.find_request(number); one && one->acknowledged) {
        at_.fenced([&] { one->acknowledged({}, &arguments); });
      }
    }
    void found(std::uint64_t number, cluster_socket const& one) override {
      request* const of = at_.find_request(number);
      if (!of) return;
      socket_description made{std::string(one.id), {}, json(one.data), json(one.handshake)};
      for (value const room : one.rooms.elements()) {
        if (auto const name = room.string()) made.rooms.emplace_back(*name);
      }
      of->found.push_back(std::move(made));
    }
    void finished(std::uint64_t number, std::error_code error) override {
      auto node = at_.requests_.extract(number);
      if (node.empty()) return;
      request& one = node.mapped();
      typename base::turn const held(at_);
      at_.fenced([&] {
        if (one.described) one.described(error, std::move(one.found));
        if (one.acknowledged) one.acknowledged(error, nullptr);
      });
    }

   private:
    clustering& at_;
  };

  void send_request(cluster_operation what, nsp_record& in, broadcast_target const& to,
                    emit_flags const& how, payload_source event, request asked) {
    std::uint64_t const number = next_request_++;
    requests_.emplace(number, std::move(asked));
    what.request = number;
    if (auto const error = publish(what, in, to, how, event)) inbox_.finished(number, error);
  }

  request* find_request(std::uint64_t number) {
    auto const found = requests_.find(number);
    return found == requests_.end() ? nullptr : &found->second;
  }

  // Carries out what another server did to its own sockets.
  void perform(cluster_operation const& what) {
    typename base::turn const held(*this);
    nsp_type* const in = this->find_named(what.nsp);
    if (!in) return;
    std::vector<room_name> rooms, except;
    for (std::string_view const name : what.to) rooms.push_back({name});
    for (std::string_view const name : what.except) except.push_back({name});
    broadcast_target const to{view_of(rooms), view_of(except), {}};
    emit_flags const how{.droppable = what.droppable,
                         .compress = what.compress,
                         .local = true,
                         .timeout = what.timeout};
    payload_source const event{what.write_event, what.event};
    switch (what.verb) {
      case cluster_verb::broadcast: this->broadcast(*in, to, event, how); return;
      case cluster_verb::broadcast_with_ack: return ask_here(what.request, *in, to, event, how);
      case cluster_verb::join: return this->join_all(*in, to, true, what.rooms, false);
      case cluster_verb::leave: return this->join_all(*in, to, true, what.rooms, true);
      case cluster_verb::disconnect: return this->disconnect_all(*in, to, true, what.close);
      case cluster_verb::fetch: return describe_here(what.request, *in, to);
      case cluster_verb::server_side_emit: return on_server_event(*in, event);
    }
  }

  void ask_here(std::uint64_t number, nsp_type& in, broadcast_target const& to,
                payload_source event, emit_flags const& how) {
    std::size_t count = 0;
    this->visit(in, to, [&count](socket_record&) { ++count; });
    adapter_->answer({.request = number, .is_count = true, .count = count});
    this->broadcast_with_ack(in, to, event, how, [this, number](std::error_code, value const* one) {
      if (one) adapter_->answer({.request = number, .arguments = *one});
    });
  }

  void describe_here(std::uint64_t number, nsp_type& in, broadcast_target const& who) {
    this->visit(in, who, [this, number](socket_record& one) {
      socket_description const all = this->describe_socket(static_cast<socket_type&>(one));
      json rooms = json::array();
      for (std::string const& room : all.rooms) rooms.push_back(room);
      encoded const room_list(rooms), data(all.data), handshake(all.handshake);
      cluster_socket const described{all.id, room_list.root(), data.root(), handshake.root()};
      adapter_->answer({.request = number, .socket = &described});
    });
  }

  void on_server_event(nsp_type& in, payload_source event) {
    encoded const what(event);
    auto const name = what.root()[0].string();
    if (!name) return;
    event_call call{this->anchored(), {}, {*name, what.root()}, {}};
    auto const rules = in.rules;
    (void)rules->server_events->call(
        *name, [&](event_handler& handler) { this->fenced([&] { handler(call); }); });
  }

  // A value on a tape, of something that can be written.
  class encoded {
   public:
    explicit encoded(json const& what) {
      value_writer writer(bytes_, value_format::msgpack);
      write_value(writer, what);
      parse();
    }
    explicit encoded(payload_source what) {
      value_writer writer(bytes_, value_format::msgpack);
      what.write(what.self, writer, {});
      parse();
    }
    value root() const noexcept { return tape_.root(); }

   private:
    void parse() {
      constexpr std::size_t none = static_cast<std::size_t>(-1);  // it was written here
      (void)parse_msgpack(bytes_.view(), {none, none, none}, tape_);
    }
    byte_buffer bytes_;
    value_tape tape_;
  };

  inbox inbox_;
  std::map<std::uint64_t, request> requests_;
  std::uint64_t next_request_ = 1;
  std::optional<adapter> adapter_;  // until the façade goes
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
