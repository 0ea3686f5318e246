// Retry-After: how long a server asks a client to stay away (RFC 9110 10.2.3).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/codec/http/date.hpp>
#include <hawser/codec/http/token.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// The longest that is waited, whatever a server asks for: a wrong figure, or a wrong clock, must
/// not keep a client away for good.
inline constexpr std::chrono::seconds max_retry_after = std::chrono::hours{24};

/// Reads a number of seconds or a date, which is compared with `now_unix` (the wall clock). From 0,
/// for a date that is over, to `max_retry_after`; nothing for anything else.
inline std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                             std::int64_t now_unix) noexcept {
  constexpr std::int64_t most = max_retry_after.count();
  if (!value.empty() && all_digits(value)) {
    std::int64_t delay = 0;
    for (char const c : value) delay = std::min(most, delay * 10 + (c - '0'));
    return std::chrono::seconds{delay};
  }
  auto const date = parse_http_date(value, now_unix);
  if (!date) return std::nullopt;
  if (*date <= now_unix) return std::chrono::seconds{0};
  if (*date > now_unix + most) return max_retry_after;  // a date is before the year 10000
  return std::chrono::seconds{*date - now_unix};
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
