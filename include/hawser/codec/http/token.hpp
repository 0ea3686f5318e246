// The small grammar of HTTP: tokens, field values, case-insensitive names, comma-separated lists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Classes of octets, one bit each; see `char_classes`.
enum char_class : std::uint8_t {
  token_char = 1,   ///< tchar (RFC 9110 5.6.2)
  method_char = 2,  ///< tchar without the lower-case letters
  value_char = 4,   ///< HTAB, SP, visible ASCII, obs-text (RFC 9110 5.5)
  target_char = 8,  ///< visible ASCII without `#`
  host_char = 16    ///< letter, digit, `-`, `.`, `_`, `~`
};

inline constexpr std::array<std::uint8_t, 256> char_classes = [] {
  std::array<std::uint8_t, 256> table{};
  auto const mark = [&table](std::size_t at, unsigned bits) {
    table[at] = static_cast<std::uint8_t>(table[at] | bits);
  };
  for (std::size_t c = 0x21; c <= 0x7e; ++c) {
    mark(c, value_char);
    if (c != '#') mark(c, target_char);
  }
  for (std::size_t c = 0x80; c <= 0xff; ++c) mark(c, value_char);
  mark(' ', value_char);
  mark('\t', value_char);
  for (std::size_t c = '0'; c <= '9'; ++c) mark(c, token_char | method_char | host_char);
  for (std::size_t c = 'A'; c <= 'Z'; ++c) mark(c, token_char | method_char | host_char);
  for (std::size_t c = 'a'; c <= 'z'; ++c) mark(c, token_char | host_char);
  for (char const c : std::string_view("!#$%&'*+-.^_`|~")) {
    mark(static_cast<std::size_t>(c), token_char | method_char);
  }
  for (char const c : std::string_view("-._~")) mark(static_cast<std::size_t>(c), host_char);
  return table;
}();

constexpr bool is(char_class wanted, char c) noexcept {
  return (char_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

/// How many leading characters of `text` belong to the class.
constexpr std::size_t run_of(char_class wanted, std::string_view text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && is(wanted, text[length])) ++length;
  return length;
}

constexpr bool all_of(char_class wanted, std::string_view text) noexcept {
  return run_of(wanted, text) == text.size();
}

/// One or more tchar.
constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && all_of(token_char, text);
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool all_digits(std::string_view text) noexcept {
  for (char const c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Equal but for the case of ASCII letters; no locale.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr bool istarts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

/// Without spaces and tabs at both ends (OWS).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether `text` may be sent as a field value: no control byte but inner tabs, no space around it.
constexpr bool is_field_value(std::string_view text) noexcept {
  return all_of(value_char, text) && trim(text).size() == text.size();
}

/// Walks the elements of a comma-separated list (RFC 9110 5.6.1). A comma inside a quoted string
/// does not separate; an unfinished quoted string reaches to the end. Elements are trimmed, and the
/// empty ones are delivered too: who is strict refuses them, who is not skips them.
///
///     for (list_reader list(value); list.next();) use(list.element());
class list_reader {
 public:
  constexpr explicit list_reader(std::string_view list) noexcept : rest_(list) {}

  /// False at the end. A list without any character has no elements.
  constexpr bool next() noexcept {
    if (finished_ || (first_ && rest_.empty())) return false;
    first_ = false;
    bool quoted = false;
    std::size_t at = 0;
    for (; at < rest_.size() && (quoted || rest_[at] != ','); ++at) {
      if (rest_[at] == '"') {
        quoted = !quoted;
      } else if (quoted && rest_[at] == '\\' && at + 1 < rest_.size()) {
        ++at;
      }
    }
    element_ = trim(rest_.substr(0, at));
    finished_ = at == rest_.size();
    rest_.remove_prefix(finished_ ? at : at + 1);
    return true;
  }

  constexpr std::string_view element() const noexcept { return element_; }

 private:
  std::string_view rest_;
  std::string_view element_;
  bool first_ = true;
  bool finished_ = false;
};

/// Whether one element of the list is `token`, in whatever case.
constexpr bool list_has(std::string_view list, std::string_view token) noexcept {
  for (list_reader reader(list); reader.next();) {
    if (iequals(reader.element(), token)) return true;
  }
  return false;
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
