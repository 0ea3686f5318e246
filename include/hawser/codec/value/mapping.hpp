// Which C++ types can be written as values and read from them, and how a type joins in.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>

namespace hawser::inline HAWSER_ABI {

/// The customisation point. A specialisation has one or both of
///
///     static void write(value_writer& out, T const& from);  // exactly one value
///     static bool read(value const& from, T& to);           // false: does not fit
///
/// After a `read` that failed, what was read into is in a valid but unspecified state. Structs
/// need none: see `HAWSER_FIELDS`.
///
/// *Built in*: bool, integers (range checked; `char` is none), float, double, std::string,
/// std::string_view and char arrays (write), std::vector<std::byte> and `bytes_view` (binary),
/// std::optional (null or missing), std::variant (the first alternative that reads), std::vector,
/// std::array, std::tuple and std::pair (arrays of exactly that size), maps from std::string,
/// enumerations, `value`, std::nullptr_t, std::monostate; `json` with its own header. What is read
/// as a view lives as long as what was parsed.
template <class T>
struct mapping;

/// A type that can be sent.
template <class T>
concept writable = requires(value_writer& out, std::remove_cvref_t<T> const& from) {
  mapping<std::remove_cvref_t<T>>::write(out, from);
};

/// A type that can be received.
template <class T>
concept readable = requires(value const& from, std::remove_cvref_t<T>& to) {
  { mapping<std::remove_cvref_t<T>>::read(from, to) } -> std::same_as<bool>;
};

/// Writes by the type's mapping.
template <writable T>
void write_value(value_writer& out, T const& from) {
  mapping<T>::write(out, from);
}

/// Reads by the type's mapping; false when the value does not fit.
template <readable T>
[[nodiscard]] bool read_value(value const& from, T& to) {
  return mapping<T>::read(from, to);
}

namespace codec {

/// Puts what was found where it goes; the shared end of most readings.
template <class Found, class T>
bool assign_found(Found const& found, T& to) {
  if (found) to = *found;
  return found.has_value();
}

template <class T>
concept plain_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                        !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                        !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// Reads a whole number of the width and sign of `Integer`.
template <class Integer>
std::optional<Integer> find_integer(value const& from) {
  auto const found = [&] {
    if constexpr (std::is_signed_v<Integer>)
      return from.integer();
    else
      return from.unsigned_integer();
  }();
  if (!found) return {};
  auto const narrow = static_cast<Integer>(*found);
  using wide = std::remove_cvref_t<decltype(*found)>;
  if (static_cast<wide>(narrow) != *found) return {};
  return narrow;
}

template <class Integer>
void write_integer(value_writer& out, Integer what) {
  if constexpr (std::is_signed_v<Integer>) {
    out.integer(what);
  } else {
    out.unsigned_integer(what);
  }
}

/// std::map, std::unordered_map and what is like them.
template <class T>
concept text_map = std::same_as<typename T::key_type, std::string> &&
                   requires(T& map, std::string key, typename T::mapped_type what) {
                     map.insert_or_assign(std::move(key), std::move(what));
                     map.clear();
                   };

}  // namespace codec

template <>
struct mapping<bool> {
  static void write(value_writer& out, bool from) { out.boolean(from); }
  static bool read(value const& from, bool& to) { return codec::assign_found(from.boolean(), to); }
};

template <codec::plain_integer T>
struct mapping<T> {
  static void write(value_writer& out, T from) { codec::write_integer(out, from); }
  static bool read(value const& from, T& to) {
    return codec::assign_found(codec::find_integer<T>(from), to);
  }
};

template <>
struct mapping<double> {
  static void write(value_writer& out, double from) { out.number(from); }
  static bool read(value const& from, double& to) { return codec::assign_found(from.number(), to); }
};

/// Rounds to the nearest float; finite numbers beyond its range don't fit.
template <>
struct mapping<float> {
  static void write(value_writer& out, float from) { out.number(from); }
  static bool read(value const& from, float& to) {
    auto const found = from.number();
    if (!found) return false;
    double const size = *found < 0 ? -*found : *found;
    if (size > std::numeric_limits<float>::max() && size <= std::numeric_limits<double>::max()) {
      return false;
    }
    to = static_cast<float>(*found);
    return true;
  }
};

template <>
struct mapping<std::string_view> {
  static void write(value_writer& out, std::string_view from) { out.string(from); }
  static bool read(value const& from, std::string_view& to) {
    return codec::assign_found(from.string(), to);
  }
};

template <>
struct mapping<std::string> {
  static void write(value_writer& out, std::string const& from) { out.string(from); }
  static bool read(value const& from, std::string& to) {
    return codec::assign_found(from.string(), to);
  }
};

/// Writes what a C string holds; null is the empty text.
template <>
struct mapping<char const*> {
  static void write(value_writer& out, char const* from) {
    out.string(from ? std::string_view(from) : std::string_view());
  }
};
template <>
struct mapping<char*> : mapping<char const*> {};

/// A literal, or a buffer up to its first zero.
template <std::size_t N>
struct mapping<char[N]> {
  static void write(value_writer& out, char const (&from)[N]) {
    std::string_view const all(from, N);
    out.string(all.substr(0, all.find('\0')));
  }
};

template <>
struct mapping<bytes_view> {
  static void write(value_writer& out, bytes_view from) { out.binary(from); }
  static bool read(value const& from, bytes_view& to) {
    return codec::assign_found(from.binary(), to);
  }
};

template <>
struct mapping<std::vector<std::byte>> {
  static void write(value_writer& out, std::vector<std::byte> const& from) { out.binary(from); }
  static bool read(value const& from, std::vector<std::byte>& to) {
    auto const found = from.binary();
    if (found) to.assign(found->begin(), found->end());
    return found.has_value();
  }
};

template <>
struct mapping<value> {
  static void write(value_writer& out, value from) { write_value(out, from); }
  static bool read(value const& from, value& to) {
    to = from;
    return from.exists();
  }
};

template <>
struct mapping<std::nullptr_t> {
  static void write(value_writer& out, std::nullptr_t) { out.null(); }
  static bool read(value const& from, std::nullptr_t&) { return from.is_null(); }
};

template <>
struct mapping<std::monostate> {
  static void write(value_writer& out, std::monostate) { out.null(); }
  static bool read(value const& from, std::monostate&) { return from.is_null(); }
};

template <class T>
struct mapping<std::optional<T>> {
  static void write(value_writer& out, std::optional<T> const& from)
    requires writable<T>
  {
    from ? mapping<T>::write(out, *from) : out.null();
  }
  static bool read(value const& from, std::optional<T>& to)
    requires readable<T>
  {
    if (!from.exists() || from.is_null()) {
      to.reset();
      return true;
    }
    return mapping<T>::read(from, to ? *to : to.emplace());
  }
};

template <class... T>
struct mapping<std::variant<T...>> {
  static void write(value_writer& out, std::variant<T...> const& from)
    requires(writable<T> && ...)
  {
    std::visit([&](auto const& held) { write_value(out, held); }, from);
  }
  static bool read(value const& from, std::variant<T...>& to)
    requires(readable<T> && ...)
  {
    return read_first(from, to, std::index_sequence_for<T...>());
  }

