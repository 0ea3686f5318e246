// Base64, strict.
#include <hawser/codec/base64.hpp>

#include <string>

#include <catch2/catch.hpp>

using namespace std::string_literals;
using hawser::as_bytes;
using hawser::as_text;
using hawser::codec::base64_decode;
using hawser::codec::base64_decode_in_place;
using hawser::codec::base64_encode;
using hawser::codec::base64url_encode;

TEST_CASE("base64: the vectors of RFC 4648", "[codec]") {
  char const* const rows[][2] = {{"", ""},
                                 {"f", "Zg=="},
                                 {"fo", "Zm8="},
                                 {"foo", "Zm9v"},
                                 {"foob", "Zm9vYg=="},
                                 {"fooba", "Zm9vYmE="},
                                 {"foobar", "Zm9vYmFy"}};
  for (auto const& r : rows) {
    CHECK(base64_encode(as_bytes(r[0])) == r[1]);
    CHECK(base64_decode(r[1]) == r[0]);
  }
}

TEST_CASE("base64: every octet and length survives", "[codec]") {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(255 - c);
    CHECK(base64_decode(base64_encode(as_bytes(all))) == all);
  }
}

TEST_CASE("base64: only the canonical text is read", "[codec]") {
  for (std::string const& bad :
       {"Z"s,    "Zg"s,    "Zg="s,      "Zg==="s,  "===="s, "="s,    "Z==="s,
        "Zh=="s, "Zm9="s,  "Zg==Zg=="s, "Zg==\n"s, "Zm 9"s, " Zm9"s, "Zm9-"s,
        "Zm9_"s, "Zm\0v"s, "Zm9\xff"s,  "=Zm9"s,   "Z=m9"s, "Zm=v"s}) {
    CAPTURE(bad);
    CHECK(base64_decode(bad) == std::nullopt);
    std::string copy = bad;
    CHECK_FALSE(base64_decode_in_place({reinterpret_cast<std::byte*>(copy.data()), copy.size()}));
  }
}

TEST_CASE("base64: appended, and decoded where it lies", "[codec]") {
  std::string all;
  hawser::byte_buffer text;
  for (int c = 0; c < 300; ++c) {
    text.clear();
    text.append(as_bytes("b"));
    hawser::codec::base64_append(text, as_bytes(all));
    CHECK(as_text(text.view()) == "b" + base64_encode(as_bytes(all)));
    CHECK(text.size() == 1 + hawser::codec::base64_size(all.size()));
    auto const encoded = text.mutable_view().subspan(1);
    auto const decoded = base64_decode_in_place(encoded);
    REQUIRE(decoded);
    CHECK(as_text(*decoded) == all);
    CHECK(decoded->data() == encoded.data());
    all += static_cast<char>(c * 7);
  }
  CHECK(base64_decode_in_place({})->empty());
}

TEST_CASE("base64url: identifiers have no padding", "[codec]") {
  char const* const rows[][2] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff\xbf", "-_-_"}};
  for (auto const& r : rows) CHECK(base64url_encode(as_bytes(r[0])) == r[1]);
  CHECK(base64url_encode(as_bytes("123456789012345678")).size() == 24);
}
