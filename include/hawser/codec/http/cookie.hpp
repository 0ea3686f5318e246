// The cookies that one host has set (RFC 6265 section 5), for a client that dials one URL.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/http/authority.hpp>
#include <hawser/codec/http/date.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/timing_wheel.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Each is the largest that is still kept. A cookie beyond `max_cookie_size` is not taken; for one
/// beyond the others those go that were set longest ago.
struct cookie_limits {
  std::size_t max_cookies = 50;
  std::size_t max_cookie_size = 4096;  ///< bytes of name, value and path
  std::size_t max_bytes = 8 * 1024;    ///< the same of all together: a Cookie field must fit a head
};

/// Keeps cookies and hands out those that a request is to carry. What a server sends wrongly, or
/// for somebody else, is overlooked in silence, as browsers do.
///
/// Beyond RFC 6265, as its successor (draft rfc6265bis) asks: no control characters; a server
/// without TLS neither sets nor replaces a Secure cookie; the prefixes `__Secure-` and `__Host-`
/// mean what they say; nothing lives longer than 400 days.
class cookie_jar {
 public:
  /// `host`: a name or an address, an IPv6 one without brackets, as in `url::host`.
  explicit cookie_jar(std::string_view host, cookie_limits const& limits = {}) : limits_(limits) {
    for (char const c : host) host_ += lower(c);
    is_address_ = is_ipv4(host_) || is_ipv6(host_);
  }

  /// Takes one Set-Cookie field of the answer to a request for `request_path` (a query behind it
  /// does no harm). `secure`: it came over TLS. `wall_unix` is the wall clock's time, for Expires.
  void set(std::string_view set_cookie_field, std::string_view request_path, bool secure,
           time_point now, std::int64_t wall_unix) {
    if (!all_of(value_char, set_cookie_field)) return;
    std::string_view const pair = cut(set_cookie_field, ';');
    std::size_t const equals = pair.find('=');
    if (equals == std::string_view::npos) return;
    cookie made;
    made.name = trim(pair.substr(0, equals));
    made.value = trim(pair.substr(equals + 1));
    if (made.name.empty()) return;
    attributes told;
    while (!set_cookie_field.empty()) {
      told.read(cut(set_cookie_field, ';'), wall_unix);
    }
    if (!told.domain.empty() && !covers(told.domain)) return;
    made.path = told.path.starts_with('/') ? told.path : default_path(request_path);
    made.secure = told.secure;
    if (told.lifetime) made.expires = now + *told.lifetime;
    if (made.secure && !secure) return;
    if (made.name.starts_with("__Secure-") && !made.secure) return;
    if (made.name.starts_with("__Host-") &&
        (!made.secure || !told.domain.empty() || made.path != "/")) {
      return;
    }
    store(std::move(made), secure, now);
  }

  /// The value of the Cookie field for a request: the longer paths first, of equal ones those that
  /// were there earlier; empty if there are none.
  std::string header_for(std::string_view path, bool secure, time_point now) const {
    path = without_query(path);
    std::vector<cookie const*> fitting;
    for (cookie const& one : cookies_) {
      if (one.expires <= now || (one.secure && !secure) || !covers_path(one.path, path)) continue;
      fitting.push_back(&one);
    }
    std::sort(fitting.begin(), fitting.end(), [](cookie const* a, cookie const* b) {
      return a->path.size() != b->path.size() ? a->path.size() > b->path.size() : a < b;
    });
    std::string text;
    for (cookie const* const one : fitting) {
      if (!text.empty()) text += "; ";
      text.append(one->name).append("=").append(one->value);
    }
    return text;
  }

  void clear() noexcept { cookies_.clear(); }

  /// Those that have expired count until the next `set`.
  std::size_t size() const noexcept { return cookies_.size(); }

 private:
  struct cookie {
    std::string name;
    std::string value;
    std::string path;
    time_point expires = time_point::max();
    std::uint64_t set_at = 0;  // a number that grows
    bool secure = false;

    std::size_t bytes() const noexcept { return name.size() + value.size() + path.size(); }
  };

  // The last attribute of a name counts; Max-Age counts more than Expires (RFC 6265 5.3).
  struct attributes {
    static constexpr std::int64_t longest = std::int64_t{400} * 24 * 60 * 60;

    std::string_view domain;
    std::string_view path;
    std::optional<std::chrono::seconds> lifetime;
    bool has_max_age = false;
    bool secure = false;