 private:
  template <std::size_t... I>
  static bool read_first(value const& from, std::variant<T...>& to, std::index_sequence<I...>) {
    return (mapping<T>::read(from, to.template emplace<I>()) || ...);
  }
};

template <class T, class Allocator>
struct mapping<std::vector<T, Allocator>> {
  static void write(value_writer& out, std::vector<T, Allocator> const& from)
    requires writable<T>
  {
    out.begin_array(from.size());
    for (auto const& element : from) mapping<T>::write(out, element);
    out.end_array();
  }
  static bool read(value const& from, std::vector<T, Allocator>& to)
    requires readable<T>
  {
    if (from.kind() != value_kind::array) return false;
    to.resize(from.size());  // elements that exist, not a claim; their own memory is used again
    auto next = to.begin();
    for (value const element : from.elements()) {
      if constexpr (std::same_as<T, bool>) {
        bool bit;
        if (!mapping<bool>::read(element, bit)) return false;
        *next++ = bit;
      } else {
        if (!mapping<T>::read(element, *next++)) return false;
      }
    }
    return true;
  }
};

template <class T, std::size_t N>
struct mapping<std::array<T, N>> {
  static void write(value_writer& out, std::array<T, N> const& from)
    requires writable<T>
  {
    out.begin_array(N);
    for (auto const& element : from) mapping<T>::write(out, element);
    out.end_array();
  }
  static bool read(value const& from, std::array<T, N>& to)
    requires readable<T>
  {
    if (from.kind() != value_kind::array || from.size() != N) return false;
    auto next = to.begin();
    for (value const element : from.elements()) {
      if (!mapping<T>::read(element, *next++)) return false;
    }
    return true;
  }
};

namespace codec {

/// Tuples and pairs: an array of exactly their size.
template <class Tuple, class... T>
struct tuple_mapping {
  static void write(value_writer& out, Tuple const& from)
    requires(writable<T> && ...)
  {
    out.begin_array(sizeof...(T));
    std::apply([&](T const&... part) { (mapping<T>::write(out, part), ...); }, from);
    out.end_array();
  }
  static bool read(value const& from, Tuple& to)
    requires(readable<T> && ...)
  {
    if (from.kind() != value_kind::array || from.size() != sizeof...(T)) return false;
    [[maybe_unused]] auto next = from.elements().begin();
    return std::apply(
        [&](T&... part) {
          return ([&] {
            value const element = *next;
            ++next;
            return mapping<T>::read(element, part);
          }() && ...);
        },
        to);
  }
};

}  // namespace codec

template <class... T>
struct mapping<std::tuple<T...>> : codec::tuple_mapping<std::tuple<T...>, T...> {};
template <class A, class B>
struct mapping<std::pair<A, B>> : codec::tuple_mapping<std::pair<A, B>, A, B> {};

/// Of several members with one key the last counts.
template <codec::text_map T>
struct mapping<T> {
  using mapped_type = typename T::mapped_type;
  static void write(value_writer& out, T const& from)
    requires writable<mapped_type>
  {
    out.begin_object(from.size());
    for (auto const& [key, what] : from) {
      out.key(key);
      mapping<mapped_type>::write(out, what);
    }
    out.end_object();
  }
  static bool read(value const& from, T& to)
    requires readable<mapped_type>
  {
    if (from.kind() != value_kind::object) return false;
    to.clear();
    for (auto const [key, what] : from.members()) {
      mapped_type made{};
      if (!mapping<mapped_type>::read(what, made)) return false;
      to.insert_or_assign(std::string(key), std::move(made));
    }
    return true;
  }
};

/// Names for an enumeration: a specialisation has a static constexpr `list`, a range of
/// std::pair<E, std::string_view>. Then texts are written and read; without it, the underlying
/// integer, which is range checked but not compared with the enumerators.
template <class E>
struct enum_names;

template <class E>
  requires std::is_enum_v<E>
struct mapping<E> {
  using number = std::underlying_type_t<E>;
  static constexpr bool named = requires { enum_names<E>::list; };

  /// A value without a name is written as its integer.
  static void write(value_writer& out, E from) {
    if constexpr (named) {
      for (auto const& [what, name] : enum_names<E>::list) {
        if (what == from) return out.string(name);
      }
    }
    codec::write_integer(out, static_cast<number>(from));
  }
  static bool read(value const& from, E& to) {
    if constexpr (named) {
      auto const given = from.string();
      for (auto const& [what, name] : enum_names<E>::list) {
        if (given != name) continue;
        to = what;
        return true;
      }
      return false;
    } else {
      auto const found = codec::find_integer<number>(from);
      if (found) to = static_cast<E>(*found);
      return found.has_value();
    }
  }
};

}  // namespace hawser::inline HAWSER_ABI
