// Request and response heads: what is accepted, what is refused, limits, splits.
#include <hawser/codec/http/parse.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "split.hpp"

using namespace std::string_literals;
using hawser::errc;
using hawser::http::head_limits;
using hawser::http::request;
using hawser::http::request_parser;
using hawser::http::response;
using hawser::http::response_parser;
using hawser_test::at_every_split;
using hawser_test::outcome;

namespace {

request_parser new_request_parser() { return request_parser(); }
response_parser new_response_parser() { return response_parser(); }

struct row {
  std::string bytes;
  errc error;
};

std::string head(std::string const& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}
std::string with_target(std::string const& target, std::string const& host = "a") {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}
std::string with_host(std::string const& value) {
  return "GET / HTTP/1.1\r\nHost:" + value + "\r\n\r\n";
}

std::vector<row> refused_requests() {
  std::string const cl = "Content-Length: ";
  std::string const te = "Transfer-Encoding: ";
  return {
      // request line
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GeT / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s, errc::bad_request_line},
      {"AAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET\r\n\r\n", errc::bad_request_line},
      {"GET /\r\n\r\n", errc::bad_request_line},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_target},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / a HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.11\r\nHost: a\r\n\r\n", errc::bad_request_line},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", errc::unsupported_http_version},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", errc::unsupported_http_version},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", errc::unsupported_http_version},
      {"GET / HTTP/11\r\nHost: a\r\n\r\n", errc::unsupported_http_version},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", errc::unsupported_http_version},
      {"\x16\x03\x01\x02"s, errc::bad_request_line},
      // target
      {with_target("*"), errc::bad_target},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", errc::bad_target},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", errc::bad_target},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", errc::bad_target},
      {with_target("ftp://a/"), errc::bad_target},
      {with_target("http:/a/"), errc::bad_target},
      {with_target("http://"), errc::bad_target},
      {with_target("http:///x"), errc::bad_target},
      {with_target("http://u@a/"), errc::bad_target},
      {with_target("http://b/"), errc::bad_host},
      {with_target("http://a:81/"), errc::bad_host},
      {with_target("https://a/", "a:80"), errc::bad_host},
      {with_target("/a#b"), errc::bad_target},
      {with_target("/\x80"), errc::bad_target},
      {with_target("/\xc3\xa9"), errc::bad_target},
      {with_target("/a\0b"s), errc::bad_target},
      {with_target("/a\tb"), errc::bad_target},
      {with_target("/a\x7f"), errc::bad_target},
      {with_target("/a\nb"), errc::bad_target},
      {with_target("/a\rb"), errc::bad_request_line},
      {with_target("relative"), errc::bad_target},
      // fields
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", errc::bad_field},
      {head("X: 1\r\n folded\r\n"), errc::bad_field},
      {head("X: 1\r\n\tfolded\r\n"), errc::bad_field},
      {head("X : 1\r\n"), errc::bad_field},
      {head("X\t: 1\r\n"), errc::bad_field},
      {head(": 1\r\n"), errc::bad_field},
      {head("X\r\n"), errc::bad_field},
      {head("X Y: 1\r\n"), errc::bad_field},
      {head("X(: 1\r\n"), errc::bad_field},
      {head("X\x80: 1\r\n"), errc::bad_field},
      {head("X\0: 1\r\n"s), errc::bad_field},
      {head("X: a\0b\r\n"s), errc::bad_field},
      {head("X: a\x01\r\n"), errc::bad_field},
      {head("X: a\x1b[0m\r\n"), errc::bad_field},
      {head("X: a\x7f\r\n"), errc::bad_field},
      {head("X: a\x0b\r\n"), errc::bad_field},
      {head("X: a\nY: b\r\n"), errc::bad_field},
      {head("X: a\n"), errc::bad_field},
      {head("X: a\rY: b\r\n"), errc::bad_field},
      {head("X: a\r\r\n"), errc::bad_field},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", errc::bad_field},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", errc::bad_field},
      {"GET / HTTP/1.1\r\nHost: a\n\n", errc::bad_field},
      // Host
      {"GET / HTTP/1.1\r\n\r\n", errc::bad_host},
      {"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", errc::bad_host},
      {with_host(""), errc::bad_host},
      {with_host(" "), errc::bad_host},
      {head("Host: a\r\n"), errc::bad_host},
      {head("hOST: b\r\n"), errc::bad_host},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", errc::bad_host},
      {"GET / HTTP/1.0\r\nHost:\r\n\r\n", errc::bad_host},
      {with_host(" a b"), errc::bad_host},
      {with_host(" a,b"), errc::bad_host},
      {with_host(" a/"), errc::bad_host},
      {with_host(" u@a"), errc::bad_host},
      {with_host(" a:"), errc::bad_host},
      {with_host(" a:0"), errc::bad_host},
      {with_host(" a:65536"), errc::bad_host},
      {with_host(" a:+80"), errc::bad_host},
      {with_host(" a:80:80"), errc::bad_host},
      {with_host(" :80"), errc::bad_host},
      {with_host(" .a"), errc::bad_host},
      {with_host(" a..b"), errc::bad_host},
      {with_host(" a%2e"), errc::bad_host},
      {with_host(" \xd0\xb5"), errc::bad_host},
      {with_host(" ::1"), errc::bad_host},
      {with_host(" [::1"), errc::bad_host},
      {with_host(" [::1]x"), errc::bad_host},
      {with_host(" [1:2]"), errc::bad_host},
      {with_host(" [fe80::1%25eth0]"), errc::bad_host},
      // body framing
      {head(cl + "\r\n"), errc::bad_content_length},
      {head(cl + "+5\r\n"), errc::bad_content_length},
      {head(cl + "-5\r\n"), errc::bad_content_length},
      {head(cl + "5,5\r\n"), errc::bad_content_length},
      {head(cl + "5, 6\r\n"), errc::bad_content_length},
      {head(cl + "5 5\r\n"), errc::bad_content_length},
      {head(cl + "0x5\r\n"), errc::bad_content_length},
      {head(cl + "5.0\r\n"), errc::bad_content_length},
      {head(cl + "12345678901234567890\r\n"), errc::bad_content_length},
      {head(cl + "5\r\n" + cl + "5\r\n"), errc::bad_content_length},
      {head(cl + "5\r\n" + cl + "6\r\n"), errc::bad_content_length},
      {head(cl + "5\r\nX: 1\r\ncontent-length: 5\r\n"), errc::bad_content_length},
      {head(cl + "5\r\n" + te + "chunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked\r\n" + cl + "5\r\n"), errc::bad_transfer_encoding},
      {head(te + "\r\n"), errc::bad_transfer_encoding},
      {head(te + "identity\r\n"), errc::bad_transfer_encoding},
      {head(te + "gzip, chunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked, identity\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked,\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked;q=1\r\n"), errc::bad_transfer_encoding},
      {head(te + "xchunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "Chunked\r\n"), errc::bad_transfer_encoding},
      {head(te + " chunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "\tchunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked \r\n"), errc::bad_transfer_encoding},
      {head(te + "\"chunked\"\r\n"), errc::bad_transfer_encoding},
      {head(te + "\x0b"
                 "chunked\r\n"),
       errc::bad_field},
      {head(te + "chunked\r\n" + te + "chunked\r\n"), errc::bad_transfer_encoding},
      {head(te + "chunked\r\n" + te + "identity\r\n"), errc::bad_transfer_encoding},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", errc::bad_transfer_encoding},
  };
}

std::string get_request(std::string_view bytes, request& into) {
  request_parser parser;
  auto const now = parser.parse(bytes);
  if (!now.done) return now.error.message();
  into = parser.take();
  return {};
}

/// The outcome for a head under some limits.
outcome under(head_limits limits, std::string_view bytes) {
  auto const make = [&] { return request_parser(limits); };
  auto const whole = hawser_test::run(make, bytes, bytes.size(), 1);
  auto const bytewise = hawser_test::run(make, bytes, 1, 1);
  CHECK(whole == bytewise);
  return whole;
}

}  // namespace

TEST_CASE("http parse: every malformed request is refused, however it is cut", "[codec][http]") {
  auto const rows = refused_requests();
  CHECK(rows.size() >= 64);
  for (row const& r : rows) {
    CAPTURE(r.bytes);
    outcome const seen = at_every_split(new_request_parser, r.bytes);
    CHECK(seen.error == r.error);
    CHECK_FALSE(seen.done);
    CHECK(seen.consumed <= r.bytes.size());
  }
}

TEST_CASE("http parse: a request is read, however it is cut", "[codec][http]") {
  std::string const bytes =
      "POST /socket.io/?EIO=4&t=%20?x HTTP/1.1\r\nHost: Example.com:8080\r\nX-Empty:\r\n"
      "Content-Length:\t 17 \r\nConnection: keep-alive, Upgrade\r\nx-two: 1\r\nX-Two:2\r\n"
      "Obs: caf\xc3\xa9\tb\r\n\r\n";
  std::string const glued = bytes + "GET / HTTP/1.1\r\n\r\n";
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    request_parser parser;
    CHECK(parser.idle());
    auto const seen = hawser_test::feed([&](std::string_view p) { return parser.parse(p); }, glued,
                                        cut, glued.size());
    REQUIRE_FALSE(seen.error);
    REQUIRE(seen.done);
    REQUIRE(seen.consumed == bytes.size());
    auto const again = parser.parse("x");
    CHECK((again.done && again.consumed == 0));
    request const read = parser.take();
    CHECK(parser.idle());
    CHECK(read.method() == "POST");
    CHECK(read.target() == "/socket.io/?EIO=4&t=%20?x");
    CHECK(read.path() == "/socket.io/");
    CHECK(read.query() == "EIO=4&t=%20?x");
    CHECK(read.version_minor() == 1);
    CHECK(read.host() == "Example.com:8080");
    CHECK(read.scheme().empty());
    CHECK(read.fields().size() == 7);
    CHECK(read.get("x-empty") == "");
    CHECK(read.get("x-none") == std::nullopt);
    CHECK(read.count("X-TWO") == 2);
    CHECK(read.get_all("X-Two") == std::vector<std::string_view>{"1", "2"});
    CHECK(read.get("X-Two") == "1");
    CHECK(read.get("obs") == "caf\xc3\xa9\tb");
    CHECK(read.content_length() == 17u);
    CHECK_FALSE(read.chunked());
    CHECK(read.keep_alive());
    CHECK(read.has_token("connection", "upgrade"));
    CHECK_FALSE(read.has_token("connection", "up"));
  }
}

