// Whom a Socket.IO broadcast means: the sockets of rooms, each once, less those that are left out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <hawser/endpoint/membership.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Fifth layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class targeting : public membership<Derived, Policies> {
 public:
  using base = membership<Derived, Policies>;
  using nsp_type = typename base::nsp_type;
  using socket_type = typename base::socket_type;

 protected:
  using base::base;

  // Slots of the sockets that are meant, each once; those that a guard refuses aren't.
  std::vector<std::uint32_t> targets_of(nsp_type& in, broadcast_target const& to,
                                        bool receive = true) {
    std::vector<std::uint32_t> list = std::move(spare_);
    list.clear();
    auto const ids = [&](std::span<room_name const> names) {
      small_list<room_id, 4> found;
      for (room_name const& one : names) {
        room_id const id = one.id ? one.id : in.rooms.find(one.name);
        if (id) found.push_back(id);
      }
      return found;
    };
    auto const except = ids(to.except);
    member_visitor const add{[](void* at, member_id member) {
                               static_cast<std::vector<std::uint32_t>*>(at)->push_back(member);
                             },
                             &list};
    if (!to.to.empty()) {
      in.rooms.visit(ids(to.to).view(), except.view(), add);
    } else if (except.empty()) {
      list = in.members;
    } else {
      in.rooms.visit(except.view(), {}, add);
      std::sort(list.begin(), list.end());
      std::vector<std::uint32_t> const out = std::move(list);
      list.clear();
      for (std::uint32_t const slot : in.members) {
        if (!std::binary_search(out.begin(), out.end(), slot)) list.push_back(slot);
      }
    }
    // Its slot may be another's by now.
    if (to.except_socket && this->find_socket(*to.except_socket)) {
      std::erase(list, to.except_socket->slot);
    }
    if (receive && in.rules->may_receive) ask_guard(in, list);
    return list;
  }

  void give_back(std::vector<std::uint32_t> list) noexcept {
    if (list.capacity() > spare_.capacity()) spare_ = std::move(list);
  }

  void ask_guard(nsp_type& in, std::vector<std::uint32_t>& list) {
    auto const rules = in.rules;
    std::vector<socket_id> ids;
    for (std::uint32_t const slot : list) ids.push_back(this->socket_at(slot).at);
    list.clear();
    std::erase_if(ids, [&](socket_id id) {
      if (!this->find_connected(id)) return true;  // the guard may have ended it
      bool const yes = this->guard_says(rules->may_receive, id);
      this->counters_.events_refused += yes ? 0 : 1;
      return !yes;
    });
    for (socket_id const id : ids) {  // or one that it was asked about before
      if (this->find_connected(id)) list.push_back(id.slot);
    }
  }

  template <class Each>
  void for_each_target(nsp_record& in, broadcast_target const& who, Each&& each) {
    typename base::turn const held(*this);
    this->for_each_child(in, [&](nsp_type& one) {
      std::vector<socket_id> ids;
      for (std::uint32_t const slot : targets_of(one, who, false)) {
        ids.push_back(this->socket_at(slot).at);
      }
      for (socket_id const id : ids) {
        if (socket_type* const still = this->find_connected(id)) each(*still);
      }
    });
  }

 private:
  std::vector<std::uint32_t> spare_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
