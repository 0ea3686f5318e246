// Heads as values: copies, moves, and requests built by hand.
#include <hawser/codec/http/message.hpp>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

using hawser::errc;
using hawser::http::field;
using hawser::http::request;
using hawser::http::response;

TEST_CASE("http message: a default-constructed request can be asked everything", "[codec][http]") {
  request const empty;
  CHECK(empty.method().empty());
  CHECK(empty.target().empty());
  CHECK(empty.path().empty());
  CHECK(empty.query().empty());
  CHECK(empty.host().empty());
  CHECK(empty.fields().empty());
  CHECK(empty.fields().begin() == empty.fields().end());
  CHECK(empty.get("Host") == std::nullopt);
  CHECK(empty.content_length() == std::nullopt);
  CHECK_FALSE(empty.chunked());
  CHECK(empty.keep_alive());
  response const none;
  CHECK(none.status() == 0);
  CHECK(none.reason().empty());
}

TEST_CASE("http message: copies and moves keep everything", "[codec][http]") {
  std::vector<field> const fields{{"Host", "a"}, {"X", " 1 "}, {"x", ""}};
  auto made = request::make("GET", "/p?q", fields);
  REQUIRE(made);
  request const copy = *made;
  request moved = std::move(*made);
  for (request const* r : {&copy, static_cast<request const*>(&moved)}) {
    CHECK(r->method() == "GET");
    CHECK(r->path() == "/p");
    CHECK(r->query() == "q");
    CHECK(r->host() == "a");
    CHECK(r->get("X") == "1");
    CHECK(r->fields()[2].name == "x");
    CHECK(std::distance(r->fields().begin(), r->fields().end()) == 3);
  }
  CHECK(made->method().size() <= 3);  // a moved-from request may still be asked
  CHECK(made->query().size() <= 1);
  moved = request{};
  CHECK(moved.method().empty());
}

TEST_CASE("http message: make applies the rules of the parser", "[codec][http]") {
  std::vector<field> const host{{"Host", "a"}};
  CHECK(request::make("GET", "http://a?x", host)->target() == "/?x");
  CHECK(request::make("GET", "/", {}, 0).has_value());
  CHECK(request::make("get", "/", host).error() == errc::bad_request_line);
  CHECK(request::make("", "/", host).error() == errc::bad_request_line);
  CHECK(request::make("GET", "", host).error() == errc::bad_target);
  CHECK(request::make("GET", "*", host).error() == errc::bad_target);
  CHECK(request::make("GET", "/ x", host).error() == errc::bad_target);
  CHECK(request::make("GET", "/\r\nX: 1", host).error() == errc::bad_target);
  CHECK(request::make("GET", "/", {}).error() == errc::bad_host);
  CHECK(request::make("GET", "/", host, 2).error() == errc::unsupported_http_version);
  CHECK(request::make("GET", "/" + std::string(1 << 20, 'x'), host).error() == errc::uri_too_long);
  struct {
    field extra;
    errc error;
  } const rows[] = {
      {{"Host", "a"}, errc::bad_host},
      {{"", "x"}, errc::bad_field},
      {{"X ", "x"}, errc::bad_field},
      {{"X", "a\r\nb"}, errc::bad_field},
      {{"X", std::string_view("\0", 1)}, errc::bad_field},
      {{"Content-Length", "x"}, errc::bad_content_length},
      {{"Transfer-Encoding", "gzip"}, errc::bad_transfer_encoding},
  };
  for (auto const& r : rows) {
    std::vector<field> const fields{{"Host", "a"}, r.extra};
    CHECK(request::make("GET", "/", fields).error() == r.error);
  }
  std::string const big(1 << 20, 'x');
  std::vector<field> const huge{{"Host", "a"}, {"X", big}};
  CHECK(request::make("GET", "/", huge).error() == errc::head_too_large);
}
