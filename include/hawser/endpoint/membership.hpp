// Sockets of a Socket.IO server: how they come and go, and their rooms.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/sio/packet.hpp>
#include <hawser/endpoint/namespaces.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Its part of a server's socket that handles don't see.
template <class Core>
struct nsp_socket : socket_record {
  /// What it waits for before it is connected.
  struct asking : wheel_entry {
    explicit asking(nsp_socket& who)
        : wheel_entry(static_cast<std::uint8_t>(deadline_kind::asking)), of(who) {}
    nsp_socket& of;
    std::shared_ptr<answer_slot> slot;
    std::vector<std::shared_ptr<nsp_rules::middleware>> chain;
    std::size_t next = 0;
    bool authenticated = false;
  };

  /// What it has while it is connected in a namespace whose sockets can be recovered.
  struct recovery {
    std::string pid;              // secret name
    std::uint64_t first = 0;      // see `saved_session::first`
    std::uint64_t pinged_at = 0;  // the same for the ping under way
  };

  session<Core>* in = nullptr;
  std::uint32_t place = 0;                      // among the namespace's members
  std::uint32_t next = socket_record::no_slot;  // slot of the next socket of its session
  std::unique_ptr<asking> asks;
  std::unique_ptr<recovery> recover;
};

/// Fourth layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class membership : public namespaces<Derived, Policies> {
 public:
  using base = namespaces<Derived, Policies>;
  using session_type = typename base::session_type;
  using nsp_type = typename base::nsp_type;
  using socket_type = nsp_socket<Derived>;

  // -- sockets -----------------------------------------------------------------------------------

  socket_record* find(socket_id id) override { return find_socket(id); }
  socket_type* find_socket(socket_id id) noexcept {
    if (id.slot >= sockets_.size() || sockets_[id.slot].generation != id.generation) return nullptr;
    return sockets_[id.slot].one.get();
  }
  socket_type* find_connected(socket_id id) noexcept {
    socket_type* const one = find_socket(id);
    return one && one->state == socket_record::stage::connected ? one : nullptr;
  }
  socket_type& socket_at(std::uint32_t slot) noexcept { return *sockets_[slot].one; }

  // The sockets of a session in the order in which they came, those that still ask among them.
  socket_type* first_of(session_type& in) noexcept { return linked(in.first_socket); }
  socket_type* next_of(socket_type& one) noexcept { return linked(one.next); }
  std::size_t socket_count(session_type& in) noexcept {
    std::size_t count = 0;
    for (socket_type* one = first_of(in); one; one = next_of(*one)) ++count;
    return count;
  }

  std::string_view transport_of(socket_id id) override {
    socket_type* const one = find_socket(id);
    return one ? one->in->transport() : std::string_view();
  }
  backlog queued(socket_id id) override {
    socket_type* const one = find_socket(id);
    return one ? one->in->queued() : backlog{};
  }
  void flush_one(socket_id to) override {
    socket_type* const one = find_socket(to);
    if (one && one->in->carrier()) one->in->carrier()->flush_early();
  }

  socket_type* socket_in(session_type& in, std::string_view nsp) noexcept {
    socket_type* one = first_of(in);
    while (one && one->nsp->name != nsp) one = next_of(*one);
    return one;
  }

  std::error_code disconnect(socket_id id, bool close) override {
    socket_type* const one = find_connected(id);
    if (!one) return this->gone_call();
    typename base::turn const held(*this);
    session_type& in = *one->in;
    in.retain();
    if (!close) {
      leave_namespace(*one);
    } else {
      while (in.has_sockets() && !this->gone()) leave_namespace(*first_of(in));
      this->end_session(in, disconnect_reason::forced_server_close);
    }
    in.release();
    return {};
  }

  std::error_code close_connection(socket_id id) override {
    socket_type* const one = find_connected(id);
    if (!one) return this->gone_call();
    typename base::turn const held(*this);
    this->end_session(*one->in, disconnect_reason::forced_close);
    return {};
  }

  /// A session is over, and its sockets are.
  void session_ended(session_type& in, disconnect_reason why) {
    while (in.has_sockets() && !this->gone()) end_socket(*first_of(in), why);
  }

  // -- rooms -------------------------------------------------------------------------------------

  bool join(socket_id id, std::string_view room) override {
    socket_type* const one = find_connected(id);
    if (!one) return false;
    typename base::turn const held(*this);
    auto& guard = one->nsp->rules->may_join;
    if (guard && !guard_says(guard, one->at, room)) {
      ++this->counters_.joins_refused;
      return false;
    }
    socket_type* const still = find_connected(id);  // the guard may have ended it
    return still && enter(*still, room);
  }
  bool leave(socket_id id, std::string_view room) override {
    socket_type* const one = find_connected(id);
    if (!one) return false;
    typename base::turn const held(*this);
    nsp_type& in = nsp_of(*one);
    if (!in.rules->on_room) return in.rooms.leave(id.slot, room);
    std::string const name(room);  // it may be a view of what the handler changes
    if (!in.rooms.leave(id.slot, name)) return false;
    tell(in, {room_event::type::leave, name, one->id()});
    if (in.rooms.size(in.rooms.find(name)) == 0) tell(in, {room_event::type::remove, name, {}});
    return true;
  }
  std::vector<std::string> rooms_of(socket_id id) override {
    socket_type* const one = find_socket(id);
    return one ? room_list(*one) : std::vector<std::string>();
  }
  room_id find_room(nsp_record& in, std::string_view name) override {
    return static_cast<nsp_type&>(in).rooms.find(name);
  }
  std::size_t room_size(nsp_record& in, room_id id) override {
    return static_cast<nsp_type&>(in).rooms.size(id);
  }

  void keep(callback<void()> old) override { this->retire(std::move(old)); }

 protected:
  membership(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options) {}

  nsp_type& nsp_of(socket_record const& one) noexcept { return static_cast<nsp_type&>(*one.nsp); }

  socket_type& add_socket(session_type& in, nsp_type& nsp, std::unique_ptr<json> auth) {
    auto made = std::make_unique<socket_type>();
    std::array<std::byte, 15> raw;
    this->random()(raw);
    std::memcpy(made->name.data(), codec::base64url_encode(raw).data(), made->name.size());
    made->nsp = &nsp;
    made->in = &in;
    made->handshake = in.handshake;
    made->auth = std::move(auth);
    std::uint32_t slot;
    if (free_slots_.empty()) {
      slot = static_cast<std::uint32_t>(sockets_.size());
      sockets_.emplace_back();
      free_slots_.reserve(sockets_.capacity());
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    made->at = {slot, sockets_[slot].generation};
    sockets_[slot].one = std::move(made);
    link_to(in, socket_record::no_slot) = slot;
    ++nsp.sockets;
    return *sockets_[slot].one;
  }

  /// It counts as connected from here on.
  void seat(socket_type& one) {
    nsp_type& in = nsp_of(one);
    one.state = socket_record::stage::connected;
    one.place = static_cast<std::uint32_t>(in.members.size());
    in.members.push_back(one.at.slot);
    enter(one, one.id());
  }

  bool enter(socket_type& one, std::string_view room) {
    nsp_type& in = nsp_of(one);
    if (!in.rules->on_room) return in.rooms.join(one.at.slot, room);
    bool const is_new = in.rooms.size(in.rooms.find(room)) == 0;
    if (!in.rooms.join(one.at.slot, room)) return false;
    std::string const name(room);
    if (is_new) tell(in, {room_event::type::create, name, {}});
    tell(in, {room_event::type::join, name, one.id()});
    return true;
  }

  /// Ends a socket, with its events. `one` is gone after this.
  void end_socket(socket_type& one, disconnect_reason why) {
    if (one.state == socket_record::stage::over) return;
    nsp_type& in = nsp_of(one);
    auto const rules = in.rules;
    bool const was_connected = one.state == socket_record::stage::connected;
    socket_id const at = one.at;
    // Told once: its handler may itself end the socket.
    if (one.announced && rules->on_disconnecting && !std::exchange(one.leaving, true)) {
      this->fenced([&] { rules->on_disconnecting(this->anchored(), at, why); });
      if (!find_connected(at)) return;  // its handler ended it
    }
    one.state = socket_record::stage::over;
    session_type& of = *one.in;
    link_to(of, at.slot) = one.next;  // before anybody is told: whoever is may end the session
    std::vector<std::string> rooms;
    bool const saves = was_connected && in.recover && is_recoverable(why);
    if (saves || rules->on_room) rooms = room_list(one);
    if (was_connected) unseat(one, in, rooms);
    if (this->gone()) return;
    if (one.asks) forget_asking(one);
    this->derived().abandon_acks(one);
    if (one.announced && rules->on_disconnect) {
      this->fenced([&] { rules->on_disconnect(this->anchored(), at, why); });
    }
    if (this->gone()) return;
    if (one.recover) in.recover->live.erase(one.recover->pid);
    if (saves) {
      in.recover->sessions.prune(this->now());
      in.recover->sessions.save(
          one.recover->pid,
          {std::string(one.id()), std::move(rooms), std::move(one.data), one.recover->first},
          this->now());
    }
    ++sockets_[at.slot].generation;
    free_slots_.push_back(at.slot);
    this->retire(std::move(sockets_[at.slot].one));  // handlers up the stack may look at it
    if (of.is_open() && !of.has_sockets()) {
      of.set_connect_deadline(this->now() + this->limits_.connect_timeout);
    }
    if (--in.sockets == 0 && in.parent && this->limits_.cleanup_empty_children)
      this->remove_child(in);
  }

  void leave_namespace(socket_type& one) {
    this->derived().send_packet(one, {.type = sio::packet_type::disconnect, .nsp = one.nsp->name});
    end_socket(one, disconnect_reason::server_namespace_disconnect);
  }

  void forget_asking(socket_type& one) noexcept {
    this->unschedule(*one.asks);
    this->retire(std::move(one.asks));
    --asking_;
  }

  std::vector<std::string> room_list(socket_type& one) {
    std::vector<std::string> names;
    nsp_of(one).rooms.visit_rooms(
        one.at.slot, {[](void* list, std::string_view name) {
                        static_cast<std::vector<std::string>*>(list)->emplace_back(name);
                      },
                      &names});
    return names;
  }

  template <class Guard, class... Args>
  bool guard_says(Guard& guard, Args const&... args) {
    bool yes = false;  // one that throws says no
    this->fenced([&] { yes = guard(this->anchored(), args...); });
    return yes;
  }

  /// Everything goes without a word. Handlers up the stack may be of one of them.
  void free_sockets() noexcept {
    for (auto& at : sockets_) {
      if (!at.one) continue;
      at.one->state = socket_record::stage::over;
      if (at.one->asks) this->unschedule(*at.one->asks);
      this->retire(std::move(at.one));
      at.one.reset();
      ++at.generation;
    }
  }

  std::size_t socket_slots() const noexcept { return sockets_.size(); }

  std::size_t asking_ = 0;  // sockets that wait for a decision

 private:
  struct socket_slot {
    std::unique_ptr<socket_type> one;
    std::uint32_t generation = 0;
  };
  socket_type* linked(std::uint32_t slot) noexcept {
    return slot == socket_record::no_slot ? nullptr : sockets_[slot].one.get();
  }
  // What leads to this socket of the session, or, for none, to the next that comes.
  std::uint32_t& link_to(session_type& in, std::uint32_t slot) noexcept {
    std::uint32_t* link = &in.first_socket;
    while (*link != slot) link = &sockets_[*link].one->next;
    return *link;
  }

  void unseat(socket_type& one, nsp_type& in, std::vector<std::string> const& rooms) {
    std::uint32_t const last = in.members.back();
    in.members[one.place] = last;
    sockets_[last].one->place = one.place;
    in.members.pop_back();
    if (!in.rules->on_room) return in.rooms.leave_all(one.at.slot);
    for (std::string const& room : rooms) {
      in.rooms.leave(one.at.slot, room);
      tell(in, {room_event::type::leave, room, one.id()});
      if (in.rooms.size(in.rooms.find(room)) == 0) tell(in, {room_event::type::remove, room, {}});
    }
  }

  void tell(nsp_type& in, room_event const& what) {
    auto const rules = in.rules;
    this->fenced([&] { rules->on_room(what); });
  }

  std::vector<socket_slot> sockets_;
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
