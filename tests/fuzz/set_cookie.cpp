// Fuzzes what a server tells a client in fields: cookies within their limits, whose answer is a
// field that can be sent; dates that are in the calendar; delays within a day.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <hawser/codec/http/cookie.hpp>
#include <hawser/codec/http/retry_after.hpp>

namespace http = hawser::http;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// The first byte chooses the limits, the second whether there is TLS; then one field a line, and
// between two of them time passes.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<char const*>(data) + 2, size - 2);
  http::cookie_limits const limits{.max_cookies = data[0] % 8u,
                                   .max_cookie_size = 8u + data[0] / 8u,
                                   .max_bytes = 64};
  http::cookie_jar jar("game.example.com", limits);
  hawser::time_point now{};
  std::int64_t wall = 1'767'225'600;
  bool const secure = data[1] % 2 != 0;
  constexpr std::int64_t year_10000 = 253'402'300'800;
  while (!rest.empty()) {
    std::string_view const field = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    jar.set(field, field.substr(field.size() / 2), secure, now, wall);
    require(jar.size() <= limits.max_cookies);
    for (std::string_view const path : {"/", "/chat/room", ""}) {
      std::string const answer = jar.header_for(path, secure, now);
      require(answer.size() <= limits.max_bytes + 3 * limits.max_cookies);
      require(http::is_field_value(answer));
      require(jar.header_for(path, false, now).size() <= answer.size());
    }
    require(jar.header_for("/", true, now + std::chrono::hours{401 * 24}).size() <=
            limits.max_bytes + 3 * limits.max_cookies);
    if (auto const delay = http::parse_retry_after(field, wall)) {
      require(delay->count() >= 0 && *delay <= http::max_retry_after);
    }
    if (auto const date = http::parse_http_date(field, wall)) require(*date < year_10000 + 1);
    if (auto const date = http::parse_http_date(field)) require(*date < year_10000 + 1);
    if (auto const date = http::parse_cookie_date(field)) {
      require(*date < year_10000);
      require(*date >= -11'644'473'600);  // 1601
    }
    now += std::chrono::seconds{field.size()};
    wall += static_cast<std::int64_t>(field.size());
  }
  jar.clear();
  require(jar.size() == 0 && jar.header_for("/", true, now).empty());
  return 0;
}
