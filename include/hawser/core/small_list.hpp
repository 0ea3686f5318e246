// A short list that allocates only when it grows long.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Up to `Inline` trivially copyable values in place, more on the heap.
template <class T, std::size_t Inline>
class small_list {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::max_align_t));

 public:
  void push_back(T const& value) {
    if (count_ < Inline) {
      near_[count_] = value;
    } else {
      if (count_ == Inline) add_far(near_.data(), sizeof near_);
      add_far(&value, sizeof value);
    }
    ++count_;
  }

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::span<T const> view() const noexcept {
    return {count_ <= Inline ? near_.data() : reinterpret_cast<T const*>(far_.data()), count_};
  }

 private:
  void add_far(void const* values, std::size_t size) {
    auto const* const bytes = static_cast<std::byte const*>(values);
    far_.insert(far_.end(), bytes, bytes + size);
  }

  std::array<T, Inline> near_{};
  std::vector<std::byte> far_;  // all of them; as bytes, so that one vector's code serves every T
  std::size_t count_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