TEST_CASE("http parse: unusual but lawful requests are read", "[codec][http]") {
  request read;
  CHECK(get_request("GET / HTTP/1.0\r\n\r\n", read) == "");
  CHECK(read.version_minor() == 0);
  CHECK(read.host().empty());
  CHECK_FALSE(read.keep_alive());
  CHECK(get_request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", read) == "");
  CHECK(read.keep_alive());
  CHECK(get_request(head("Connection: foo\r\nConnection: Close\r\n"), read) == "");
  CHECK_FALSE(read.keep_alive());
  CHECK(get_request("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", read) == "");
  CHECK(get_request("AAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", read) == "");
  for (char const* host : {"a.", "127.0.0.1:65535", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]",
                           "[1:2:3:4:5:6:7:8]", "my_host", "xn--e1afmkfd.xn--p1ai"}) {
    CAPTURE(host);
    CHECK(get_request(with_host(" "s + host), read) == "");
    CHECK(read.host() == host);
  }
  for (char const* target : {"//", "/../%2e", "/%00", "/%", "/a?b?c", "/{|}^"}) {
    CAPTURE(target);
    CHECK(get_request(with_target(target), read) == "");
    CHECK(read.target() == target);
  }
  CHECK(get_request(head("Transfer-Encoding:chunked\r\n"), read) == "");
  CHECK(read.chunked());
  CHECK(get_request(head("Content-Length: 9999999999999999999\r\n"), read) == "");
  CHECK(read.content_length() == 9999999999999999999u);
}

