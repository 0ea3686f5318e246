#include <hawser/codec/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using hawser::as_bytes;
using hawser::codec::is_utf8;
using hawser::codec::utf8_validator;
using namespace std::string_view_literals;

static_assert(sizeof(utf8_validator) <= 4);

/// Table 3-7 of the Unicode Standard, spelled out: the length of the code point at `at`, 0 if there
/// is none, and -1 if the text ends before it does.
int code_point(std::string_view text, std::size_t at) {
  struct row {
    unsigned first_low, first_high, second_low, second_high;
    int length;
  };
  static constexpr row table[] = {
      {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
      {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
      {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
  unsigned const first = static_cast<unsigned char>(text[at]);
  for (row const& r : table) {
    if (first < r.first_low || first > r.first_high) continue;
    for (int i = 1; i < r.length; ++i) {
      if (at + static_cast<std::size_t>(i) >= text.size()) return -1;
      unsigned const next = static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
      unsigned const low = i == 1 ? r.second_low : 0x80;
      unsigned const high = i == 1 ? r.second_high : 0xbf;
      if (next < low || next > high) return 0;
    }
    return r.length;
  }
  return 0;
}

struct verdict {
  bool possible;  // no byte refused
  bool whole;     // and no code point cut short
};

verdict reference(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    int const length = code_point(text, at);
    if (length <= 0) return {length < 0, false};
    at += static_cast<std::size_t>(length);
  }
  return {true, true};
}

/// The number of leading bytes after which the text is not yet lost.
std::size_t reference_prefix(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size() && reference(text.substr(0, good + 1)).possible) ++good;
  return good;
}

bool agrees(std::string_view text) {
  verdict const expected = reference(text);
  utf8_validator validator;
  return validator.feed(as_bytes(text)) == expected.possible &&
         validator.complete() == expected.whole && is_utf8(as_bytes(text)) == expected.whole;
}

/// In two pieces at every point, and byte by byte, with the refusal at the very byte.
bool agrees_at_every_split(std::string_view text) {
  verdict const expected = reference(text);
  std::size_t const good = reference_prefix(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    utf8_validator validator;
    if (validator.feed(as_bytes(text.substr(0, cut))) != (cut <= good)) return false;
    if (validator.feed(as_bytes(text.substr(cut))) != expected.possible) return false;
    if (validator.complete() != expected.whole) return false;
  }
  utf8_validator validator;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (validator.feed(as_bytes(text.substr(i, 1))) != (i < good)) return false;
  }
  return validator.complete() == expected.whole;
}

std::string encode(std::uint32_t point) {
  std::string out;
  auto const put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
  return out;
}

struct vector {
  std::string_view text;
  bool valid;
};

constexpr vector vectors[] = {
    {"", true},
    {"Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!", true},
    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true},
    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x8f\xbf\xbf"
     "edited",
     true},
    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
     "edited",
     false},
    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80"
     "edited",
     false},
    // first and last code point of each length, with the obsolete lengths
    {"\x00"sv, true},
    {"\xc2\x80", true},
    {"\xe0\xa0\x80", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf8\x88\x80\x80\x80", false},
    {"\xfc\x84\x80\x80\x80\x80", false},
    {"\x7f", true},
    {"\xdf\xbf", true},
    {"\xef\xbf\xbf", true},
    {"\xf4\x8f\xbf\xbf", true},
    {"\xf7\xbf\xbf\xbf", false},
    {"\xfb\xbf\xbf\xbf\xbf", false},
    {"\xfd\xbf\xbf\xbf\xbf\xbf", false},
    // around the surrogates and the end
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xef\xbf\xbd", true},
    {"\xf4\x90\x80\x80", false},
    // lone continuation bytes
    {"\x80", false},
    {"\xbf", false},
    {"\x80\xbf\x80\xbf\x80\xbf", false},
    // lone lead bytes
    {"\xc0 \xc1 \xc2 ", false},
    {"\xe0 \xe1 \xe2 ", false},
    {"\xf0 \xf1 \xf2 ", false},
    {"\xf8 \xf9 ", false},
    {"\xfc ", false},
    {"\xc0", false},
    {"\xe0\x80", false},
    {"\xf0\x80\x80", false},
    {"\xf8\x80\x80\x80", false},
    {"\xfc\x80\x80\x80\x80", false},
    {"\xdf", false},
    {"\xef\xbf", false},
    {"\xf7\xbf\xbf", false},
    {"\xfb\xbf\xbf\xbf", false},
    {"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80", false},
    {"\xfe", false},
    {"\xff", false},
    {"\xfe\xfe\xff\xff", false},
    // not the shortest form
    {"\xc0\xaf", false},
    {"\xe0\x80\xaf", false},
    {"\xf0\x80\x80\xaf", false},
    {"\xf8\x80\x80\x80\xaf", false},
    {"\xc1\xbf", false},
    {"\xe0\x9f\xbf", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xc0\x80", false},
    {"\xe0\x80\x80", false},
    {"\xf0\x80\x80\x80", false},
    // surrogates, single and paired
    {"\xed\xa0\x80", false},
    {"\xed\xad\xbf", false},
    {"\xed\xae\x80", false},
    {"\xed\xaf\xbf", false},
    {"\xed\xb0\x80", false},
    {"\xed\xbe\x80", false},
    {"\xed\xbf\xbf", false},
    {"\xed\xa0\x80\xed\xb0\x80", false},
    {"\xed\xaf\xbf\xed\xbf\xbf", false},
    // noncharacters are characters to UTF-8
    {"\xef\xb7\x90", true},
    {"\xef\xbf\xbe", true},
    {"\xf0\x9f\xbf\xbe", true},
    {"\xf3\xbf\xbf\xbf", true},
};

}  // namespace

