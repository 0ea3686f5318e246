// Rooms: who is in what, and how the union of several is walked.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <hawser/core/config.hpp>
#include <hawser/core/hash_index.hpp>
#include <hawser/policy/room_record.hpp>

namespace hawser::inline HAWSER_ABI {

/// A connection as rooms see it: a small dense number, reused after `leave_all`.
using member_id = std::uint32_t;

/// A room that was found by name. Ids of rooms that have emptied never name a later room.
struct room_id {
  std::uint32_t index = none;
  std::uint32_t generation = 0;
  static constexpr std::uint32_t none = 0xffffffff;
  explicit operator bool() const noexcept { return index != none; }
  bool operator==(room_id const&) const noexcept = default;
};

/// A walk over members; a plain function and a pointer, so that the policy is compiled once.
struct member_visitor {
  void (*call)(void* context, member_id member);
  void* context;
};

/// A walk over the names of rooms, likewise.
struct room_visitor {
  void (*call)(void* context, std::string_view name);
  void* context;
};

/// Keeps the membership of one server. Names are bytes, compared exactly.
///
/// *Semantics*: `join` and `leave` answer whether anything changed, and so false too when a
/// limit is in the way; `leave_all` is called once for a connection that ended. `visit` calls the
/// visitor for every member of any of `in` that is in none of `except`, each once; the visitor
/// changes nothing; `visit_rooms` walks the rooms of one member. A room exists while it has
/// members.
/// *Exemplar*: `no_rooms`. *Models*: `hash_rooms`, `no_rooms`.
template <class R>
concept room_policy =
    std::movable<R> && std::constructible_from<R, typename R::options const&, std::uint64_t> &&
    requires(R r, R const c, member_id member, std::string_view name, room_id id,
             std::span<room_id const> ids, member_visitor visitor, room_visitor named) {
      { r.join(member, name) } -> std::same_as<bool>;
      { r.leave(member, name) } -> std::same_as<bool>;
      { r.leave_all(member) } -> std::same_as<void>;
      { c.find(name) } -> std::same_as<room_id>;
      { c.size(id) } -> std::same_as<std::size_t>;
      { r.visit(ids, ids, visitor) } -> std::same_as<void>;
      { c.visit_rooms(member, named) } -> std::same_as<void>;
    };

/// Rooms in a hash table whose hash is seeded by the server, so that names chosen by clients
/// can't collide on purpose; with a given seed every walk has a fixed order. Joining, leaving and
/// each step of a walk cost constant time.
class hash_rooms {
 public:
  struct options {
    std::size_t max_rooms_per_member = 256;
    std::size_t max_room_name = 255;  ///< bytes
  };

  hash_rooms(options const& limits, std::uint64_t seed) : limits_(limits), seed_(seed) {}
  hash_rooms(hash_rooms&&) = default;
  hash_rooms& operator=(hash_rooms&&) = default;

  bool join(member_id member, std::string_view name) {
    if (name.size() > limits_.max_room_name) return false;
    if (member >= members_.size()) members_.resize(member + 1);
    auto& mine = members_[member];
    if (mine.count >= limits_.max_rooms_per_member) return false;
    std::uint32_t const room = find_or_create(name);
    if (seat_of(member, room) != none) return false;
    std::uint32_t const at_seat = new_seat();
    room_record& in = room_at(room);
    seats_[at_seat] = {member, room, in.size(), mine.first};
    in.add(at_seat);
    mine.first = at_seat;
    ++mine.count;
    return true;
  }

  bool leave(member_id member, std::string_view name) {
    std::uint32_t const room = index_of(name, seeded_hash(name, seed_));
    if (room == none || member >= members_.size()) return false;
    std::uint32_t* at = &members_[member].first;
    while (*at != none && seats_[*at].room != room) at = &seats_[*at].next;
    if (*at == none) return false;
    std::uint32_t const at_seat = *at;
    *at = seats_[at_seat].next;
    --members_[member].count;
    remove_from_room(at_seat);
    return true;
  }

  void leave_all(member_id member) {
    if (member >= members_.size()) return;
    std::uint32_t at_seat = members_[member].first;
    members_[member] = {};
    while (at_seat != none) {
      std::uint32_t const next = seats_[at_seat].next;
      remove_from_room(at_seat);
      at_seat = next;
    }
  }

  void visit_rooms(member_id member, room_visitor visitor) const {
    if (member >= members_.size()) return;
    for (std::uint32_t at = members_[member].first; at != none; at = seats_[at].next) {
      visitor.call(visitor.context, room_at(seats_[at].room).name());
    }
  }

  room_id find(std::string_view name) const {
    std::uint32_t const found = index_of(name, seeded_hash(name, seed_));
    if (found == none) return {};
    return {found, room_at(found).generation()};
  }