TEST_CASE("http parse: an absolute-form target that names the Host becomes origin form",
          "[codec][http]") {
  struct {
    char const *target, *host, *origin_form, *scheme;
  } const rows[] = {
      {"http://a", "a", "/", "http"},
      {"http://a/", "a:80", "/", "http"},
      {"http://A:80/x?y", "a", "/x?y", "http"},
      {"HTTPS://a:443?q=/", "a", "/?q=/", "HTTPS"},
      {"http://[::1]:8080//x", "[::1]:8080", "//x", "http"},
  };
  for (auto const& r : rows) {
    CAPTURE(r.target);
    request read;
    CHECK(get_request(with_target(r.target, r.host), read) == "");
    CHECK(read.target() == r.origin_form);
    CHECK(read.scheme() == r.scheme);
    CHECK(read.host() == r.host);
  }
}

TEST_CASE("http parse: limits hold at the limit and refuse one more", "[codec][http]") {
  std::string const line = "GET / HTTP/1.1\r\nHost: a\r\n";

  SECTION("head size") {
    for (std::size_t limit : {std::size_t{64}, std::size_t{16 * 1024}}) {
      for (std::size_t size : {limit - 1, limit, limit + 1}) {
        std::string bytes = line;
        // Several fields, so that the limit of one field isn't reached first.
        while (size - bytes.size() > 4200) bytes += "X: " + std::string(4000, 'x') + "\r\n";
        bytes += "X: " + std::string(size - bytes.size() - 7, 'x') + "\r\n\r\n";
        REQUIRE(bytes.size() == size);
        outcome const seen = under({.max_head_size = limit}, bytes);
        CHECK(seen.done == (size <= limit));
        if (size > limit) CHECK(seen.error == errc::head_too_large);
        CHECK(seen.consumed == std::min(size, limit));
      }
    }
  }
  SECTION("field count") {
    for (int fields : {99, 100, 101, 102}) {
      std::string bytes = line;
      for (int i = 1; i < fields; ++i) bytes += "X: 1\r\n";
      outcome const seen = under({}, bytes + "\r\n");
      CHECK(seen.done == (fields <= 100));
      if (fields > 100) CHECK(seen.error == errc::too_many_fields);
    }
  }
  SECTION("field size, in the value and in the name") {
    for (std::size_t size : {std::size_t{8191}, std::size_t{8192}, std::size_t{8193}}) {
      outcome const value = under({}, line + "X: " + std::string(size - 3, 'x') + "\r\n\r\n");
      CHECK(value.done == (size <= 8192));
      if (size > 8192) CHECK(value.error == errc::field_too_large);
      outcome const blank = under({}, line + "X:" + std::string(size - 2, ' ') + "\r\n\r\n");
      CHECK(blank.done == (size <= 8192));
      outcome const name = under({}, line + std::string(size - 1, 'x') + ":\r\n\r\n");
      CHECK(name.done == (size <= 8192));
      if (size > 8192) CHECK(name.error == errc::field_too_large);
    }
  }
  SECTION("target") {
    for (std::size_t size : {std::size_t{8191}, std::size_t{8192}, std::size_t{8193}}) {
      outcome const seen =
          under({}, "GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
      CHECK(seen.done == (size <= 8192));
      if (size > 8192) {
        CHECK(seen.error == errc::uri_too_long);
        CHECK(seen.consumed == 4 + 8192);  // not later than at the first byte too many
      }
    }
  }
  SECTION("an endless head is refused without its end") {
    outcome const seen = under({}, line + std::string(20000, 'x'));
    CHECK(seen.error == errc::field_too_large);
    CHECK(seen.consumed == line.size() + 8192);
  }
  SECTION("nothing at all is allowed") {
    CHECK(under({.max_head_size = 1}, line).error == errc::head_too_large);
    CHECK(under({.max_header_count = 0}, line).error == errc::too_many_fields);
    CHECK(under({.max_field_size = 0}, line).error == errc::field_too_large);
    CHECK(under({.max_uri_size = 0}, line).error == errc::uri_too_long);
  }
}

TEST_CASE("http parse: an error stays until reset", "[codec][http]") {
  request_parser parser;
  CHECK(parser.parse("get").error == errc::bad_request_line);
  auto const again = parser.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(again.error == errc::bad_request_line);
  CHECK(again.consumed == 0);
  parser.reset();
  CHECK(parser.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").done);
  CHECK(parser.take().host() == "a");
  CHECK(parser.take().host().empty());
}

TEST_CASE("http parse: pipelined requests come out one by one", "[codec][http]") {
  std::string const bytes =
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    request_parser parser;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      std::string_view piece = std::string_view(bytes).substr(at, step);
      while (!piece.empty()) {
        auto const now = parser.parse(piece);
        REQUIRE_FALSE(now.error);
        piece.remove_prefix(now.consumed);
        if (now.done) seen += parser.take().target();
      }
    }
    CHECK(seen == "/1/2/3");
  }
}

