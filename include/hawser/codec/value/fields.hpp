// HAWSER_FIELDS: one line that maps a struct to an object, for JSON and MessagePack alike.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include <hawser/codec/value/mapping.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

/// Finds the members of `from` that have these names; the last of several. False when it is no
/// object.
inline bool find_fields(value const& from, std::string_view const* names, value* found,
                        std::size_t count) noexcept {
  if (from.kind() != value_kind::object) return false;
  std::size_t next = 0;  // members mostly come in the order of the fields
  for (auto const [key, what] : from.members()) {
    for (std::size_t tried = 0; tried < count; ++tried) {
      if (next == count) next = 0;
      if (names[next++] != key) continue;
      found[next - 1] = what;
      break;
    }
  }
  return true;
}

template <writable T>
void write_field(value_writer& out, std::string_view name, T const& from) {
  out.key(name);
  mapping<T>::write(out, from);
}

template <readable T>
bool read_field(value const* found, T& to) {
  return mapping<T>::read(*found, to);
}

}  // namespace codec

/// Types that `HAWSER_FIELDS` named. The tag keeps derived types out, which would lose their part.
template <class T>
  requires requires(std::type_identity<T> tag, value_writer& out, T const& from) {
    hawser_write_fields(tag, out, from);
  }
struct mapping<T> {
  static void write(value_writer& out, T const& from) {
    hawser_write_fields(std::type_identity<T>(), out, from);
  }
  static bool read(value const& from, T& to) {
    return hawser_read_fields(std::type_identity<T>(), from, to);
  }
};

}  // namespace hawser::inline HAWSER_ABI

/// HAWSER_FIELDS(type, a, b, ...): maps `type` to an object with the members "a", "b", ..., from 1
/// to 64 of them, each public and of a mapped type.
///
/// It stands in the namespace of the type, at namespace scope, after the type (global types: global
/// scope); a nested type is named as seen from there: HAWSER_FIELDS(outer::inner, x). Reading
/// ignores members without a field; a field without a member fails, unless it is a std::optional;
/// of several members with one key the last counts. The type has to be default constructible
/// where handlers receive it.
#define HAWSER_FIELDS(type, ...)                                                                 \
  [[maybe_unused]] inline void hawser_write_fields(                                              \
      ::std::type_identity<type>, ::hawser::value_writer& hawser_out, type const& hawser_from) { \
    hawser_out.begin_object(0 HAWSER_EACH_FIELD(HAWSER_COUNT_FIELD, __VA_ARGS__));               \
    HAWSER_EACH_FIELD(HAWSER_WRITE_FIELD, __VA_ARGS__)                                           \
    hawser_out.end_object();                                                                     \
  }                                                                                              \
  [[maybe_unused]] inline bool hawser_read_fields(                                               \
      ::std::type_identity<type>, ::hawser::value const& hawser_from, type& hawser_to) {         \
    static constexpr ::std::string_view hawser_names[] = {                                       \
        HAWSER_EACH_FIELD(HAWSER_NAME_FIELD, __VA_ARGS__)};                                      \
    constexpr ::std::size_t hawser_count = sizeof hawser_names / sizeof hawser_names[0];         \
    static_assert(hawser_count <= 64, "HAWSER_FIELDS takes up to 64 fields");                    \
    ::hawser::value hawser_found[hawser_count];                                                  \
    if (!::hawser::codec::find_fields(hawser_from, hawser_names, hawser_found, hawser_count)) {  \
      return false;                                                                              \
    }                                                                                            \
    ::hawser::value const* hawser_next = hawser_found;                                           \
    return true HAWSER_EACH_FIELD(HAWSER_READ_FIELD, __VA_ARGS__);                               \
  }

#define HAWSER_COUNT_FIELD(name) +1
#define HAWSER_NAME_FIELD(name) #name,
#define HAWSER_WRITE_FIELD(name) ::hawser::codec::write_field(hawser_out, #name, hawser_from.name);
#define HAWSER_READ_FIELD(name) &&::hawser::codec::read_field(hawser_next++, hawser_to.name)

// One macro for each argument: a macro can't call itself, but its name can be left behind to be
// found again by the next scan, and the nested scans are more than 64.
#define HAWSER_EACH_FIELD(macro, ...) \
  __VA_OPT__(HAWSER_SCAN_4(HAWSER_NEXT_FIELD(macro, __VA_ARGS__)))
#define HAWSER_NEXT_FIELD(macro, first, ...) \
  macro(first) __VA_OPT__(HAWSER_AGAIN_FIELD HAWSER_CALL(macro, __VA_ARGS__))
#define HAWSER_AGAIN_FIELD() HAWSER_NEXT_FIELD
#define HAWSER_CALL ()
#define HAWSER_SCAN_4(...) HAWSER_SCAN_3(HAWSER_SCAN_3(HAWSER_SCAN_3(HAWSER_SCAN_3(__VA_ARGS__))))
#define HAWSER_SCAN_3(...) HAWSER_SCAN_2(HAWSER_SCAN_2(HAWSER_SCAN_2(HAWSER_SCAN_2(__VA_ARGS__))))
#define HAWSER_SCAN_2(...) HAWSER_SCAN_1(HAWSER_SCAN_1(HAWSER_SCAN_1(HAWSER_SCAN_1(__VA_ARGS__))))
#define HAWSER_SCAN_1(...) __VA_ARGS__
