#include <hawser/codec/ws/deflate.hpp>

#if HAWSER_WITH_DEFLATE

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using hawser::as_bytes;
using hawser::as_text;
using hawser::byte_buffer;
using hawser::errc;
using hawser::ws::deflater;
using hawser::ws::inflater;
using namespace std::literals;

static_assert(ZLIB_VERNUM >= 0x12d0, "zlib before 1.2.13 has memory errors that peers can reach");

constexpr std::size_t plenty = std::size_t{1} << 30;

struct outcome {
  std::string text;
  std::error_code error;

  friend bool operator==(outcome const&, outcome const&) = default;
};

outcome inflate(inflater& in, std::vector<std::string_view> const& pieces,
                std::size_t limit = plenty) {
  byte_buffer out;
  std::error_code error;
  for (auto const piece : pieces) {
    if (!error) error = in.append(as_bytes(piece), out, limit);
  }
  if (!error) error = in.finish(out, limit);
  return {std::string(as_text(out.view())), error};
}

outcome inflate(std::string_view payload, std::size_t limit = plenty) {
  inflater in;
  return inflate(in, {payload}, limit);
}

std::string deflate(deflater& de, std::string_view message, bool keep_context = false) {
  byte_buffer out;
  if (de.compress(as_bytes(message), out, keep_context)) return "error";
  return std::string(as_text(out.view()));
}

/// Text with repetitions near and far, or noise.
std::string sample(std::mt19937& random, std::size_t size) {
  std::string text;
  bool const noise = random() % 3 == 0;
  while (text.size() < size) {
    if (noise || text.size() < 4 || random() % 4 == 0) {
      text += static_cast<char>(random() % (noise ? 256 : 16));
    } else {
      std::size_t const from = random() % text.size();
      text += text.substr(from, 1 + random() % 300);
    }
  }
  text.resize(size);
  return text;
}

std::vector<std::string_view> cut(std::mt19937& random, std::string_view text) {
  std::vector<std::string_view> pieces;
  std::size_t const longest = std::size_t{1} << (random() % 16);
  while (!text.empty()) {
    std::size_t const size = std::min(text.size(), std::size_t{random() % (longest + 1)});
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

/// Deflates with zlib alone, a final block at the end.
std::string whole_stream(std::string_view text, int level, int flush) {
  z_stream z{};
  deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())) + 64, '\0');
  std::string in(text);
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  ::deflate(&z, flush);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

TEST_CASE("ws deflate: the examples of RFC 7692 7.2.3 inflate at every split", "[codec][ws]") {
  struct {
    std::string_view payload, text;
  } const table[] = {
      {"\xf2\x48\xcd\xc9\xc9\x07\x00"sv, "Hello"},
      {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv, "Hello"},
      {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv, "Hello"},
      {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv, "Hello"},
      {"\x00"sv, ""},
      {"\x02\x00"sv, ""},
  };
  for (auto const& [payload, text] : table) {
    CAPTURE(payload.size());
    inflater in;
    for (std::size_t at = 0; at <= payload.size(); ++at) {
      CHECK(inflate(in, {payload.substr(0, at), payload.substr(at)}) ==
            outcome{std::string(text), {}});
      if (at % 2 == 0) in.reset();
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < payload.size(); ++i) bytes.push_back(payload.substr(i, 1));
    CHECK(inflate(in, bytes).text == text);
  }
}

TEST_CASE("ws deflate: a context taken over is referred to, a forgotten one is not",
          "[codec][ws]") {
  std::string_view const first = "\xf2\x48\xcd\xc9\xc9\x07\x00"sv;
  std::string_view const again = "\xf2\x00\x11\x00\x00"sv;
  inflater in;
  CHECK(inflate(in, {first}).text == "Hello");
  CHECK(inflate(in, {again}) == outcome{"Hello", {}});
  in.reset();
  CHECK(inflate(in, {again}).error == errc::bad_deflate_data);
  CHECK(inflate(in, {first}) == outcome{"Hello", {}});

  deflater keeping(15, 6, 8);
  CHECK(deflate(keeping, "Hello", true) == first);
  CHECK(deflate(keeping, "Hello", true) == again);
  CHECK(deflate(keeping, "Hello", false).size() < first.size());
  CHECK(deflate(keeping, "Hello", false) == first);
  CHECK(deflate(keeping, "Hello", true) == first);
  keeping.reset();
  CHECK(deflate(keeping, "Hello", true) == first);
  keeping.release();
  CHECK(deflate(keeping, "Hello", true) == first);
}

