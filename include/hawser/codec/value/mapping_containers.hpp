// Mappings of C++ types that hold others: optional, variant, sequences, tuples and maps.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/codec/value/mapping_concepts.hpp>
#include <hawser/codec/value/mapping_scalars.hpp>

namespace hawser::inline HAWSER_ABI {

template <class T>
struct mapping<std::optional<T>> {
  static void write(value_writer& out, std::optional<T> const& from)
    requires writable<T>
  {
    from ? mapping<T>::write(out, *from) : out.null();
  }
  static bool read(value const& from, std::optional<T>& to)
    requires(readable<T> && std::default_initializable<T>)
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
    requires((readable<T> && std::default_initializable<T>) && ...)
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
    requires(readable<T> && std::default_initializable<T>)
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

/// std::map, std::unordered_map and what is like them.
template <class T>
concept text_map = std::same_as<typename T::key_type, std::string> &&
                   requires(T& map, std::string key, typename T::mapped_type what) {
                     map.insert_or_assign(std::move(key), std::move(what));
                     map.clear();
                   };

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
    requires(readable<mapped_type> && std::default_initializable<mapped_type>)
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

}  // namespace hawser::inline HAWSER_ABI
