// An event that arrived, as those see it who take any.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include <hawser/codec/value/mapping.hpp>
#include <hawser/codec/value/tape.hpp>

namespace hawser::inline HAWSER_ABI {

/// A name and arguments of any kind; valid until the handler that got it returns. Emitted, or given
/// as an acknowledgement, it stands for its arguments: `s.emit("back", event)` sends them on.
class event_view {
 public:
  event_view(std::string_view name, value whole) noexcept : name_(name), whole_(whole) {}

  std::string_view name() const noexcept { return name_; }
  /// Arguments, the name not among them.
  std::size_t size() const noexcept { return whole_.size() > 0 ? whole_.size() - 1 : 0; }
  /// An argument; missing beyond the last.
  value operator[](std::size_t index) const noexcept { return whole_[index + 1]; }
  /// The array as it was sent, with the name first.
  value whole() const noexcept { return whole_; }

 private:
  std::string_view name_;
  value whole_;
};

/// The name of an event that arrived. A number is a name, too.
class event_title {
 public:
  /// Precondition: `first` is a text or a whole number, the first element of the event's array.
  explicit event_title(value first) noexcept {
    if (auto const text = first.string()) {
      name_ = *text;
    } else if (auto const whole = first.integer()) {
      name_ = {digits_, std::to_chars(digits_, digits_ + sizeof digits_, *whole).ptr};
    } else {  // one over 2^63
      auto const large = first.unsigned_integer().value_or(0);
      name_ = {digits_, std::to_chars(digits_, digits_ + sizeof digits_, large).ptr};
    }
  }
  event_title(event_title const&) = delete;
  event_title& operator=(event_title const&) = delete;

  std::string_view name() const noexcept { return name_; }

 private:
  char digits_[24];
  std::string_view name_;
};

/// What can be an argument of an event: values, and the arguments of another event.
template <class T>
concept emittable = writable<T> || std::same_as<std::remove_cvref_t<T>, event_view>;

template <class T>
std::size_t argument_count(T const& argument) noexcept {
  if constexpr (std::same_as<T, event_view>) {
    return argument.size();
  } else {
    return 1;
  }
}

template <class T>
void write_argument(value_writer& out, T const& argument) {
  if constexpr (std::same_as<T, event_view>) {
    bool is_name = true;
    for (value const element : argument.whole().elements()) {
      if (!std::exchange(is_name, false)) write_value(out, element);
    }
  } else {
    mapping<T>::write(out, argument);
  }
}

}  // namespace hawser::inline HAWSER_ABI
