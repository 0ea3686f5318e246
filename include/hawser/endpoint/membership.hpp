// Sockets of a Socket.IO server: namespaces, their rooms, how sockets come and go.
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
#include <hawser/endpoint/engine_front.hpp>
#include <hawser/endpoint/nsp_record.hpp>
#include <hawser/machine/recovery.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A namespace with what depends on the policies.
template <class Policies>
struct nsp_state : nsp_record {
  struct recovery {
    recovery_log log;
    saved_sessions sessions;
    std::unordered_map<std::string_view, socket_id> live;  // by pid; keys are views of the sockets
  };

  nsp_state(std::string called, std::uint64_t numbered, std::shared_ptr<nsp_rules> by,
            typename Policies::rooms::options const& limits, std::uint64_t seed)
      : nsp_record(std::move(called), numbered, std::move(by)), rooms(limits, seed) {}

  typename Policies::rooms rooms;      // members are slots of sockets
  std::vector<std::uint32_t> members;  // slots of the connected sockets
  std::size_t sockets = 0;             // those that ask, too
  std::unique_ptr<recovery> recover;
};

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

  session<Core>* in = nullptr;
  std::uint32_t place = 0;  // among the namespace's members
  std::unique_ptr<asking> asks;
  std::string pid;              // secret name for recovery
  std::uint64_t first = 0;      // see `saved_session::first`
  std::uint64_t pinged_at = 0;  // the same for the ping under way
};

