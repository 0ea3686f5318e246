// Mappings of C++ types that hold one value: booleans, numbers, texts, binaries, enumerations.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/codec/value/mapping_concepts.hpp>

namespace hawser::inline HAWSER_ABI {

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

/// Rounds to the nearest float; finite numbers that would round to infinity don't fit.
template <>
struct mapping<float> {
  static void write(value_writer& out, float from) { out.number(from); }
  static bool read(value const& from, float& to) {
    auto const found = from.number();
    if (!found) return false;
    constexpr double most = std::numeric_limits<float>::max();
    constexpr double rounds_up = 0x1.ffffffp127;  // half a step above
    double const size = *found < 0 ? -*found : *found;
    if (size <= most || size > std::numeric_limits<double>::max() || size != size) {
      to = static_cast<float>(*found);
      return true;
    }
    to = static_cast<float>(*found < 0 ? -most : most);
    return size < rounds_up;
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
