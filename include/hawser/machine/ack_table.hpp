// Acknowledgements that are awaited: each is answered, timed out or disconnected, exactly once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/codec/value/tape.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {

/// Called once: with no error and the arguments, an array that is valid until it returns; or with
/// `ack_timeout` or `disconnected`, and a missing value.
using ack_callback = callback<void(std::error_code, value const&)>;

/// The acknowledgements that one server awaits from all of its sockets. Owners are numbers that
/// are never used again. The user of the table keeps the deadlines: every entry is one of a wheel.
class ack_table {
 public:
  /// An acknowledgement awaited; its address is stable until it is taken.
  class entry : public wheel_entry {
   public:
    entry(std::uint8_t kind, std::uint64_t of, std::uint64_t number, ack_callback told)
        : wheel_entry(kind), owner_(of), id_(number), told_(std::move(told)) {}

    std::uint64_t owner() const noexcept { return owner_; }
    std::uint64_t id() const noexcept { return id_; }

   private:
    friend class ack_table;
    std::uint64_t owner_;
    std::uint64_t id_;
    ack_callback told_;
    entry* next_ = nullptr;  // of the same owner
  };

  explicit ack_table(std::uint8_t kind, std::size_t max_per_owner) noexcept
      : kind_(kind), max_per_owner_(max_per_owner) {}

  std::size_t size() const noexcept { return count_; }

  /// Null when the owner has too many already, or one of this number; `told` is untouched then.
  entry* add(std::uint64_t owner, std::uint64_t id, ack_callback& told) {
    list& mine = owners_[owner];
    if (mine.count >= max_per_owner_) return nullptr;
    for (entry* at = mine.first; at; at = at->next_) {
      if (at->id_ == id) return nullptr;
    }
    auto* const added = new entry(kind_, owner, id, std::move(told));
    added->next_ = std::exchange(mine.first, added);
    ++mine.count;
    ++count_;
    return added;
  }

  /// Takes the one that was answered; empty for one that nobody awaits, or no longer.
  ack_callback take(std::uint64_t owner, std::uint64_t id) {
    auto const found = owners_.find(owner);
    if (found == owners_.end()) return {};
    return remove(found, [&](entry const& one) { return one.id_ == id; });
  }

  /// Takes one whose deadline has come.
  ack_callback take(entry& expired) {
    auto const found = owners_.find(expired.owner_);
    if (found == owners_.end()) return {};
    return remove(found, [&](entry const& one) { return &one == &expired; });
  }

  /// Takes all of an owner that has gone.
  std::vector<ack_callback> take_all(std::uint64_t owner) {
    return take_all(owner, [](std::uint64_t) { return false; });
  }
  /// Takes all but those whose id `stays(id)`.
  template <class Stays>
  std::vector<ack_callback> take_all(std::uint64_t owner, Stays&& stays) {
    std::vector<ack_callback> taken;
    auto const found = owners_.find(owner);
    if (found == owners_.end()) return taken;
    list& of = found->second;
    for (entry** at = &of.first; *at;) {
      if (stays((*at)->id_)) {
        at = &(*at)->next_;
      } else {
        taken.push_back(std::move((*at)->told_));
        unlink(of, *at);
      }
    }
    if (of.count == 0) owners_.erase(found);
    return taken;
  }

 private:
  struct list {
    entry* first = nullptr;
    std::size_t count = 0;
    list() = default;
    list(list const&) = delete;
    list& operator=(list const&) = delete;
    ~list() {
      while (first) delete std::exchange(first, first->next_);
    }
  };
  using owners = std::unordered_map<std::uint64_t, list>;

  // `at` is where the list points to the entry.
  void unlink(list& of, entry*& at) noexcept {
    delete std::exchange(at, at->next_);
    --of.count;
    --count_;
  }

  template <class Matches>
  ack_callback remove(owners::iterator at, Matches&& matches) {
    list& of = at->second;
    entry** one = &of.first;
    while (*one && !matches(**one)) one = &(*one)->next_;
    if (!*one) return {};
    ack_callback told = std::move((*one)->told_);
    unlink(of, *one);
    if (of.count == 0) owners_.erase(at);
    return told;
  }

  owners owners_;
  std::size_t count_ = 0;
  std::uint8_t kind_;
  std::size_t max_per_owner_;
};

}  // namespace hawser::inline HAWSER_ABI
