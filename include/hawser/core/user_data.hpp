// A box for one value of the application's own type, kept with a connection.
#pragma once

#include <type_traits>
#include <utility>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Holds a value of any movable type, also one that can't be copied or default-constructed, and
/// gives it back by its exact type. No RTTI.
class user_data {
 public:
  user_data() noexcept = default;

  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, user_data>)
  explicit user_data(T&& value)
      : value_(new std::remove_cvref_t<T>(std::forward<T>(value))),
        type_(&type_of<std::remove_cvref_t<T>>) {}

  user_data(user_data&& other) noexcept
      : value_(std::exchange(other.value_, nullptr)), type_(std::exchange(other.type_, nullptr)) {}
  user_data& operator=(user_data&& other) noexcept {
    user_data taken(std::move(other));
    std::swap(value_, taken.value_);
    std::swap(type_, taken.type_);
    return *this;
  }
  ~user_data() {
    if (value_) type_->destroy(value_);
  }

  /// The value if it is exactly a `T`, else null.
  template <class T>
  T* get() const noexcept {
    return type_ == &type_of<T> ? static_cast<T*>(value_) : nullptr;
  }

  explicit operator bool() const noexcept { return value_ != nullptr; }

 private:
  struct type {
    void (*destroy)(void*) noexcept;
  };
  template <class T>
  static constexpr type type_of{[](void* value) noexcept { delete static_cast<T*>(value); }};

  void* value_ = nullptr;
  type const* type_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
