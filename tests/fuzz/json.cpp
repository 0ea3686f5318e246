// Compares the JSON parser with a plain validator, padded with copied, and each text with its
// rewriting in both formats.
#include <cmath>
#include <cstdlib>
#include <string>

#include "values.hpp"

using namespace hawser_fuzz;

namespace {

/// RFC 8259, as plainly as it goes; UTF-8 is checked beforehand.
struct validator {
  std::string_view text;
  std::size_t at = 0;
  std::size_t longest = 0;  // number literal

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool take(char c) { return at < text.size() && text[at] == c ? (++at, true) : false; }
  bool word(std::string_view what) {
    if (text.substr(at, what.size()) != what) return false;
    at += what.size();
    return true;
  }
  void space() {
    while (at < text.size() && std::string_view(" \t\r\n").find(text[at]) != text.npos) ++at;
  }
  bool digits() {
    std::size_t const from = at;
    while (peek() >= '0' && peek() <= '9') ++at;
    return at > from;
  }
  bool number() {
    std::size_t const from = at;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    std::string const literal(text.substr(from, at - from));
    longest = std::max(longest, literal.size());
    return std::isfinite(std::strtod(literal.c_str(), nullptr));
  }
  /// Four hexadecimal digits, or -1.
  int unit() {
    int made = 0;
    for (int i = 0; i < 4; ++i, ++at) {
      char const c = peek();
      int const digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return -1;
      made = made * 16 + digit;
    }
    return made;
  }
  bool string() {
    if (!take('"')) return false;
    for (;;) {
      if (at == text.size()) return false;
      auto const c = static_cast<unsigned char>(text[at++]);
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c != '\\') continue;
      if (!take('u')) {
        if (at == text.size() || std::string_view("\"\\/bfnrt").find(text[at++]) == text.npos) {
          return false;
        }
        continue;
      }
      int const high = unit();
      if (high < 0 || (high >= 0xdc00 && high < 0xe000)) return false;
      if (high < 0xd800 || high >= 0xe000) continue;
      if (!take('\\') || !take('u')) return false;
      int const low = unit();
      if (low < 0xdc00 || low >= 0xe000) return false;
    }
  }
  bool any() {
    space();
    bool good;
    if (take('[')) {
      space();
      if (take(']')) {
        good = true;
      } else {
        do good = any();
        while (good && take(','));
        good = good && take(']');
      }
    } else if (take('{')) {
      space();
      if (take('}')) {
        good = true;
      } else {
        do {
          space();
          good = string();
          space();
          good = good && take(':') && any();
        } while (good && take(','));
        good = good && take('}');
      }
    } else if (peek() == '"') {
      good = string();
    } else if (peek() == '-' || (peek() >= '0' && peek() <= '9')) {
      good = number();
    } else {
      good = word("true") || word("false") || word("null");
    }
    space();
    return good;
  }
};

}  // namespace

// Byte 0 chooses limits. The rest is the text.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 1) return 0;
  static hawser::json_parser parser, other;  // used again, as a server does
  static value_tape tape, second;
  auto const limits = limits_for(data[0]);
  std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);

  std::vector<char> padded(text.begin(), text.end());
  padded.resize(text.size() + hawser::json_parser::padding, static_cast<char>(data[0]));
  errc const error = parser.parse({padded.data(), text.size()}, limits, tape, true);
  require(other.parse(text, limits, second) == error);
  if (error != errc{}) require(!tape.root().exists() && tape.size() == 0);

  // Without limits, what is taken is exactly what the grammar says.
  validator plain{text};
  bool const valid =
      plain.any() && plain.at == text.size() && hawser::codec::is_utf8(hawser::as_bytes(text));
  value_limits const none{.max_depth = 60'000, .max_values = SIZE_MAX, .max_number = SIZE_MAX};
  require((other.parse(text, none, second) == errc{}) == valid);
  if (error == errc::bad_json) require(!valid);
  if (error == errc{}) {
    require(valid && plain.longest <= limits.max_number);
    std::size_t count = 0;
    require_sound(tape.root(), 0, limits, count);
    require(count == tape.size());
    read_all(tape.root());
    require_same_in_both(tape.root());
  }

  // Two attachments, whether they are named or not.
  std::byte const bytes[3] = {};
  hawser::bytes_view const parts[] = {{bytes, 1}, {bytes + 1, 2}};
  if (parser.parse(text, parts, limits, tape) == errc{}) {
    std::size_t count = 0;
    require_sound(tape.root(), 0, limits, count);
    require(write(tape.root(), value_format::json).attachments.size() == 2);
  }
  return 0;
}