  /// Members of a room; 0 for one that has emptied since it was found.
  std::size_t size(room_id id) const {
    room_record const* const found = live(id);
    return found ? found->size() : 0;
  }

  std::size_t room_count() const noexcept { return names_.size(); }

  void visit(std::span<room_id const> in, std::span<room_id const> except, member_visitor visitor) {
    bool const several = in.size() > 1 || !except.empty();
    if (several) {
      ++walk_;
      marks_.resize(members_.size());
    }
    for (room_id const id : except) {
      room_record const* const room = live(id);
      if (!room) continue;
      for (std::uint32_t const at_seat : room->seats()) marks_[seats_[at_seat].member] = walk_;
    }
    for (room_id const id : in) {
      room_record const* const room = live(id);
      if (!room) continue;
      for (std::uint32_t const at_seat : room->seats()) {
        member_id const member = seats_[at_seat].member;
        if (several) {
          if (marks_[member] == walk_) continue;
          marks_[member] = walk_;
        }
        visitor.call(visitor.context, member);
      }
    }
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint32_t piece_size = 16;

  struct seat {
    member_id member;
    std::uint32_t room;
    std::uint32_t position;  // among the room's members
    std::uint32_t next;      // of the same member, or the next free seat
  };
  struct membership {
    std::uint32_t first = none;
    std::uint32_t count = 0;
  };

  room_record& room_at(std::uint32_t index) const noexcept {
    return pieces_[index / piece_size][index % piece_size];
  }

  room_record const* live(room_id id) const noexcept {
    if (id.index >= rooms_) return nullptr;
    room_record const& room = room_at(id.index);
    return room.generation() == id.generation && room.size() > 0 ? &room : nullptr;
  }

  std::uint32_t index_of(std::string_view name, std::uint32_t hash) const {
    return names_.find(hash, [&](std::uint32_t at) { return room_at(at).name() == name; });
  }

  std::uint32_t find_or_create(std::string_view name) {
    std::uint32_t const hash = seeded_hash(name, seed_);
    std::uint32_t index = index_of(name, hash);
    if (index != none) return index;
    if (free_rooms_.empty()) {
      if (rooms_ == pieces_.size() * piece_size) {
        pieces_.push_back(std::make_unique<room_record[]>(piece_size));
      }
      index = rooms_++;
    } else {
      index = free_rooms_.back();
      free_rooms_.pop_back();
    }
    room_at(index).open(name, hash);
    names_.insert(hash, index);
    return index;
  }

  std::uint32_t seat_of(member_id member, std::uint32_t in) const noexcept {
    std::uint32_t at = members_[member].first;
    while (at != none && seats_[at].room != in) at = seats_[at].next;
    return at;
  }

  std::uint32_t new_seat() {
    if (free_seat_ == none) {
      seats_.emplace_back();
      return static_cast<std::uint32_t>(seats_.size() - 1);
    }
    std::uint32_t const taken = free_seat_;
    free_seat_ = seats_[taken].next;
    return taken;
  }

  // The last member takes the place of the one that leaves; an empty room goes at once.
  void remove_from_room(std::uint32_t index) {
    seat const gone = seats_[index];
    room_record& in = room_at(gone.room);
    seats_[in.remove_at(gone.position)].position = gone.position;
    seats_[index].next = free_seat_;
    free_seat_ = index;
    if (in.size() > 0) return;
    names_.erase(in.hash(), gone.room);
    in.close();
    free_rooms_.push_back(gone.room);
  }

  options limits_;
  std::uint64_t seed_;
  hash_index names_;
  std::vector<std::unique_ptr<room_record[]>> pieces_;  // growing leaves little unused
  std::uint32_t rooms_ = 0;                             // those that have ever been open at once
  std::vector<std::uint32_t> free_rooms_;
  std::vector<seat> seats_;
  std::uint32_t free_seat_ = none;
  std::vector<membership> members_;
  std::vector<std::uint64_t> marks_;  // the last walk that met the member
  std::uint64_t walk_ = 0;
};

/// For servers without rooms: nobody is in any, and it costs nothing.
class no_rooms {
 public:
  struct options {};
  no_rooms(options const&, std::uint64_t) noexcept {}
  bool join(member_id, std::string_view) noexcept { return false; }
  bool leave(member_id, std::string_view) noexcept { return false; }
  void leave_all(member_id) noexcept {}
  void visit_rooms(member_id, room_visitor) const noexcept {}
  room_id find(std::string_view) const noexcept { return {}; }
  std::size_t size(room_id) const noexcept { return 0; }
  void visit(std::span<room_id const>, std::span<room_id const>, member_visitor) noexcept {}
};

}  // namespace hawser::inline HAWSER_ABI