TEST_CASE("http parse: a response is read, however it is cut", "[codec][http]") {
  struct {
    std::string bytes;
    int status, minor;
    char const* reason;
  } const rows[] = {
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 101, 1,
       "Switching Protocols"},
      {"HTTP/1.1 204 \r\n\r\n", 204, 1, ""},
      {"HTTP/1.0 500 oh\tno \xe9\r\nX: 1\r\n\r\n", 500, 0, "oh\tno \xe9"},
      {"HTTP/1.1 999  x \r\n\r\n", 999, 1, " x "},
  };
  for (auto const& r : rows) {
    CAPTURE(r.bytes);
    CHECK(at_every_split(new_response_parser, r.bytes) == outcome{r.bytes.size(), true, {}});
    response_parser parser;
    CHECK(parser.parse(r.bytes + "early").consumed == r.bytes.size());
    response const read = parser.take();
    CHECK(read.status() == r.status);
    CHECK(read.version_minor() == r.minor);
    CHECK(read.reason() == r.reason);
  }
}

TEST_CASE("http parse: every malformed response is refused, however it is cut", "[codec][http]") {
  row const rows[] = {
      {"\r\nHTTP/1.1 101 x\r\n\r\n", errc::bad_status_line},
      {"http/1.1 101 x\r\n\r\n", errc::bad_status_line},
      {"ICY 200 OK\r\n\r\n", errc::bad_status_line},
      {"<html>", errc::bad_status_line},
      {"HTTP/2 200\r\n\r\n", errc::unsupported_http_version},
      {"HTTP/1.2 200 OK\r\n\r\n", errc::unsupported_http_version},
      {"HTTP/1.1  101 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1\t101 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 101\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 10 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 1011 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 099 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 +01 x\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 101 x\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 101 x\ry\r\n\r\n", errc::bad_status_line},
      {"HTTP/1.1 101 x\0\r\n\r\n"s, errc::bad_status_line},
      {"HTTP/1.1 101 x\r\n X: 1\r\n\r\n", errc::bad_field},
      {"HTTP/1.1 101 x\r\nX : 1\r\n\r\n", errc::bad_field},
      {"HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
       errc::bad_content_length},
      {"HTTP/1.1 200 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       errc::bad_transfer_encoding},
  };
  for (row const& r : rows) {
    CAPTURE(r.bytes);
    CHECK(at_every_split(new_response_parser, r.bytes).error == r.error);
  }
  auto const endless = "HTTP/1.1 200 " + std::string(20000, 'x');
  CHECK(hawser_test::run(new_response_parser, endless, endless.size(), 1) ==
        outcome{16 * 1024, false, errc::head_too_large});
}