    void read(std::string_view text, std::int64_t wall_unix) noexcept {
      std::size_t const equals = text.find('=');
      std::string_view const name = trim(text.substr(0, equals));
      std::string_view const value =
          equals == std::string_view::npos ? std::string_view() : trim(text.substr(equals + 1));
      if (iequals(name, "Max-Age")) {
        read_max_age(value);
      } else if (iequals(name, "Expires") && !has_max_age) {
        if (auto const date = parse_cookie_date(value)) lifetime = until(*date, wall_unix);
      } else if (iequals(name, "Domain") && !value.empty()) {
        domain = value.starts_with('.') ? value.substr(1) : value;
      } else if (iequals(name, "Path")) {
        path = value;
      } else if (iequals(name, "Secure")) {
        secure = true;
      }
    }

   private:
    void read_max_age(std::string_view value) noexcept {
      bool const negative = value.starts_with('-');
      std::string_view const digits = value.substr(negative ? 1 : 0);
      if (digits.empty() || !all_digits(digits)) return;
      std::int64_t age = 0;
      for (char const c : digits) age = std::min(longest, age * 10 + (c - '0'));
      lifetime = std::chrono::seconds{negative ? 0 : age};
      has_max_age = true;
    }

    static std::chrono::seconds until(std::int64_t date, std::int64_t wall_unix) noexcept {
      if (date <= wall_unix) return std::chrono::seconds{0};
      return std::chrono::seconds{date > wall_unix + longest ? longest : date - wall_unix};
    }
  };

  // What stands before the first `at`; it and all before it is gone from `text`.
  static std::string_view cut(std::string_view& text, char at) noexcept {
    std::string_view const front = text.substr(0, text.find(at));
    text.remove_prefix(std::min(front.size() + 1, text.size()));
    return front;
  }

  static std::string_view without_query(std::string_view target) noexcept {
    return target.substr(0, target.find('?'));
  }

  // RFC 6265 5.1.3, with the host of this jar.
  bool covers(std::string_view domain) const noexcept {
    if (iequals(host_, domain)) return true;
    if (is_address_ || host_.size() <= domain.size()) return false;
    std::size_t const at = host_.size() - domain.size();
    return host_[at - 1] == '.' && iequals(std::string_view(host_).substr(at), domain);
  }

  // RFC 6265 5.1.4.
  static std::string_view default_path(std::string_view target) noexcept {
    std::string_view const path = without_query(target);
    if (!path.starts_with('/')) return "/";
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  }

  static bool covers_path(std::string_view cookie_path, std::string_view path) noexcept {
    if (path.empty()) path = "/";
    if (!path.starts_with(cookie_path)) return false;
    return path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
           path[cookie_path.size()] == '/';
  }

  void store(cookie made, bool secure, time_point now) {
    auto const expired = [now](cookie const& one) { return one.expires <= now; };
    std::erase_if(cookies_, expired);
    for (cookie const& one : cookies_) {
      if (!secure && one.secure && one.name == made.name) return;
    }
    auto const old = std::find_if(cookies_.begin(), cookies_.end(), [&made](cookie const& one) {
      return one.name == made.name && one.path == made.path;
    });
    bool const too_large = made.bytes() > std::min(limits_.max_cookie_size, limits_.max_bytes);
    if (expired(made) || (too_large && old != cookies_.end())) {
      if (old != cookies_.end()) cookies_.erase(old);
      return;
    }
    if (too_large || limits_.max_cookies == 0) return;
    made.set_at = ++last_set_;
    if (old != cookies_.end()) {
      *old = std::move(made);  // and keeps its place
    } else {
      cookies_.push_back(std::move(made));
    }
    shrink();
  }

  void shrink() {
    std::size_t bytes = 0;
    for (cookie const& one : cookies_) bytes += one.bytes();
    while (cookies_.size() > limits_.max_cookies || bytes > limits_.max_bytes) {
      auto const oldest = std::min_element(
          cookies_.begin(), cookies_.end(),
          [](cookie const& a, cookie const& b) { return a.set_at < b.set_at; });
      bytes -= oldest->bytes();
      cookies_.erase(oldest);
    }
  }

  std::string host_;
  bool is_address_ = false;
  cookie_limits limits_;
  std::vector<cookie> cookies_;  // in the order of their creation
  std::uint64_t last_set_ = 0;
};

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
