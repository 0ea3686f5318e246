// Finds things that live elsewhere, in a list for example, by the hash of what they are called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// A hash of bytes that nobody who doesn't know the seed can make collide on purpose.
inline std::uint32_t seeded_hash(std::string_view text, std::uint64_t seed) noexcept {
  // FNV would be enough for speed; the two seeded multiplications keep collisions unpredictable.
  std::uint64_t hash = seed ^ (text.size() * 0x9e3779b97f4a7c15u);
  for (char const c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * (0xff51afd7ed558ccdu ^ (seed << 1));
    hash ^= hash >> 29;
  }
  hash *= 0xc4ceb9fe1a85ec53u + (seed & ~std::uint64_t{1});
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

/// A set of positions, each under a hash; what is at a position and which hash belongs to it is the
/// owner's business. Costs 11 to 22 bytes a position and no allocation of its own; never shrinks.
/// Every operation takes a number of steps that doesn't depend on the size, as long as the hashes
/// are spread evenly: where others choose what is hashed, by `seeded_hash`.
class hash_index {
 public:
  static constexpr std::uint32_t none = 0xffffffff;  ///< no position

  /// The position under that hash of which `is(position)` says true, else `none`.
  template <class Is>
  std::uint32_t find(std::uint32_t hash, Is&& is) const {
    if (slots_.empty()) return none;
    std::size_t at = home_of(hash);
    while (slots_[at].position != none) {
      if (slots_[at].hash == hash && is(slots_[at].position)) return slots_[at].position;
      at = next(at);
    }
    return none;
  }

  /// Preconditions: `position` is not `none`, and is not under that hash yet.
  void insert(std::uint32_t hash, std::uint32_t position) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    put({hash, position});
    ++size_;
  }

  /// Takes out what `insert` was given; nothing if it is not there.
  void erase(std::uint32_t hash, std::uint32_t position) noexcept {
    if (slots_.empty()) return;
    std::size_t at = home_of(hash);
    while (slots_[at].position != position) {
      if (slots_[at].position == none) return;
      at = next(at);
    }
    close_gap(at);
    --size_;
  }

  void clear() noexcept {
    slots_.clear();
    size_ = 0;
  }

  std::size_t size() const noexcept { return size_; }

 private:
  struct slot {
    std::uint32_t hash = 0;
    std::uint32_t position = none;
  };

  std::size_t home_of(std::uint32_t hash) const noexcept { return hash & (slots_.size() - 1); }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

  void put(slot what) noexcept {
    std::size_t at = home_of(what.hash);
    while (slots_[at].position != none) at = next(at);
    slots_[at] = what;
  }

  void grow() {
    std::vector<slot> old(slots_.empty() ? 8 : slots_.size() * 2);
    old.swap(slots_);
    for (slot const one : old) {
      if (one.position != none) put(one);
    }
  }

  // What follows moves up, unless it would come before the place where the search for it begins:
  // so no search ever has to step over what has gone.
  void close_gap(std::size_t gap) noexcept {
    std::size_t const mask = slots_.size() - 1;
    for (std::size_t at = next(gap); slots_[at].position != none; at = next(at)) {
      std::size_t const from_home = (at - home_of(slots_[at].hash)) & mask;
      if (from_home < ((at - gap) & mask)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = {};
  }

  std::vector<slot> slots_;  // a power of two of them, at least a quarter empty
  std::size_t size_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
