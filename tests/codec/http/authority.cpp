// Hosts, ports and IP literals.
#include <hawser/codec/http/authority.hpp>

#include <string>

#include <catch2/catch.hpp>

namespace http = hawser::http;

TEST_CASE("http authority: IPv6 literals follow RFC 4291", "[codec][http]") {
  for (char const* good : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8", "1:2:3:4:5:6:7::",
                           "::2:3:4:5:6:7:8", "fe80::1", "ABCD:ef01::", "::1.2.3.4",
                           "::ffff:255.255.255.255", "1:2:3:4:5:6:1.2.3.4", "1::1.2.3.4"}) {
    CAPTURE(good);
    CHECK(http::is_ipv6(good));
  }
  for (char const* bad : {"",
                          ":",
                          ":::",
                          "1",
                          "1:",
                          ":1",
                          "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9",
                          "1::2::3",
                          "12345::",
                          "g::",
                          "1:2:3:4:5:6:7:8::",
                          "::1:2:3:4:5:6:7:8",
                          "1:2:3:4:5:6:7:1.2.3.4",
                          "::1.2.3",
                          "::1.2.3.4.5",
                          "::256.1.1.1",
                          "::01.2.3.4",
                          "1.2.3.4",
                          "1.2.3.4::",
                          "fe80::1%eth0",
                          "::1 ",
                          "1:2:3:4:5:6:7:"}) {
    CAPTURE(bad);
    CHECK_FALSE(http::is_ipv6(bad));
  }
}

TEST_CASE("http authority: host and port are told apart", "[codec][http]") {
  auto const name = http::parse_authority("Example.com:8080");
  REQUIRE(name);
  CHECK(name->host == "Example.com");
  CHECK(name->port == 8080);
  CHECK_FALSE(name->ipv6);
  auto const literal = http::parse_authority("[::1]");
  REQUIRE(literal);
  CHECK(literal->host == "::1");
  CHECK_FALSE(literal->port);
  CHECK(literal->port_or(80) == 80);
  CHECK(literal->ipv6);
  for (std::string const bad : {"", ":", "a:", "a:x", "a:000080", "a:-1", "[]", "[::1]:", "[::1]1",
                                "[a]", "a]", "a b", "a@b", "a/b", "a?b", "a\\b", "a%41"}) {
    CAPTURE(bad);
    CHECK_FALSE(http::parse_authority(bad));
  }
  CHECK(http::parse_authority(std::string(255, 'a')));
  CHECK_FALSE(http::parse_authority(std::string(256, 'a')));
}
