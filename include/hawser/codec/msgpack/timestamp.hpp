// Times in MessagePack, and their text as JavaScript's Date.toISOString has it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI::codec {

/// Room for the longest: "-271821-04-20T00:00:00.000Z".
struct iso_text {
  std::array<char, 27> text;
  std::size_t size = 0;
  std::string_view view() const noexcept { return {text.data(), size}; }
};

/// Milliseconds since 1970 as text in UTC; nothing beyond what a JavaScript Date holds, which is
/// 8.64e15 either way.
inline iso_text to_iso(std::int64_t milliseconds) noexcept {
  constexpr std::int64_t most = 8'640'000'000'000'000, day = 86'400'000;
  iso_text made;
  if (milliseconds < -most || milliseconds > most) return made;
  std::int64_t days = milliseconds / day, rest = milliseconds % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  // Years that begin in March put the leap day last, so that a month's first day is linear in the
  // month; counted in whole cycles of 400 years (146,097 days) from March of the year 0.
  std::int64_t const since = days + 719'468;
  std::int64_t const cycle = (since >= 0 ? since : since - 146'096) / 146'097;
  std::int64_t const in_cycle = since - cycle * 146'097;
  std::int64_t const year_of_cycle =
      (in_cycle - in_cycle / 1'460 + in_cycle / 36'524 - in_cycle / 146'096) / 365;
  std::int64_t const day_of_year =
      in_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  std::int64_t const from_march = (5 * day_of_year + 2) / 153;
  std::int64_t const day_of_month = day_of_year - (153 * from_march + 2) / 5 + 1;
  std::int64_t const month = from_march < 10 ? from_march + 3 : from_march - 9;
  std::int64_t const year = year_of_cycle + cycle * 400 + (month <= 2 ? 1 : 0);

  auto const put = [&](char c) { made.text[made.size++] = c; };
  auto const digits = [&](std::int64_t what, std::int64_t unit) {
    for (; unit > 0; unit /= 10) put(static_cast<char>('0' + what / unit % 10));
  };
  if (year < 0 || year > 9'999) {
    put(year < 0 ? '-' : '+');
    digits(year < 0 ? -year : year, 100'000);
  } else {
    digits(year, 1'000);
  }
  put('-');
  digits(month, 10);
  put('-');
  digits(day_of_month, 10);
  put('T');
  digits(rest / 3'600'000, 10);
  put(':');
  digits(rest / 60'000 % 60, 10);
  put(':');
  digits(rest / 1'000 % 60, 10);
  put('.');
  digits(rest % 1'000, 100);
  put('Z');
  return made;
}

/// The text of an extension of type -1: 32 bits of seconds, 30 bits of nanoseconds and 34 of
/// seconds, or 32 of nanoseconds and 64 of seconds. Empty for another size, a billion nanoseconds
/// or more, and times beyond `to_iso`.
inline iso_text timestamp_to_iso(bytes_view in) noexcept {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  if (in.size() == 4) {
    seconds = load_big<std::uint32_t>(in.data());
  } else if (in.size() == 8) {
    auto const both = load_big<std::uint64_t>(in.data());
    nanoseconds = static_cast<std::uint32_t>(both >> 34);
    seconds = static_cast<std::int64_t>(both & ((std::uint64_t{1} << 34) - 1));
  } else if (in.size() == 12) {
    nanoseconds = load_big<std::uint32_t>(in.data());
    seconds = static_cast<std::int64_t>(load_big<std::uint64_t>(in.data() + 4));
  } else {
    return {};
  }
  constexpr std::int64_t most = 8'640'000'000'001;  // before it is multiplied; `to_iso` is exact
  if (nanoseconds > 999'999'999 || seconds < -most || seconds > most) return {};
  return to_iso(seconds * 1'000 + nanoseconds / 1'000'000);
}

}  // namespace hawser::inline HAWSER_ABI::codec
