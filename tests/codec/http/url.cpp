// URLs, percent-decoding and query parameters.
#include <hawser/codec/http/url.hpp>

#include <string>

#include <catch2/catch.hpp>

using namespace std::string_literals;
using hawser::errc;
using hawser::http::parse_url;
using hawser::http::percent_decode;
using hawser::http::query_value;

TEST_CASE("http url: what a client can dial is read", "[codec][http]") {
  struct {
    char const *text, *scheme, *host;
    unsigned port;
    char const *target, *host_field;
    bool secure;
  } const rows[] = {
      {"ws://a", "ws", "a", 80, "/", "a", false},
      {"WSS://Example.COM/x?y=%20", "wss", "example.com", 443, "/x?y=%20", "example.com", true},
      {"http://a:80/", "http", "a", 80, "/", "a", false},
      {"https://a:80?q", "https", "a", 80, "/?q", "a:80", true},
      {"ws://[::1]:3000//x", "ws", "::1", 3000, "//x", "[::1]:3000", false},
      {"wss://[::FFFF:1.2.3.4]", "wss", "::ffff:1.2.3.4", 443, "/", "[::ffff:1.2.3.4]", true},
      {"ws://127.0.0.1:65535/%zz", "ws", "127.0.0.1", 65535, "/%zz", "127.0.0.1:65535", false},
  };
  for (auto const& r : rows) {
    CAPTURE(r.host);
    auto const read = parse_url(r.text);
    REQUIRE(read);
    CHECK(read->scheme == r.scheme);
    CHECK(read->host == r.host);
    CHECK(read->port == r.port);
    CHECK(read->target == r.target);
    CHECK(read->host_field() == r.host_field);
    CHECK(read->secure == r.secure);
    CHECK_FALSE(read->is_unix);
  }
  auto const local = parse_url("ws+unix:/run/game.sock:/chat?x=a:b");
  REQUIRE(local);
  CHECK(local->is_unix);
  CHECK(local->scheme == "ws");
  CHECK(local->unix_path == "/run/game.sock");
  CHECK(local->target == "/chat?x=a:b");
  CHECK(local->host_field() == "localhost");
  CHECK(parse_url("http+unix:/run/game.sock")->target == "/");
}

TEST_CASE("http url: everything else is refused", "[codec][http]") {
  for (std::string const& text : {""s,
                                  "a"s,
                                  "ws"s,
                                  "ws:"s,
                                  "ws:/a"s,
                                  "ws://"s,
                                  "ws:///x"s,
                                  "://a"s,
                                  "ftp://a"s,
                                  "wsss://a"s,
                                  " ws://a"s,
                                  "ws://a "s,
                                  "ws://a/ b"s,
                                  "ws://a/\r\nX: 1"s,
                                  "ws://a\0"s,
                                  "ws://a/\xc3\xa9"s,
                                  "ws://u@a"s,
                                  "ws://u:p@a"s,
                                  "ws://a#f"s,
                                  "ws://a/#f"s,
                                  "ws://a/x#"s,
                                  "ws://a:"s,
                                  "ws://a:0"s,
                                  "ws://a:65536"s,
                                  "ws://a:x"s,
                                  "ws://::1"s,
                                  "ws://[::1"s,
                                  "ws://[1]"s,
                                  "ws://a..b"s,
                                  "ws://a\\b"s,
                                  "ws://%61"s,
                                  "ws+unix:"s,
                                  "ws+unix:x"s,
                                  "ws+unix://x"s,
                                  "ws+unix:/x:y"s,
                                  "wss+unix:/x"s,
                                  "ws://a/" + std::string(9000, 'x')}) {
    CAPTURE(text);
    CHECK(parse_url(text).error() == errc::bad_url);
  }
}

TEST_CASE("http url: percent-decoding is exact or nothing", "[codec][http]") {
  CHECK(percent_decode("") == "");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("%41%62%2F%2f") == "Ab//");
  CHECK(percent_decode("%00") == "\0"s);
  CHECK(percent_decode("%25%34%31") == "%41");  // once, not twice
  for (char const* bad : {"%", "%4", "a%", "%g0", "%0g", "%%41", "% 1", "%+1"}) {
    CHECK(percent_decode(bad) == std::nullopt);
  }
}

TEST_CASE("http url: query parameters are found by name", "[codec][http]") {
  CHECK(query_value("EIO=4&transport=polling", "transport") == "polling");
  CHECK(query_value("?EIO=4", "EIO") == "4");
  CHECK(query_value("a=1&a=2", "a") == "1");
  CHECK(query_value("a", "a") == "");
  CHECK(query_value("a=&b", "a") == "");
  CHECK(query_value("&&b=x=y&", "b") == "x=y");
  CHECK(query_value("aa=1", "a") == std::nullopt);
  CHECK(query_value("", "a") == std::nullopt);
  CHECK(query_value("", "") == std::nullopt);
  CHECK(query_value("&", "") == std::nullopt);
  CHECK(query_value("m=a+b%2Bc", "m") == "a b+c");
  CHECK(query_value("%61=1", "a") == "1");
  CHECK(query_value("%zz=1&a=2", "a") == "2");
  CHECK(query_value("a=%zz&a=2", "a") == std::nullopt);
}
