// Dates as HTTP and cookies write them (RFC 9110 5.6.7, RFC 6265 5.1.1), in seconds since 1970.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/codec/http/token.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// A day and a time in UTC, as written: `to_unix` tells whether there is such a day.
struct date_parts {
  int year = 0;
  int month = 0;  ///< 1 to 12
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Nothing for a day that isn't in the calendar, and for a time that isn't on the clock. Second 60
/// is on it (a leap second), and the same as the next minute's first.
inline std::optional<std::int64_t> to_unix(date_parts const& parts) noexcept {
  using namespace std::chrono;
  if (parts.month < 1 || parts.day < 1) return std::nullopt;
  year_month_day const date{year{parts.year}, month{static_cast<unsigned>(parts.month)},
                            day{static_cast<unsigned>(parts.day)}};
  if (!date.ok() || parts.hour < 0 || parts.hour > 23 || parts.minute < 0 || parts.minute > 59 ||
      parts.second < 0 || parts.second > 60) {
    return std::nullopt;
  }
  std::int64_t const days = sys_days{date}.time_since_epoch().count();
  return ((days * 24 + parts.hour) * 60 + parts.minute) * 60 + parts.second;
}

/// Reads a text from its front, strictly: after a mismatch everything fails.
class date_reader {
 public:
  constexpr explicit date_reader(std::string_view text) noexcept : rest_(text) {}

  constexpr bool expect(std::string_view wanted) noexcept {
    if (!rest_.starts_with(wanted)) return fail();
    rest_.remove_prefix(wanted.size());
    return true;
  }

  /// Exactly that many digits.
  constexpr int number(std::size_t digits) noexcept {
    if (rest_.size() < digits || !all_digits(rest_.substr(0, digits))) return fail(), 0;
    int value = 0;
    for (char const c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  /// The place, from 1, of the name that the text goes on with. Names are matched case and all.
  template <std::size_t Count>
  constexpr int one_of(std::array<std::string_view, Count> const& names) noexcept {
    for (std::size_t i = 0; i < Count; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return static_cast<int>(i) + 1;
    }
    return fail(), 0;
  }

  constexpr bool starts_with(char c) const noexcept { return rest_.starts_with(c); }
  constexpr bool good() const noexcept { return good_; }
  constexpr bool done() const noexcept { return good_ && rest_.empty(); }

 private:
  constexpr bool fail() noexcept {
    rest_ = {};
    return good_ = false;
  }

  std::string_view rest_;
  bool good_ = true;
};

inline constexpr std::array<std::string_view, 12> month_names{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
inline constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu",
                                                           "Fri", "Sat", "Sun"};
inline constexpr std::array<std::string_view, 7> long_day_names{
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/// Reads an HTTP-date in each of its three forms, letter for letter:
///
///     Sun, 06 Nov 1994 08:49:37 GMT       Sunday, 06-Nov-94 08:49:37 GMT
///     Sun Nov  6 08:49:37 1994
///
/// The day of the week must be one, and is not compared with the date. A year of two digits is the
/// last such year that is at most 50 years ahead of `now_unix`; without that, 1970 to 2069.
inline std::optional<std::int64_t> parse_http_date(
    std::string_view text, std::optional<std::int64_t> now_unix = std::nullopt) noexcept {
  date_parts parts;
  date_reader in(text);
  auto const clock = [&] {
    parts.hour = in.number(2);
    in.expect(":");
    parts.minute = in.number(2);
    in.expect(":");
    parts.second = in.number(2);
  };
  bool short_year = false;
  if (text.size() > 3 && text[3] == ',') {
    in.one_of(day_names);
    in.expect(", ");
    parts.day = in.number(2);
    in.expect(" ");
    parts.month = in.one_of(month_names);
    in.expect(" ");
    parts.year = in.number(4);
    in.expect(" ");
    clock();
    in.expect(" GMT");
  } else if (text.size() > 3 && text[3] == ' ') {
    in.one_of(day_names);
    in.expect(" ");
    parts.month = in.one_of(month_names);
    in.expect(" ");
    parts.day = in.starts_with(' ') && in.expect(" ") ? in.number(1) : in.number(2);
    in.expect(" ");
    clock();
    in.expect(" ");
    parts.year = in.number(4);
  } else {
    in.one_of(long_day_names);
    in.expect(", ");
    parts.day = in.number(2);
    in.expect("-");
    parts.month = in.one_of(month_names);
    in.expect("-");
    parts.year = in.number(2);
    in.expect(" ");
    clock();
    in.expect(" GMT");
    short_year = true;
  }
  if (!in.done()) return std::nullopt;
  if (!short_year) return to_unix(parts);
  if (!now_unix) {
    parts.year += parts.year < 70 ? 2000 : 1900;
    return to_unix(parts);
  }
  // About the present year: whoever is off by a day at its turn is off by a century only for a
  // date that is 50 years away.
  constexpr std::int64_t seconds_per_year = 31'556'952;
  std::int64_t const ahead = 1970 + *now_unix / seconds_per_year + 50;
  if (ahead < 100 || ahead > 9999) return std::nullopt;
  auto const last = static_cast<int>(ahead);
  parts.year += last - last % 100;
  if (parts.year > last) parts.year -= 100;
  return to_unix(parts);
}

/// Reads a cookie's date as browsers do (RFC 6265 5.1.1): time, day, month and year in any order
/// between delimiters, the rest overlooked.
inline std::optional<std::int64_t> parse_cookie_date(std::string_view text) noexcept {
  auto const delimits = [](char c) {
    auto const u = static_cast<unsigned char>(c);
    return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
           (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
  };
  auto const digits_of = [](std::string_view token) {
    std::size_t count = 0;
    while (count < token.size() && is_digit(token[count])) ++count;
    return count;
  };
  auto const number = [](std::string_view digits) {
    int value = 0;
    for (char const c : digits) value = value * 10 + (c - '0');
    return value;
  };
  date_parts parts;
  bool has_time = false, has_day = false, has_month = false, has_year = false;
  auto const read_time = [&](std::string_view token) {
    int found[3]{};
    for (int i = 0; i < 3; ++i) {
      std::size_t const count = digits_of(token);
      if (count < 1 || count > 2) return false;
      found[i] = number(token.substr(0, count));
      token.remove_prefix(count);
      if (i == 2) break;
      if (!token.starts_with(':')) return false;
      token.remove_prefix(1);
    }
    parts.hour = found[0];
    parts.minute = found[1];
    parts.second = found[2];
    return true;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (delimits(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !delimits(text[end])) ++end;
    std::string_view const token = text.substr(at, end - at);
    at = end;
    if (!has_time && read_time(token)) {
      has_time = true;
      continue;
    }
    std::size_t const count = digits_of(token);
    if (!has_day && count >= 1 && count <= 2) {
      has_day = true;
      parts.day = number(token.substr(0, count));
      continue;
    }
    if (!has_month) {
      for (std::size_t i = 0; i < month_names.size() && !has_month; ++i) {
        if (!istarts_with(token, month_names[i])) continue;
        has_month = true;
        parts.month = static_cast<int>(i) + 1;
      }
      if (has_month) continue;
    }
    if (!has_year && count >= 2 && count <= 4) {
      has_year = true;
      parts.year = number(token.substr(0, count));
    }
  }
  if (!has_time || !has_day || !has_month || !has_year) return std::nullopt;
  if (parts.year < 100) parts.year += parts.year < 70 ? 2000 : 1900;
  if (parts.year < 1601 || parts.second > 59) return std::nullopt;
  return to_unix(parts);
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
