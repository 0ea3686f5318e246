// Compressed bodies: who takes gzip, and what it is.
#include <hawser/codec/http/content_coding.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

#if HAWSER_WITH_DEFLATE
#include <zlib.h>
#endif

using namespace hawser::http;

namespace {

bool takes_gzip(std::vector<std::string> const& values) {
  std::vector<field> fields{{"Host", "example.com"}};
  for (std::string const& value : values) fields.push_back({"accept-encoding", value});
  auto const made = request::make("GET", "/", fields);
  REQUIRE(made);
  return accepts_gzip(*made);
}

}  // namespace

TEST_CASE("http content coding: gzip is for those who name it", "[codec][http]") {
  CHECK_FALSE(takes_gzip({}));
  CHECK_FALSE(takes_gzip({""}));
  CHECK(takes_gzip({"gzip"}));
  CHECK(takes_gzip({"GZip"}));
  CHECK(takes_gzip({"br, deflate , gzip"}));
  CHECK(takes_gzip({"br", "gzip"}));
  CHECK(takes_gzip({"gzip;q=0.5"}));
  CHECK(takes_gzip({"gzip ; q=1"}));
  CHECK(takes_gzip({"br;q=0, gzip;q=0.001"}));
  CHECK_FALSE(takes_gzip({"br"}));
  CHECK_FALSE(takes_gzip({"x-gzip, gzipped"}));
  CHECK_FALSE(takes_gzip({"*"}));
  CHECK_FALSE(takes_gzip({",;,"}));
}

TEST_CASE("http content coding: a weight of zero is a no", "[codec][http]") {
  CHECK_FALSE(takes_gzip({"gzip;q=0"}));
  CHECK_FALSE(takes_gzip({"gzip; q=0.000"}));
  CHECK_FALSE(takes_gzip({"gzip;Q=0"}));
  CHECK_FALSE(takes_gzip({"br, gzip;q=0, deflate;q=1"}));
}

#if HAWSER_WITH_DEFLATE
TEST_CASE("http content coding: what is compressed comes back", "[codec][http]") {
  for (std::size_t const size : {0u, 1u, 100u, 70'000u}) {
    std::string text;
    while (text.size() < size) text += "a polling body, " + std::to_string(text.size());
    text.resize(size);
    std::string const packed = gzip(hawser::as_bytes(text));
    REQUIRE(packed.size() > 10);
    CHECK(packed.substr(0, 2) == "\x1f\x8b");
    if (size > 1'000) CHECK(packed.size() < size / 2);

    z_stream stream{};
    REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
    std::string in = packed;
    std::string out(size + 1, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    CHECK(stream.avail_in == 0);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    CHECK(out == text);
  }
}
#endif
