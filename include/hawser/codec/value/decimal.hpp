// Numbers of few decimals as text, which is what positions and prices are.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI::codec {

/// Bytes that `write_decimal` needs at most.
inline constexpr int max_decimal_size = 24;

/// Writes a finite number below 2^53 that has one to six decimals and no more significant digits than every
/// `Number` tells apart (15, or 6 of a float), in the shortest form that reads back as the same: a
/// decimal of so few digits that comes closest to the number is the only one. Costs a tenth of the
/// general algorithm. Returns the end of what it wrote, or null: then it takes that.
template <class Number>
char* write_decimal(char* to, Number what) noexcept {
  constexpr Number scales[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};  // all exact
  constexpr Number limit = std::is_same_v<Number, float> ? Number(1e6) : Number(1e15);
  Number const size = std::fabs(what);
  int decimals = 6;
  while (decimals > 0 && !(size * scales[decimals] < limit)) --decimals;
  auto rest = static_cast<std::uint64_t>(size * scales[decimals] + Number(0.5));
  // One division of exact numbers rounds once, as reading the text does.
  Number const back = static_cast<Number>(rest) / scales[decimals];
  if (decimals == 0 || back < size || back > size) return nullptr;
  for (; decimals > 1 && rest % 10 == 0; --decimals) rest /= 10;
  if (what < 0) *to++ = '-';
  char digits[max_decimal_size];
  char* const end = digits + sizeof digits;
  char* at = end;
  for (int written = 0; rest > 0 || written <= decimals; ++written) {
    if (written == decimals) *--at = '.';
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  while (at != end) *to++ = *at++;
  return to;
}

}  // namespace hawser::inline HAWSER_ABI::codec