TEST_CASE("ws deflate: an empty message is one zero byte, also amid a context", "[codec][ws]") {
  deflater de;
  inflater in;
  CHECK(deflate(de, "") == "\0"sv);
  CHECK(deflate(de, "", true) == "\0"sv);
  for (int i = 0; i < 3; ++i) {
    CHECK(inflate(in, {deflate(de, "some text, some text", true)}).text == "some text, some text");
    CHECK(inflate(in, {deflate(de, "", true)}) == outcome{"", {}});
  }
  CHECK(deflate(de, "") == "\0"sv);
  in.reset();
  CHECK(inflate(in, {deflate(de, "fresh")}).text == "fresh");
}

TEST_CASE("ws deflate: a message of no bytes is let pass as empty and spoils nothing",
          "[codec][ws]") {
  inflater in;
  CHECK(inflate(in, {}) == outcome{"", {}});
  CHECK(inflate(in, {"\xf2\x48\xcd\xc9\xc9\x07\x00"sv}).text == "Hello");
  CHECK(inflate(in, {""}) == outcome{"", {}});
  CHECK(inflate(in, {"\xf2\x00\x11\x00\x00"sv}) == outcome{"Hello", {}});
}

TEST_CASE("ws deflate: whatever is deflated inflates, for all windows and random pieces",
          "[codec][ws]") {
  std::mt19937 random(7);
  for (int bits = 9; bits <= 15; ++bits) {
    for (int const level : {1, 3, 6, 9}) {
      for (bool const keep : {false, true}) {
        deflater de(bits, level, 1 + static_cast<int>(random() % 9));
        inflater exact(bits);
        inflater wide(15);
        bool good = true;
        for (int round = 0; round < 12; ++round) {
          std::string const text = sample(random, random() % (std::size_t{1} << (random() % 17)));
          byte_buffer out;
          out.append(as_bytes("before"));
          good = good && !de.compress(as_bytes(text), out, keep);
          std::string_view payload = as_text(out.view());
          good = good && payload.starts_with("before");
          payload.remove_prefix(6);
          good = good && inflate(exact, cut(random, payload)) == outcome{text, {}};
          good = good && inflate(wide, cut(random, payload)) == outcome{text, {}};
          if (!keep) {
            exact.reset();
            wide.reset();
          }
        }
        CAPTURE(bits, level, keep);
        CHECK(good);
      }
    }
  }
}

TEST_CASE("ws deflate: a window of 8 bits inflates", "[codec][ws]") {
  inflater in(8);
  deflater de(9);
  std::string const text(5000, 'x');
  CHECK(inflate(in, {deflate(de, text)}) == outcome{text, {}});
}

