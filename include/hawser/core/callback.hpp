// A move-only callable of one signature: what a user's handler is stored in.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

template <class Signature>
class callback;

/// Says that a callable is to stay where it is when what holds it moves.
struct stable_t {};
inline constexpr stable_t stable{};

/// Like `std::move_only_function` of C++23: holds any callable, also one that can't be copied.
/// Up to three pointers' worth of captures are stored without an allocation. Handlers are erased
/// here and nowhere else: it keeps compile time and symbol count of a user's program low.
template <class R, class... Args>
class callback<R(Args...)> {
 public:
  callback() noexcept = default;
  callback(std::nullptr_t) noexcept {}

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, callback> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  callback(F&& function) {
    using held = std::decay_t<F>;
    if constexpr (!fits<held>) {
      hold(std::forward<F>(function));
    } else {
      ::new (static_cast<void*>(storage_)) held(std::forward<F>(function));
      invoke_ = [](void* at, Args... args) -> R {
        return call(*static_cast<held*>(at), std::forward<Args>(args)...);
      };
      manage_ = [](void* from, void* to) noexcept {
        auto* source = static_cast<held*>(from);
        if (to) ::new (to) held(std::move(*source));
        source->~held();
      };
    }
  }
  /// For handlers that may be replaced while they run, if the old callback is kept until then.
  template <class F>
  callback(stable_t, F&& function) {
    hold(std::forward<F>(function));
  }

  callback(callback&& other) noexcept { take(other); }
  callback& operator=(callback&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~callback() { reset(); }

  void reset() noexcept {
    if (manage_) manage_(storage_, nullptr);
    invoke_ = nullptr;
    manage_ = nullptr;
  }

  explicit operator bool() const noexcept { return invoke_ != nullptr; }

  /// Precondition: holds something.
  R operator()(Args... args) { return invoke_(storage_, std::forward<Args>(args)...); }

 private:
  static constexpr std::size_t capacity = 3 * sizeof(void*);
  template <class F>
  static constexpr bool fits = sizeof(F) <= capacity && alignof(F) <= alignof(std::max_align_t) &&
                               std::is_nothrow_move_constructible_v<F>;

  template <class F>
  void hold(F&& function) {
    using held = std::decay_t<F>;
    ::new (static_cast<void*>(storage_)) held*(new held(std::forward<F>(function)));
    invoke_ = [](void* at, Args... args) -> R {
      return call(**static_cast<held**>(at), std::forward<Args>(args)...);
    };
    manage_ = [](void* from, void* to) noexcept {
      auto** source = static_cast<held**>(from);
      if (to) {
        ::new (to) held*(*source);
      } else {
        delete *source;
      }
    };
  }

  // `void` takes any result and drops it.
  template <class F>
  static R call(F& function, Args&&... args) {
    if constexpr (std::is_void_v<R>) {
      std::invoke(function, std::forward<Args>(args)...);
    } else {
      return std::invoke(function, std::forward<Args>(args)...);
    }
  }

  void take(callback& other) noexcept {
    if (!other.manage_) return;
    other.manage_(other.storage_, storage_);
    invoke_ = std::exchange(other.invoke_, nullptr);
    manage_ = std::exchange(other.manage_, nullptr);
  }

  alignas(std::max_align_t) std::byte storage_[capacity];
  R (*invoke_)(void*, Args...) = nullptr;
  void (*manage_)(void* from, void* to) noexcept = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