TEST_CASE("utf8: known vectors are judged right at every split and every alignment",
          "[codec][utf8]") {
  std::string const filler(40, 'a');
  std::string cyrillic;
  for (int i = 0; i < 70; ++i) cyrillic += "\xd0\xb6";
  for (auto const& [text, valid] : vectors) {
    CAPTURE(text);
    CHECK(is_utf8(as_bytes(text)) == valid);
    CHECK(reference(text).whole == valid);
    CHECK(agrees_at_every_split(text));
    for (std::size_t before = 0; before <= filler.size(); ++before) {
      std::string padded = filler.substr(0, before) + std::string(text);
      CHECK(agrees(padded));
      CHECK(agrees(padded + "tail"));
      CHECK(agrees(padded + cyrillic));
    }
    CHECK(agrees_at_every_split(cyrillic + std::string(text)));
    CHECK(agrees_at_every_split(cyrillic + std::string(text) + cyrillic));
  }
}

TEST_CASE("utf8: every code point is accepted, no surrogate is", "[codec][utf8]") {
  bool good = true;
  for (std::uint32_t point = 0; point <= 0x10ffff; ++point) {
    bool const surrogate = point >= 0xd800 && point <= 0xdfff;
    good = good && is_utf8(as_bytes(encode(point))) != surrogate;
  }
  CHECK(good);
}

TEST_CASE("utf8: all sequences of up to three bytes are judged right", "[codec][utf8]") {
  bool good = true;
  std::string text(1, '\0');
  for (unsigned a = 0; a < 256; ++a) {
    text.resize(1);
    text[0] = static_cast<char>(a);
    good = good && agrees(text);
    for (unsigned b = 0; b < 256; ++b) {
      text.resize(2);
      text[1] = static_cast<char>(b);
      good = good && agrees(text);
      text.resize(3);
      for (unsigned c = 0; c < 256; ++c) {
        text[2] = static_cast<char>(c);
        good = good && agrees(text);
      }
    }
  }
  CHECK(good);
}

