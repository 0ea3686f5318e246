// A counted pointer to what counts itself: hosts, connections.
#pragma once

#include <utility>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Keeps `T`, which has `retain` and `release`, for as long as this lives.
template <class T>
class kept {
 public:
  explicit kept(T& at) noexcept : at_(&at) { at_->retain(); }
  kept(kept const& other) noexcept : kept(*other.at_) {}
  kept(kept&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  kept& operator=(kept const&) = delete;
  ~kept() {
    if (at_) at_->release();
  }
  T* operator->() const noexcept { return at_; }

 private:
  T* at_;
};

}  // namespace hawser::inline HAWSER_ABI
