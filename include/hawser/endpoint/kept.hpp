// A counted pointer to what counts itself: hosts, connections, handshakes.
#pragma once

#include <utility>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Keeps `T`, which has `retain` and `release`, for as long as this lives. Null when
/// default-constructed or moved from.
template <class T>
class kept {
 public:
  kept() noexcept = default;
  explicit kept(T& at) noexcept : at_(&at) { at_->retain(); }
  kept(kept const& other) noexcept : at_(other.at_) {
    if (at_) at_->retain();
  }
  kept(kept&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  kept& operator=(kept other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~kept() {
    if (at_) at_->release();
  }
  T* operator->() const noexcept { return at_; }
  T& operator*() const noexcept { return *at_; }

 private:
  T* at_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