TEST_CASE("utf8: boundary sequences of four bytes are judged right at every split",
          "[codec][utf8]") {
  constexpr std::array<unsigned, 28> edges{
      0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0, 0xc1, 0xc2,
      0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
  bool good = true;
  std::string text(4, '\0');
  for (unsigned a : edges) {
    text[0] = static_cast<char>(a);
    for (unsigned b : edges) {
      text[1] = static_cast<char>(b);
      for (unsigned c : edges) {
        text[2] = static_cast<char>(c);
        for (unsigned d : edges) {
          text[3] = static_cast<char>(d);
          good = good && agrees_at_every_split(text);
        }
      }
    }
  }
  CHECK(good);
}

TEST_CASE("utf8: a byte that can't be is refused in the call that brings it", "[codec][utf8]") {
  struct {
    std::string_view good, bad;
  } const pairs[] = {{"", "\xc0"},         {"", "\xc1"},
                     {"", "\xf5"},         {"", "\x80"},
                     {"\xe0", "\x80"},     {"\xe0", "\x9f"},
                     {"\xed", "\xa0"},     {"\xf0", "\x8f"},
                     {"\xf4", "\x90"},     {"\xf4\x8f", "\x7f"},
                     {"\xc2", "\xc2"},     {"\xf0\x9f\x98", "a"},
                     {"\xe2\x82", "\xe2"}, {"long enough: ", "\xff"}};
  for (auto const& [good, bad] : pairs) {
    CAPTURE(good, bad);
    utf8_validator validator;
    CHECK(validator.feed(as_bytes(good)));
    CHECK_FALSE(validator.feed(as_bytes(bad)));
    CHECK_FALSE(validator.feed(as_bytes("ascii")));
    CHECK_FALSE(validator.feed({}));
    CHECK_FALSE(validator.complete());
    validator.reset();
    CHECK(validator.feed(as_bytes("ascii")));
    CHECK(validator.complete());
  }
}

TEST_CASE("utf8: empty chunks change nothing", "[codec][utf8]") {
  utf8_validator validator;
  CHECK(validator.feed({}));
  CHECK(validator.complete());
  CHECK(validator.feed(as_bytes("\xf0\x9f")));
  CHECK(validator.feed({}));
  CHECK_FALSE(validator.complete());
  CHECK(validator.feed(as_bytes("\x98\x80")));
  CHECK(validator.complete());
}

TEST_CASE("utf8: one flipped byte is found wherever it stands in a long ASCII text",
          "[codec][utf8]") {
  bool good = true;
  for (std::size_t size = 1; size <= 200; ++size) {
    std::string text(size, 'x');
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\xff';
      good = good && !is_utf8(as_bytes(text));
      text[at] = 'x';
    }
    good = good && is_utf8(as_bytes(text));
  }
  CHECK(good);
}

TEST_CASE("utf8: random texts, damaged and cut at random, are judged as simdjson and the table do",
          "[codec][utf8]") {
  std::mt19937 random(1);
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  constexpr std::uint32_t tops[] = {0x80, 0x80, 0x800, 0x10000, 0x110000};
  bool good = true;
  for (int round = 0; round < 20000 && good; ++round) {
    std::string text;
    std::size_t const points = below(400);
    std::uint32_t const mix = static_cast<std::uint32_t>(1 + below(std::size(tops)));
    while (text.size() < points) {
      std::uint32_t point = static_cast<std::uint32_t>(below(tops[below(mix)]));
      if (point >= 0xd800 && point <= 0xdfff) point = 'a';
      text += encode(point);
    }
    if (below(2) == 0 && !text.empty()) text[below(text.size())] = static_cast<char>(below(256));
    if (below(4) == 0 && !text.empty()) text.resize(below(text.size()));
    verdict const expected = reference(text);
    good = good && is_utf8(as_bytes(text)) == expected.whole;
    good = good && simdjson::validate_utf8(text.data(), text.size()) == expected.whole;
    utf8_validator validator;
    bool accepted = true;
    for (std::string_view rest = text; !rest.empty();) {
      std::size_t const piece = std::min(rest.size(), 1 + below(below(2) == 0 ? 5 : 300));
      accepted = validator.feed(as_bytes(rest.substr(0, piece)));
      rest.remove_prefix(piece);
    }
    good = good && accepted == expected.possible && validator.complete() == expected.whole;
  }
  CHECK(good);
}
