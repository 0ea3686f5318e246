// A short list that allocates only when it grows long.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Up to `Inline` trivially copyable values in place, more on the heap.
template <class T, std::size_t Inline>
class small_list {
 public:
  void push_back(T const& value) {
    if (count_ < Inline) {
      near_[count_] = value;
    } else {
      if (count_ == Inline) far_.assign(near_.begin(), near_.end());
      far_.push_back(value);
    }
    ++count_;
  }

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::span<T const> view() const noexcept {
    return {count_ <= Inline ? near_.data() : far_.data(), count_};
  }

 private:
  std::array<T, Inline> near_{};
  std::vector<T> far_;
  std::size_t count_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