TEST_CASE("ws deflate: a bomb stops at the limit and takes no more memory than that",
          "[codec][ws]") {
  std::string const bomb = whole_stream(std::string(16 * 1024 * 1024, '\0'), 9, Z_SYNC_FLUSH);
  REQUIRE(bomb.size() < 20 * 1024);
  for (std::size_t const limit :
       {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{16 * 1024},
        std::size_t{100'000}, std::size_t{1024 * 1024}}) {
    CAPTURE(limit);
    inflater in;
    byte_buffer out;
    CHECK(in.append(as_bytes(std::string_view(bomb).substr(0, 2048)), out, limit) ==
          errc::message_too_big);
    CHECK(out.size() == limit);
    CHECK(out.capacity() <= 2 * limit + 512);
    // The same inflater is as new.
    CHECK(inflate(in, {"\xf2\x48\xcd\xc9\xc9\x07\x00"sv}) == outcome{"Hello", {}});
  }
}

TEST_CASE("ws deflate: the limit is exact and counts what the buffer held before", "[codec][ws]") {
  std::mt19937 random(3);
  for (std::size_t const size : {std::size_t{1}, std::size_t{5}, std::size_t{16 * 1024},
                                 std::size_t{16 * 1024 + 1}, std::size_t{70'000}}) {
    CAPTURE(size);
    std::string const text = sample(random, size);
    deflater de;
    std::string const payload = deflate(de, text);
    CHECK(inflate(payload, size) == outcome{text, {}});
    CHECK(inflate(payload, size - 1).error == errc::message_too_big);
    CHECK(inflate(payload, size - 1).text == text.substr(0, size - 1));
    CHECK(inflate(payload, std::numeric_limits<std::size_t>::max()).text == text);

    inflater in;
    byte_buffer out;
    out.append(as_bytes("12345"));
    CHECK(in.append(as_bytes(payload), out, size + 4) == errc::message_too_big);
    CHECK(out.size() == size + 4);
    CHECK(in.append(as_bytes(payload), out, 3) == errc::message_too_big);
    CHECK(out.size() == size + 4);
  }
  CHECK(inflate("\0"sv, 0) == outcome{"", {}});
}

TEST_CASE("ws deflate: a small message takes a small buffer", "[codec][ws]") {
  inflater in;
  byte_buffer out;
  CHECK_FALSE(in.append(as_bytes("\xf2\x48\xcd\xc9\xc9\x07\x00"sv), out, plenty));
  CHECK_FALSE(in.finish(out, plenty));
  CHECK(out.capacity() <= 512);
}

TEST_CASE("ws deflate: a truncated message is refused at every length", "[codec][ws]") {
  deflater de(15, 6, 8);
  std::string const payload =
      deflate(de, "The quick brown fox jumps over the lazy dog, twice over");
  inflater in;
  for (std::size_t size = 1; size + 1 < payload.size(); ++size) {
    CAPTURE(size);
    CHECK(inflate(in, {std::string_view(payload).substr(0, size)}).error == errc::bad_deflate_data);
    CHECK(inflate(in, {payload}).error == std::error_code{});
    in.reset();
  }
}

TEST_CASE("ws deflate: corrupt data is refused and leaves the inflater as new", "[codec][ws]") {
  std::string_view const table[] = {
      "\x06"sv,                       // reserved block type
      "\x00\x05\x00\xfa\xfeHello"sv,  // stored length that contradicts itself
      "\x02\x00\x11\x00"sv,           // a match with nothing behind it
      "\xf2\x00\x11\x00\x00"sv,
      "\x04\x00\xff\xff\xff\xff"sv,
      "\xff\xff\xff\xff"sv,
      "\x00\x00"sv,
      "\x00\x00\x00\xff\xff"sv,  // the closing marker that should have been left off
      "\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00"sv,  // a zlib header
      "\x1f\x8b\x08\x00\x00\x00\x00\x00"sv,      // gzip
      "Hello, this is no deflate data"sv,
  };
  inflater in;
  for (auto const payload : table) {
    CAPTURE(payload.size());
    bool const marker = payload == "\x00\x00\x00\xff\xff"sv;
    if (!marker) CHECK(inflate(in, {payload}).error == errc::bad_deflate_data);
    CHECK(inflate(in, {"\xf2\x48\xcd\xc9\xc9\x07\x00"sv}) == outcome{"Hello", {}});
    in.reset();
  }
}

TEST_CASE("ws deflate: final blocks may be followed by more, or end the message", "[codec][ws]") {
  std::string const hello = whole_stream("Hello", 6, Z_FINISH);
  CHECK(hello == "\xf3\x48\xcd\xc9\xc9\x07\x00"sv);
  inflater in;
  CHECK(inflate(in, {hello}) == outcome{"Hello", {}});
  CHECK(inflate(in, {hello, hello, "\0"sv}) == outcome{"HelloHello", {}});
  CHECK(inflate(in, {hello + hello + hello}) == outcome{"HelloHelloHello", {}});
  CHECK(inflate(in, {hello + "\xf2\x48\xcd\xc9\xc9\x07\x00"s}) == outcome{"HelloHello", {}});
  // The context ends with the stream.
  CHECK(inflate(in, {hello + "\xf2\x00\x11\x00\x00"s}).error == errc::bad_deflate_data);
  CHECK(inflate(in, {hello + "garbage"}).error == errc::bad_deflate_data);
  CHECK(inflate(in, {hello, "\x06"}).error == errc::bad_deflate_data);

  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "\x03\x00"sv;
  CHECK(inflate(in, {many}) == outcome{"", {}});
  CHECK(inflate(many, 0) == outcome{"", {}});
}

TEST_CASE("ws deflate: many stored blocks, empty or not, stay within the limit", "[codec][ws]") {
  std::string empties;
  for (int i = 0; i < 200'000; ++i) empties += "\x00\x00\x00\xff\xff"sv;
  empties += '\0';
  CHECK(inflate(empties, 0) == outcome{"", {}});
  std::string singles;
  for (int i = 0; i < 50'000; ++i) singles += "\x00\x01\x00\xfe\xff\x61"sv;
  singles += '\0';
  CHECK(inflate(singles, 50'000) == outcome{std::string(50'000, 'a'), {}});
  CHECK(inflate(singles, 49'999).error == errc::message_too_big);
  CHECK(inflate(singles, 49'999).text.size() == 49'999);
  std::string const stored = whole_stream(std::string(300'000, 'b'), 0, Z_SYNC_FLUSH);
  CHECK(inflate(stored.substr(0, stored.size() - 4)).text == std::string(300'000, 'b'));
}

TEST_CASE("ws deflate: random bytes end in text or an error, within the limit", "[codec][ws]") {
  std::mt19937 random(11);
  inflater in(12);
  bool good = true;
  for (int round = 0; round < 20'000; ++round) {
    std::string payload(random() % 64, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    std::size_t const limit = random() % 200;
    outcome const got = inflate(in, cut(random, payload), limit);
    good = good && got.text.size() <= limit;
    in.reset();
  }
  CHECK(good);
  CHECK(inflate(in, {"\xf2\x48\xcd\xc9\xc9\x07\x00"sv}).text == "Hello");
}

TEST_CASE("ws deflate: both halves can be moved, released and reused", "[codec][ws]") {
  deflater de(12, 3, 5);
  inflater in(12);
  std::string const text = "moved, moved, moved and moved again";
  CHECK(inflate(in, {deflate(de, text, true)}).text == text);
  deflater de2 = std::move(de);
  inflater in2 = std::move(in);
  CHECK(inflate(in2, {deflate(de2, text, true)}).text == text);
  in2.release();
  de2.release();
  CHECK(inflate(in2, {deflate(de2, text, true)}).text == text);
  byte_buffer out;
  CHECK_FALSE(in2.append(as_bytes("\xf2\x48"sv), out, plenty));
  in2.release();
  CHECK(inflate(in2, {deflate(de2, "", true)}) == outcome{"", {}});
}

TEST_CASE("ws deflate: a warm deflater writes into the room that there is", "[codec][ws]") {
  deflater de(12, 3, 5);
  std::mt19937 random(5);
  byte_buffer out;
  (void)out.prepare(8192);
  std::size_t const capacity = out.capacity();
  std::string const text = sample(random, 4000);
  for (int i = 0; i < 100; ++i) {
    out.clear();
    CHECK_FALSE(de.compress(as_bytes(text), out, i % 2 == 0));
    CHECK(out.capacity() == capacity);
  }
}

TEST_CASE("ws deflate: an impossible construction is an error, not a crash", "[codec][ws]") {
  byte_buffer out;
  CHECK(deflater(8, 3, 5).compress(as_bytes("x"), out, false) == errc::bad_argument);
  CHECK(deflater(16, 3, 5).compress(as_bytes("x"), out, false) == errc::bad_argument);
  CHECK(deflater(15, 10, 5).compress(as_bytes("x"), out, false) == errc::bad_argument);
  CHECK(deflater(15, 3, 10).compress(as_bytes("x"), out, false) == errc::bad_argument);
  CHECK(inflater(16).append(as_bytes("x"), out, 10) == errc::bad_argument);
  CHECK(out.empty());
}

#endif
