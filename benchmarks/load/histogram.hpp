// Latencies in logarithmic buckets: 1.6 % of relative error, no allocation while recording.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace load {

class histogram {
 public:
  void record(std::uint64_t nanoseconds) noexcept {
    ++counts_[index_of(nanoseconds)];
    ++total_;
    if (nanoseconds > max_) max_ = nanoseconds;
  }

  std::uint64_t max() const noexcept { return max_; }

  /// The value that `fraction` of all records do not exceed, in nanoseconds; 0 when empty.
  std::uint64_t quantile(double fraction) const noexcept {
    auto const wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (counts_[i] > 0 && seen >= wanted) return std::min(upper_edge(i), max_);
    }
    return max_;
  }

 private:
  // 64 buckets per power of two; below 64 the value is its own bucket.
  static constexpr unsigned sub_bits = 6;
  static constexpr std::size_t bucket_count = (64 - sub_bits + 1) << sub_bits;

  static std::size_t index_of(std::uint64_t value) noexcept {
    if (value >> sub_bits == 0) return static_cast<std::size_t>(value);
    auto const shift = static_cast<unsigned>(std::bit_width(value)) - sub_bits - 1;
    return (std::size_t{shift} << sub_bits) + static_cast<std::size_t>(value >> shift);
  }

  static std::uint64_t upper_edge(std::size_t index) noexcept {
    if (index >> (sub_bits + 1) == 0) return index;
    auto const shift = (index >> sub_bits) - 1;
    std::uint64_t const mantissa = index - (shift << sub_bits);
    return ((mantissa + 1) << shift) - 1;
  }

  std::array<std::uint64_t, bucket_count> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
