// Bodies by length and in chunks.
#include <hawser/codec/http/body.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "split.hpp"

using hawser::byte_buffer;
using hawser::errc;
using hawser::http::body_reader;
using hawser::http::field;
using hawser::http::request;
using hawser_test::outcome;

namespace {

request framed(field how) {
  std::vector<field> const fields{{"Host", "a"}, how};
  return *request::make("POST", "/", fields);
}

request chunked() { return framed({"Transfer-Encoding", "chunked"}); }

struct reading {
  outcome seen;
  std::string body;
  bool operator==(reading const&) const = default;
};

reading read(request const& head, std::string_view bytes, std::uint64_t limit, std::size_t first,
             std::size_t step) {
  body_reader reader(head, limit);
  byte_buffer body;
  auto const parse = [&](std::string_view piece) { return reader.parse(piece, body); };
  outcome const seen = hawser_test::feed(parse, bytes, first, step);
  return {seen, std::string(hawser::as_text(body.view()))};
}

/// The reading of the whole, checked against every cut in two and byte by byte.
reading read(request const& head, std::string_view bytes, std::uint64_t limit = 1000) {
  reading const whole = read(head, bytes, limit, bytes.size(), 1);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    CHECK(read(head, bytes, limit, cut, bytes.size()) == whole);
  }
  CHECK(read(head, bytes, limit, 1, 1) == whole);
  return whole;
}

}  // namespace

TEST_CASE("http body: a length is read to its end and no further", "[codec][http]") {
  auto const done = read(framed({"Content-Length", "5"}), "hello, world");
  CHECK(done == reading{{5, true, {}}, "hello"});
  auto const half = read(framed({"Content-Length", "5"}), "hel");
  CHECK(half == reading{{3, false, {}}, "hel"});
  CHECK(body_reader(framed({"Content-Length", "0"}), 0).done());
  CHECK(body_reader(framed({"X", "no body"}), 0).done());
}

TEST_CASE("http body: a length over the limit is refused before its bytes", "[codec][http]") {
  for (auto const* length : {"9", "10", "11", "9999999999999999999"}) {
    body_reader reader(framed({"Content-Length", length}), 10);
    byte_buffer body;
    auto const now = reader.parse("x", body);
    bool const fits = std::string_view(length) == "9" || std::string_view(length) == "10";
    CHECK(now.consumed == (fits ? 1u : 0u));
    CHECK((now.error == errc::body_too_large) == !fits);
    CHECK(body.size() == now.consumed);
  }
}

TEST_CASE("http body: chunks are joined, however they are cut", "[codec][http]") {
  std::string const much(0xab, 'x');
  std::string const good =
      "5\r\nhello\r\n0000000000000002\r\n, \r\naB\r\n" + much + "\r\n4\r\n\r\n\r\n\r\n000\r\n\r\n";
  CHECK(read(chunked(), good + "GET /") ==
        reading{{good.size(), true, {}}, "hello, " + much + "\r\n\r\n"});
  CHECK(read(chunked(), "0\r\n\r\n") == reading{{5, true, {}}, ""});
}

TEST_CASE("http body: anything but plain chunks is refused", "[codec][http]") {
  for (std::string const bytes : {"g\r\n",
                                  "@\r\n",
                                  ";\r\n",
                                  "\r\n",
                                  "5;a=b\r\nhello\r\n",
                                  "5 \r\nhello\r\n",
                                  " 5\r\nhello\r\n",
                                  "5;\r\nhello\r\n",
                                  "5;a=\"\r\n\"\r\n",
                                  "+5\r\nhello\r\n",
                                  "-5\r\n",
                                  "0x5\r\nhello\r\n",
                                  "5\nhello\r\n",
                                  "5\r\r\nhello",
                                  "5\rhello",
                                  "5\r\nhello0\r\n\r\n",
                                  "5\r\nhello\n0\r\n\r\n",
                                  "5\r\nhello\r0\r\n\r\n",
                                  "5\r\nhello\r\n\r\n",
                                  "5\r\nhello!\r\n",
                                  "00000000000000005\r\nhello\r\n",
                                  "0\r\nTrailer: 1\r\n\r\n",
                                  "0\r\n\n",
                                  "0\n\n",
                                  "0\r\n\r\r",
                                  "0;x\r\n\r\n",
                                  "\xff",
                                  "5\t\r\nhello\r\n"}) {
    CAPTURE(bytes);
    auto const seen = read(chunked(), bytes);
    CHECK(seen.seen.error == errc::bad_chunk);
    CHECK_FALSE(seen.seen.done);
  }
}

TEST_CASE("http body: the limits of chunks", "[codec][http]") {
  CHECK(read(chunked(), "5\r\nhello\r\n4\r\nworl\r\n0\r\n\r\n", 10).seen.done);
  CHECK(read(chunked(), "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 10).seen.done);
  auto const over = read(chunked(), "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", 10);
  CHECK(over.seen.error == errc::body_too_large);
  CHECK(over.body == "hello");
  CHECK(read(chunked(), "ffffffffffffffff\r\n").seen.error == errc::body_too_large);
  CHECK(read(chunked(), "8000000000000000\r\n").seen.error == errc::body_too_large);
  for (std::size_t chunks :
       {body_reader::max_chunks - 1, body_reader::max_chunks, body_reader::max_chunks + 1}) {
    std::string bytes;
    for (std::size_t i = 0; i < chunks; ++i) bytes += "1\r\nx\r\n";
    bytes += "0\r\n\r\n";
    auto const seen = read(chunked(), bytes, 1 << 20, bytes.size(), 1);
    bool const fits = chunks <= body_reader::max_chunks;
    CHECK(seen.seen.done == fits);
    CHECK((seen.seen.error == errc::body_too_large) == !fits);
    CHECK(seen.body.size() == std::min(chunks, body_reader::max_chunks));
  }
}
