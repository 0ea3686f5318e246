// Numbers of few decimals as text, which is what positions and prices are.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI::codec {

/// Bytes that `write_decimal` may use.
inline constexpr int max_decimal_size = 32;

/// Writes a finite number below 2^53 that has one to six decimals and no more significant digits
/// than every `Number` tells apart (15, or 6 of a float), in the shortest form that reads back as
/// the same: a decimal of so few digits that comes closest to the number is the only one. Costs a
/// tenth of the general algorithm. Returns the end of what it wrote, or null: then it takes that.
template <class Number>
char* write_decimal(char* to, Number what) noexcept {
  constexpr std::uint64_t scales[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};
  constexpr auto limit = static_cast<Number>(std::is_same_v<Number, float> ? 1e6 : 1e15);
  Number const size = std::fabs(what);
  std::size_t decimals = 6;
  while (decimals > 0 && !(size * static_cast<Number>(scales[decimals]) < limit)) --decimals;
  auto const scale = static_cast<Number>(scales[decimals]);
  auto digits = static_cast<std::uint64_t>(size * scale + Number(0.5));
  // One division of exact numbers rounds once, as reading the text does.
  Number const back = static_cast<Number>(digits) / scale;
  if (decimals == 0 || back < size || back > size) return nullptr;
  if (decimals > 3 && digits % 1'000 == 0) {
    digits /= 1'000;
    decimals -= 3;
  }
  for (; decimals > 1 && digits % 10 == 0; --decimals) digits /= 10;
  if (what < 0) *to++ = '-';
  to = std::to_chars(to, to + max_decimal_size, digits / scales[decimals]).ptr;
  *to++ = '.';
  std::uint64_t fraction = digits % scales[decimals];
  for (std::size_t i = decimals; i-- > 0; fraction /= 10) {
    to[i] = static_cast<char>('0' + fraction % 10);
  }
  return to + decimals;
}

}  // namespace hawser::inline HAWSER_ABI::codec
