// Number literals in JSON text, seen before a parser sees them: how long, and whether too large.
#pragma once

#include <cstddef>
#include <string_view>

#include <hawser/core/buffer.hpp>

namespace hawser::inline HAWSER_ABI::codec {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// A byte that can be part of a number literal.
constexpr bool is_number_byte(char c) noexcept {
  return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/// Calls `visit(literal)` for what looks like a number outside strings, until it answers false.
/// Linear; the text may be malformed.
template <class Visit>
void for_number_literals(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    char const c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1u : 0u;
      ++at;
    } else if (c == '-' || is_digit(c)) {
      std::size_t const begin = at;
      while (at < text.size() && is_number_byte(text[at])) ++at;
      if (!visit(text.substr(begin, at - begin))) return;
    } else {
      ++at;
    }
  }
}

/// Whether somewhere, maybe inside a string, more than `max` bytes of numbers follow each other.
/// Looks at every `max + 1`st byte, which no such run can hide from. Precondition:
/// `max < text.size()`.
inline bool has_longer_run(std::string_view text, std::size_t max) noexcept {
  for (std::size_t at = max; at < text.size();) {
    std::size_t begin = at, end = at;
    if (is_number_byte(text[at])) {
      while (begin > 0 && end - begin <= max && is_number_byte(text[begin - 1])) --begin;
      while (end < text.size() && end - begin <= max && is_number_byte(text[end])) ++end;
      if (end - begin > max) return true;
    }
    if (text.size() - end <= max) return false;
    at = end + max + (begin == end ? 1 : 0);
  }
  return false;
}

/// Whether a number literal has more than `max` characters (RFC 8259 section 9 lets a parser limit
/// them). Costs next to nothing unless some string is full of digits.
inline bool has_longer_number(std::string_view text, std::size_t max) noexcept {
  if (max >= text.size() || !has_longer_run(text, max)) return false;
  bool found = false;
  for_number_literals(text, [&](std::string_view literal) {
    found = literal.size() > max;
    return !found;
  });
  return found;
}

/// Whether a literal is an integer that neither 64-bit form holds.
inline bool is_oversized_integer(std::string_view literal) noexcept {
  bool const negative = literal.front() == '-';
  std::string_view const digits = literal.substr(negative ? 1 : 0);
  std::string_view const most = negative ? "9223372036854775808" : "18446744073709551615";
  if (digits.size() < most.size()) return false;
  for (char const c : digits) {
    if (!is_digit(c)) return false;
  }
  return digits.size() > most.size() || digits > most;
}

/// Copies a text with `e0` behind each oversized integer, which makes it a floating-point number
/// of the same value. False when there is none.
inline bool widen_integers(std::string_view text, byte_buffer& out) {
  std::size_t copied = 0;
  bool any = false;
  out.clear();
  for_number_literals(text, [&](std::string_view literal) {
    if (!is_oversized_integer(literal)) return true;
    auto const end = static_cast<std::size_t>(literal.data() - text.data()) + literal.size();
    out.append(as_bytes(text.substr(copied, end - copied)));
    out.append(as_bytes("e0"));
    copied = end;
    any = true;
    return true;
  });
  if (any) out.append(as_bytes(text.substr(copied)));
  return any;
}

}  // namespace hawser::inline HAWSER_ABI::codec
