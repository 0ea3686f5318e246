// The seam between C++ types and values: what a mapping is, what it makes of a type.
#pragma once

#include <concepts>
#include <type_traits>

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

}  // namespace hawser::inline HAWSER_ABI
