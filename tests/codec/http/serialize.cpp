// Heads that are written, and what may not get into them.
#include <hawser/codec/http/serialize.hpp>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <hawser/codec/http/parse.hpp>

using namespace std::string_literals;
using namespace hawser::http;
using hawser::errc;

TEST_CASE("http serialize: no byte of a field can start another line", "[codec][http]") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    std::string const value = "a"s + static_cast<char>(c) + "b";
    bool const sendable = c == '\t' || (c >= 0x20 && c != 0x7f);
    CHECK(header::make("X", value).has_value() == sendable);
    CHECK(header::make(value, "x").has_value() == is_token(value));
    auto writer = head_writer::response(200);
    CHECK(std::move(writer.add("X", value)).finish().has_value() == sendable);
  }
  CHECK(header::make("X", " v ")->value() == "v");
  CHECK(header::make("", "v").error() == errc::bad_field);
  for (char const* name : {"connection", "Content-Length", "transfer-encoding", "UPGRADE",
                           "Trailer", "Sec-WebSocket-Accept", "sec-websocket-protocol"}) {
    CHECK(header::make(name, "x").error() == errc::bad_argument);
  }
}

TEST_CASE("http serialize: a response reads back as it was written", "[codec][http]") {
  std::vector<header> const headers{*header::make("Set-Cookie", "a=1"),
                                    *header::make("Set-Cookie", "b=2")};
  auto const text = write_response(404, headers, "nope", false);
  REQUIRE(text);
  CHECK(*text ==
        "HTTP/1.1 404 Not Found\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n"
        "Connection: close\r\n\r\nnope");
  response_parser parser;
  auto const now = parser.parse(*text);
  CHECK(now.done);
  CHECK(text->substr(now.consumed) == "nope");
  response const read = parser.take();
  CHECK(read.status() == 404);
  CHECK(read.count("Set-Cookie") == 2);
  CHECK(read.content_length() == 4u);
  CHECK_FALSE(read.keep_alive());
  CHECK(*write_response_head(204, {}, 0, true) ==
        "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
  CHECK(write_response(99, {}, "", true).error() == errc::bad_argument);
  CHECK(write_response(1000, {}, "", true).error() == errc::bad_argument);
}

TEST_CASE("http serialize: a request reads back as it was written", "[codec][http]") {
  auto const to = parse_url("http://[::1]:3000/socket.io/?EIO=4");
  REQUIRE(to);
  auto const text = write_request("POST", *to, {}, "40");
  REQUIRE(text);
  request_parser parser;
  REQUIRE(parser.parse(*text).done);
  request const read = parser.take();
  CHECK(read.method() == "POST");
  CHECK(read.target() == "/socket.io/?EIO=4");
  CHECK(read.host() == "[::1]:3000");
  CHECK(read.content_length() == 2u);
  std::vector<header> const other{*header::make("Host", "virtual")};
  REQUIRE(parser.parse(*write_request("GET", *to, other)).done);
  CHECK(parser.take().host() == "virtual");
  CHECK(write_request("get", *to, {}).error() == errc::bad_argument);
  url tampered = *to;
  tampered.target = "/ HTTP/1.1\r\nX: 1";
  CHECK(write_request("GET", tampered, {}).error() == errc::bad_target);
  tampered = *to;
  tampered.is_ipv6 = false;
  tampered.host = "a\r\nX: 1";
  CHECK(write_request("GET", tampered, {}).error() == errc::bad_field);
}
