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
      : box_(new box_of<std::remove_cvref_t<T>>(std::forward<T>(value))) {}

  user_data(user_data&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  user_data& operator=(user_data&& other) noexcept {
    user_data taken(std::move(other));
    std::swap(box_, taken.box_);
    return *this;
  }
  ~user_data() {
    if (box_) box_->what->destroy(box_);
  }

  /// The value if it is exactly a `T`, else null.
  template <class T>
  T* get() const noexcept {
    return box_ && box_->what == &type_of<T> ? &static_cast<box_of<T>*>(box_)->value : nullptr;
  }

  explicit operator bool() const noexcept { return box_ != nullptr; }

 private:
  struct box;
  struct type {
    void (*destroy)(box*) noexcept;
  };
  // One allocation and one pointer: most connections have none.
  struct box {
    type const* what;
  };
  template <class T>
  struct box_of : box {
    template <class V>
    explicit box_of(V&& given) : box{&type_of<T>}, value(std::forward<V>(given)) {}
    T value;
  };
  template <class T>
  static constexpr type type_of{[](box* at) noexcept { delete static_cast<box_of<T>*>(at); }};

  box* box_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
