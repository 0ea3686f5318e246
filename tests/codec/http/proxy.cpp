// What is said to an HTTP proxy, and what its answer means.
#include <hawser/codec/http/proxy.hpp>

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include <hawser/codec/http/parse.hpp>

namespace http = hawser::http;
using hawser::errc;
using namespace std::literals;

namespace {

std::error_code answered(std::string const& status) {
  http::response_parser parser;
  REQUIRE(parser.parse("HTTP/1.1 " + status + " x\r\n\r\n").done);
  return http::check_connect(parser.take());
}

}  // namespace

TEST_CASE("http proxy: the request names host and port", "[codec][http]") {
  CHECK(*http::write_connect("game.example.com", 443) ==
        "CONNECT game.example.com:443 HTTP/1.1\r\nHost: game.example.com:443\r\n\r\n");
  CHECK(*http::write_connect("192.0.2.1", 80) ==
        "CONNECT 192.0.2.1:80 HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n");
  CHECK(*http::write_connect("2001:db8::1", 8080) ==
        "CONNECT [2001:db8::1]:8080 HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n");
}

TEST_CASE("http proxy: credentials go along in base64", "[codec][http]") {
  CHECK(*http::write_connect("h", 1, {"Aladdin", "open sesame"}) ==
        "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n"
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  CHECK(*http::write_basic({"", "a:b"}) == "Basic OmE6Yg==");
  CHECK(*http::write_basic({"user", ""}) == "Basic dXNlcjo=");
  CHECK(*http::write_basic({"test", "123\xc2\xa3"}) == "Basic dGVzdDoxMjPCow==");  // RFC 7617 2.1
}

TEST_CASE("http proxy: what could break the request apart is refused", "[codec][http]") {
  for (std::string_view const host :
       {""sv, "a b"sv, "a:1"sv, "[::1]"sv, "a\r\nX: y"sv, "a/b"sv, "user@a"sv, "a..b"sv, "\0"sv}) {
    CAPTURE(host);
    CHECK(http::write_connect(host, 1).error() == errc::bad_argument);
  }
  CHECK(http::write_connect("a", 0).error() == errc::bad_argument);
  for (std::string_view const text : {"a\r\n"sv, "\0"sv, "\x7f"sv, "a\tb"sv}) {
    CHECK(http::write_connect("a", 1, {text, "b"}).error() == errc::bad_argument);
    CHECK(http::write_connect("a", 1, {"b", text}).error() == errc::bad_argument);
  }
  CHECK(http::write_connect("a", 1, {"us:er", "b"}).error() == errc::bad_argument);
}

TEST_CASE("http proxy: 2xx is a tunnel, 407 asks for credentials", "[codec][http]") {
  for (char const* const status : {"200", "204", "299"}) CHECK(!answered(status));
  CHECK(answered("407") == errc::proxy_auth_required);
  for (char const* const status : {"100", "101", "301", "400", "403", "502", "599"}) {
    CHECK(answered(status) == errc::proxy_refused);
  }
}
