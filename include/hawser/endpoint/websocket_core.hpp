// The engine behind a raw WebSocket server: messages, rooms, broadcasts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/delivery.hpp>
#include <hawser/endpoint/server_core.hpp>
#include <hawser/endpoint/websocket.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Internal to `basic_server` with a framing of raw messages.
template <class Policies>
class websocket_core final
    : public server_core<websocket_core<Policies>, Policies, websocket_host> {
 public:
  using base = server_core<websocket_core<Policies>, Policies, websocket_host>;
  using connection_type = typename base::connection_type;
  using guest_type = no_guest;
  using policies = Policies;
  using options_type = server_options<Policies>;

  // Handlers are erased here, at the seam to the user's code. They get the anchor and an id, of
  // which the façade makes a handle that borrows: no count is taken for a message.
  callback<void(anchor&, connection_id)> on_open;
  callback<void(anchor&, connection_id, message const&)> on_message;
  callback<void(anchor&, connection_id, close_event const&)> on_close;
  callback<void(anchor&, connection_id)> on_drain;

  websocket_core(typename base::executor_type executor, server_options<Policies> options)
      : base(std::move(executor), options), rooms_(options.rooms, options.random.next()) {}

  // -- events of connections ---------------------------------------------------------------------

  void open(connection_type& one) {
    this->count_open();
    one.become_open();
    one.opening.reset();
    if (on_open && !this->fenced([&] { on_open(this->anchored(), one.id); })) this->blame(one);
  }

  void deliver(connection_type& one, message const& what) {
    if (!on_message) return;
    if (!this->fenced([&] { on_message(this->anchored(), one.id, what); })) this->blame(one);
  }

  void drained(connection_type& one) {
    if (!on_drain) return;
    if (!this->fenced([&] { on_drain(this->anchored(), one.id); })) this->blame(one);
  }

  void closed(connection_type& one, close_event const& event) {
    this->count_closed(event);
    if (on_close) this->fenced([&] { on_close(this->anchored(), one.id, event); });
    rooms_.leave_all(one.id.slot);
  }

  std::size_t drainable() const noexcept { return this->slots().size(); }
  bool drain_one(std::size_t index) {
    connection_type* const one = this->slots()[index].connection;
    return one && !one->close(close_code::service_restart, {});
  }

  // -- what handles ask --------------------------------------------------------------------------

  std::error_code send(connection_id id, outgoing const& what, message_key const& key) override {
    connection_type* const one = this->corked();  // mostly the one that has just said something
    if (one && one->id == id && one->cork(what, key)) [[likely]]
      return no_error;
    return send_any(id, what, key);
  }
  std::error_code close(connection_id id, close_code code, std::string_view reason) override {
    connection_type* const one = this->find_connection(id);
    return one ? one->close(code, reason) : this->gone_call();
  }
  std::error_code terminate(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    if (!one) return this->gone_call();
    one->terminate({});
    return {};
  }
  bool is_open(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    return one && one->is_open();
  }
  user_data* data(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    return one ? &one->data : nullptr;
  }
  std::string remote_address(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    return one ? one->stream().remote_address() : std::string();
  }
  std::string_view subprotocol(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    return one ? one->subprotocol() : std::string_view();
  }
  backlog queued(connection_id id) override {
    connection_type* const one = this->find_connection(id);
    return one ? one->queued() : backlog{};
  }
  void flush_one(connection_id id) override {
    if (connection_type* const one = this->find_connection(id)) one->flush_early();
  }
  bool join(connection_id id, std::string_view name) override {
    connection_type* const one = this->find_connection(id);
    return one && one->is_open() && rooms_.join(id.slot, name);
  }
  bool leave(connection_id id, std::string_view name) override {
    return this->find_connection(id) && rooms_.leave(id.slot, name);
  }
  room_id find_room(std::string_view name) override { return rooms_.find(name); }
  std::size_t room_size(room_id id) override { return rooms_.size(id); }

  std::size_t broadcast(audience_view const& to, outgoing const& what,
                        message_key const& key) override {
    delivery<websocket_core> out(*this, {&what, 1}, key, to.except);
    if (to.everyone && to.except_rooms.empty()) {
      for (auto const& at : this->slots()) {
        if (at.connection) out.to(*at.connection);
      }
    } else if (to.everyone) {
      broadcast_outside(to.except_rooms, out);
    } else {
      rooms_.visit(to.rooms, to.except_rooms,
                   {[](void* context, member_id member) {
                      auto& self = *static_cast<delivery<websocket_core>*>(context);
                      self.to(*self.core().slots()[member].connection);
                    },
                    &out});
    }
    return out.taken();
  }

 private:
  friend class delivery<websocket_core>;
  using base::slots;

  // Out of line, so that the few steps above need no stack.
  [[gnu::noinline]] std::error_code send_any(connection_id id, outgoing const& what,
                                             message_key const& key) {
    connection_type* const one = this->find_connection(id);
    return one ? one->send(what, key) : this->gone_call();
  }

  // Everybody who is in none of these rooms: the members are marked first.
  void broadcast_outside(std::span<room_id const> except, delivery<websocket_core>& out) {
    marks_.assign(this->slots().size(), false);
    rooms_.visit(except, {},
                 {[](void* context, member_id member) {
                    static_cast<websocket_core*>(context)->marks_[member] = true;
                  },
                  this});
    for (std::size_t i = 0; i < this->slots().size(); ++i) {
      if (this->slots()[i].connection && !marks_[i]) out.to(*this->slots()[i].connection);
    }
  }

  typename Policies::rooms rooms_;
  std::vector<bool> marks_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
