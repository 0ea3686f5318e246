// Base64, strict.
#include <hawser/codec/base64.hpp>

#include <string>

#include <catch2/catch.hpp>

using namespace std::string_literals;
using hawser::as_bytes;
using hawser::codec::base64_decode;
using hawser::codec::base64_encode;

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
  }
}
