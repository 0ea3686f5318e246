// Random numbers that are the same for the same seed, on every machine.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <hawser/core/bytes.hpp>
#include <hawser/core/random.hpp>

namespace hawser::inline HAWSER_ABI {

/// xoshiro256** seeded through splitmix64: fast, of good quality, and predictable, thus for tests
/// only. Has to outlive every `source()`. A `std::uniform_random_bit_generator` too, but standard
/// distributions differ between standard libraries: the members here don't.
class seeded_random {
 public:
  using result_type = std::uint64_t;

  explicit seeded_random(std::uint64_t seed) noexcept {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }
  seeded_random(seeded_random const&) = delete;
  seeded_random& operator=(seeded_random const&) = delete;

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return ~result_type{0}; }

  result_type operator()() noexcept {
    std::uint64_t const drawn = std::rotl(state_[1] * 5, 7) * 9;
    std::uint64_t const shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return drawn;
  }

  void fill(mutable_bytes out) noexcept {
    while (!out.empty()) {
      std::byte raw[sizeof(std::uint64_t)];
      codec::store_big(raw, (*this)());  // the same bytes on machines of either byte order
      std::size_t const some = std::min(out.size(), sizeof raw);
      std::memcpy(out.data(), raw, some);
      out = out.subspan(some);
    }
  }

  /// What options called `random` take.
  random_source source() noexcept {
    return {[](void* self, mutable_bytes out) { static_cast<seeded_random*>(self)->fill(out); },
            this};
  }

  /// A number below `bound`, each equally likely; 0 for a bound of 0.
  std::uint64_t uniform(std::uint64_t bound) noexcept {
    if (bound == 0) return 0;
    std::uint64_t const skewed = (max() % bound + 1) % bound;  // that many at the top are refused
    std::uint64_t drawn = (*this)();
    while (drawn > max() - skewed) drawn = (*this)();
    return drawn % bound;
  }

  /// A number from `low` to `high`, both included; `low <= high`.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return high - low == max() ? (*this)() : low + uniform(high - low + 1);
  }

  /// True once in `n` times, on average.
  bool one_in(std::uint64_t n) noexcept { return uniform(n) == 0; }

  template <class Range>
  void shuffle(Range& range) noexcept {
    using std::swap;
    for (std::size_t left = range.size(); left > 1; --left) {
      swap(range[left - 1], range[static_cast<std::size_t>(uniform(left))]);
    }
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace hawser::inline HAWSER_ABI