/// Second layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class membership : public engine_front<Derived, Policies> {
 public:
  using base = engine_front<Derived, Policies>;
  using session_type = typename base::session_type;
  using nsp_type = nsp_state<Policies>;
  using socket_type = nsp_socket<Derived>;

  std::chrono::milliseconds connect_timeout() const noexcept { return limits_.connect_timeout; }

  // -- namespaces ---------------------------------------------------------------------------------

  /// The namespace of this name, which is made if there is none. Null: no name, or too long.
  nsp_type* of(std::string_view name) {
    std::string full(name.starts_with('/') ? "" : "/");
    full += name;
    if (full.size() > sio::max_namespace_size || full.find(',') != std::string::npos) return nullptr;
    auto const found = by_name_.find(full);
    if (found != by_name_.end()) return found->second.get();
    return add_nsp(std::move(full), std::make_shared<nsp_rules>(), nullptr);
  }

  /// A dynamic namespace: the parent of those whose names `matches` says yes to.
  nsp_type* of(callback<bool(std::string_view, json const&)> matches) {
    auto rules = std::make_shared<nsp_rules>();
    rules->matches = std::move(matches);
    auto made = make_nsp("/_" + std::to_string(parents_.size()), std::move(rules));
    nsp_type* const parent = made.get();
    by_number_.emplace(parent->number, parent);
    parents_.push_back(std::move(made));
    return parent;
  }

  nsp_record* find_nsp(std::uint64_t number) override {
    if (number == root_->number) [[likely]] return root_;
    auto const found = by_number_.find(number);
    return found == by_number_.end() ? nullptr : found->second;
  }
  nsp_type& root() noexcept { return *root_; }

  /// Its children, or itself if it is no parent.
  template <class Visit>
  void for_each_child(nsp_record& in, Visit&& visit) {
    if (!in.rules->matches || in.parent) return visit(static_cast<nsp_type&>(in));
    std::vector<std::uint64_t> children;
    for (auto const& [name, one] : by_name_) {
      if (one->parent == &in) children.push_back(one->number);
    }
    for (std::uint64_t const number : children) {
      if (auto* const one = find_nsp(number)) visit(static_cast<nsp_type&>(*one));
    }
  }

  // -- sockets --------------------------------------------------------------------------------------

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
  std::string_view transport_of(socket_id id) override {
    socket_type* const one = find_socket(id);
    return one ? one->in->transport() : std::string_view();
  }
  backlog queued(socket_id id) override {
    socket_type* const one = find_socket(id);
    return one ? one->in->queued() : backlog{};
  }

  socket_type* socket_in(session_type& in, std::string_view nsp) noexcept {
    for (std::uint32_t const slot : in.sockets) {
      if (sockets_[slot].one->nsp->name == nsp) return sockets_[slot].one.get();
    }
    return nullptr;
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
      while (!in.sockets.empty()) leave_namespace(socket_at(in.sockets.front()));
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
    while (!in.sockets.empty()) end_socket(socket_at(in.sockets.front()), why);
  }

  // -- rooms ----------------------------------------------------------------------------------------

  bool join(socket_id id, std::string_view room) override {
    socket_type* const one = find_connected(id);
    if (!one) return false;
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
      : base(std::move(executor), options),
        limits_(options.sockets),
        recovery_(options.recovery),
        room_limits_(options.rooms) {
    auto const beat = Policies::heartbeat::announced(this->heartbeat_options());
    recovery_.unnoticed = beat.interval + beat.timeout;
    root_ = add_nsp("/", std::make_shared<nsp_rules>(), nullptr);
  }

  nsp_type& nsp_of(socket_record const& one) noexcept { return static_cast<nsp_type&>(*one.nsp); }

  /// For a CONNECT: static namespaces, then dynamic ones in the order in which they were made.
  nsp_type* nsp_for(std::string_view name, json const& auth) {
    auto const found = by_name_.find(name);
    if (found != by_name_.end()) return found->second.get();
    for (auto const& parent : parents_) {
      bool matches = false;
      this->fenced([&] { matches = parent->rules->matches(name, auth); });
      if (!matches) continue;
      if (children_ >= limits_.max_child_namespaces) return nullptr;
      ++children_;
      nsp_type* const child = add_nsp(std::string(name), parent->rules, parent.get());
      if (parent->rules->on_child) {
        this->fenced([&] { parent->rules->on_child(this->anchored(), child->number); });
      }
      return child;
    }
    return nullptr;
  }

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
    in.sockets.push_back(slot);
    ++nsp.sockets;
    sockets_[slot].one = std::move(made);
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
    if (was_connected && rules->on_disconnecting) {
      this->fenced([&] { rules->on_disconnecting(this->anchored(), at, why); });
      if (!find_connected(at)) return;  // its handler ended it
    }
    one.state = socket_record::stage::over;
    std::vector<std::string> rooms;
    bool const saves = was_connected && in.recover && is_recoverable(why);
    if (saves || rules->on_room) rooms = room_list(one);
    if (was_connected) unseat(one, in, rooms);
    session_type& of = *one.in;
    std::erase(of.sockets, at.slot);
    if (one.asks) forget_asking(one);
    this->derived().abandon_acks(one);
    if (was_connected && rules->on_disconnect) {
      this->fenced([&] { rules->on_disconnect(this->anchored(), at, why); });
    }
    if (in.recover) in.recover->live.erase(one.pid);
    if (saves) {
      in.recover->sessions.save(
          one.pid, {std::string(one.id()), std::move(rooms), std::move(one.data), one.first},
          this->now());
    }
    ++sockets_[at.slot].generation;
    free_slots_.push_back(at.slot);
    this->retire(std::move(sockets_[at.slot].one));  // handlers up the stack may look at it
    if (of.is_open() && of.sockets.empty()) {
      of.set_connect_deadline(this->now() + limits_.connect_timeout);
    }
    if (--in.sockets == 0 && in.parent && limits_.cleanup_empty_children) remove_child(in);
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

  /// Everything goes without a word.
  void free_sockets() noexcept {
    for (auto& at : sockets_) {
      if (at.one && at.one->asks) this->unschedule(*at.one->asks);
      at.one.reset();
      ++at.generation;
    }
  }

  std::size_t socket_slots() const noexcept { return sockets_.size(); }

  socketio_limits limits_;
  recovery_options recovery_;
  std::size_t asking_ = 0;  // sockets that wait for a decision

 private:
  struct socket_slot {
    std::unique_ptr<socket_type> one;
    std::uint32_t generation = 0;
  };
  struct hasher {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  std::unique_ptr<nsp_type> make_nsp(std::string name, std::shared_ptr<nsp_rules> rules) {
    auto made = std::make_unique<nsp_type>(std::move(name), next_number_++, std::move(rules),
                                           room_limits_, this->random().next());
    if (recovery_.enabled) {
      made->recover.reset(new typename nsp_type::recovery{
          recovery_log(recovery_, this->random().next()), saved_sessions(recovery_), {}});
    }
    return made;
  }

  nsp_type* add_nsp(std::string name, std::shared_ptr<nsp_rules> rules, nsp_record* parent) {
    auto made = make_nsp(name, std::move(rules));
    made->parent = parent;
    nsp_type* const added = made.get();
    by_number_.emplace(added->number, added);
    by_name_.emplace(std::move(name), std::move(made));
    return added;
  }

  void remove_child(nsp_type& in) {
    --children_;
    by_number_.erase(in.number);
    auto node = by_name_.extract(std::string(in.name));
    this->retire(std::move(node.mapped()));
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

  typename Policies::rooms::options room_limits_;
  std::unordered_map<std::string, std::unique_ptr<nsp_type>, hasher, std::equal_to<>> by_name_;
  std::unordered_map<std::uint64_t, nsp_type*> by_number_;
  std::vector<std::unique_ptr<nsp_type>> parents_;
  nsp_type* root_ = nullptr;
  std::uint64_t next_number_ = 1;
  std::size_t children_ = 0;
  std::vector<socket_slot> sockets_;
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
