// The opening handshake, both sides.
#include <hawser/codec/ws/handshake.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <hawser/codec/http/parse.hpp>

namespace http = hawser::http;
namespace ws = hawser::ws;
using hawser::errc;

namespace {

constexpr char const* key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr char const* accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
using fields = std::vector<http::field>;
using names = std::vector<std::string>;

/// A good request, without the fields named in `without`, and with others behind it.
http::request asking(std::vector<std::string_view> const& without, fields const& with,
                     std::string_view method = "GET", int minor = 1) {
  fields all{{"Host", "a"}};
  for (http::field const f : fields{{"Upgrade", "websocket"},
                                    {"Connection", "Upgrade"},
                                    {"Sec-WebSocket-Key", key},
                                    {"Sec-WebSocket-Version", "13"}}) {
    bool keep = true;
    for (auto const name : without) keep = keep && f.name != name;
    if (keep) all.push_back(f);
  }
  all.insert(all.end(), with.begin(), with.end());
  auto made = http::request::make(method, "/", all, minor);
  REQUIRE(made);
  return *made;
}

std::error_code refusal(http::request const& from) { return ws::read_upgrade(from).error(); }

http::response answering(std::string const& bytes) {
  http::response_parser parser;
  REQUIRE(parser.parse(bytes).done);
  return parser.take();
}

std::string const status_line = "HTTP/1.1 101 Switching Protocols\r\n";
std::string const good_answer = status_line +
                                "Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
                                "Sec-WebSocket-Accept: " +
                                accept + "\r\n";

}  // namespace

TEST_CASE("ws handshake: the example of RFC 6455 1.3", "[codec][ws]") {
  CHECK(ws::accept_key(key) == accept);
}

TEST_CASE("ws handshake: a good upgrade is read", "[codec][ws]") {
  auto const from =
      asking({"Upgrade", "Connection"}, {{"upgrade", "h2c, WebSocket"},
                                         {"connection", "keep-alive"},
                                         {"connection", "UPGRADE"},
                                         {"Content-Length", "0"},
                                         {"Sec-WebSocket-Protocol", "chat, superchat"},
                                         {"Sec-WebSocket-Protocol", "Chat"},
                                         {"Sec-WebSocket-Extensions", "permessage-deflate"},
                                         {"Sec-WebSocket-Extensions", "x; y=\"1\", z"}});
  auto const asked = ws::read_upgrade(from);
  REQUIRE(asked);
  CHECK(asked->key == key);
  CHECK(asked->subprotocols == names{"chat", "superchat", "Chat"});
  CHECK(asked->extensions == std::vector<std::string_view>{"permessage-deflate", "x; y=\"1\", z"});
  CHECK_FALSE(refusal(asking({}, {})));
}

TEST_CASE("ws handshake: what is no upgrade, or a bad one, is refused", "[codec][ws]") {
  CHECK(refusal(asking({"Upgrade"}, {})) == errc::not_an_upgrade);
  CHECK(refusal(asking({"Upgrade", "Connection"}, {})) == errc::not_an_upgrade);
  for (char const* other : {"h2c", "TLS/1.0", "websockets", "websocket/13", "", "\"websocket\""}) {
    CHECK(refusal(asking({"Upgrade"}, {{"Upgrade", other}})) == errc::not_an_upgrade);
  }
  CHECK(refusal(asking({}, {}, "POST")) == errc::bad_request_line);
  CHECK(refusal(asking({}, {}, "HEAD")) == errc::bad_request_line);
  CHECK(refusal(asking({}, {}, "GET", 0)) == errc::unsupported_http_version);
  CHECK(refusal(asking({"Connection"}, {})) == errc::bad_field);
  CHECK(refusal(asking({"Connection"}, {{"Connection", "close"}})) == errc::bad_field);
  CHECK(refusal(asking({}, {{"Content-Length", "5"}})) == errc::bad_field);
  CHECK(refusal(asking({}, {{"Transfer-Encoding", "chunked"}})) == errc::bad_field);
  CHECK(refusal(http::request{}) == errc::not_an_upgrade);
}

TEST_CASE("ws handshake: the version is 13, once", "[codec][ws]") {
  for (char const* version : {"0", "8", "12", "14", "13,8", "013", "13.0", "", "1 3", "+13"}) {
    CAPTURE(version);
    auto const from = asking({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", version}});
    CHECK(refusal(from) == errc::bad_websocket_version);
  }
  CHECK(refusal(asking({"Sec-WebSocket-Version"}, {})) == errc::bad_field);
  CHECK(refusal(asking({}, {{"Sec-WebSocket-Version", "13"}})) == errc::bad_field);
  // The draft before the RFC, with two keys and no version.
  CHECK(refusal(asking({"Sec-WebSocket-Version", "Sec-WebSocket-Key"},
                       {{"Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"},
                        {"Sec-WebSocket-Key2", "12998 5 Y3 1  .P00"}})) == errc::bad_field);
}

TEST_CASE("ws handshake: the key is 16 bytes in base64, once", "[codec][ws]") {
  for (char const* bad :
       {"", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZQ==, x", "dGhlIHNhbXBsZSBub25jZQQ=", "dGhlIHNhbXBsZSBub25jZQQQ",
        "dGhlIHNhbXBsZSBub2-jZQ==", "dGhlIHNhbXBsZ SBub25jZQ=", "========================"}) {
    CAPTURE(bad);
    auto const from = asking({"Sec-WebSocket-Key"}, {{"Sec-WebSocket-Key", bad}});
    CHECK(refusal(from) == errc::bad_websocket_key);
  }
  CHECK(refusal(asking({"Sec-WebSocket-Key"}, {})) == errc::bad_websocket_key);
  CHECK(refusal(asking({}, {{"sec-websocket-key", key}})) == errc::bad_websocket_key);
}

TEST_CASE("ws handshake: offers of subprotocols are few, short, unique tokens", "[codec][ws]") {
  auto const offering = [](std::string_view value) {
    return refusal(asking({}, {{"Sec-WebSocket-Protocol", value}}));
  };
  for (char const* bad :
       {"", ",", "a,", ",a", "a,,b", "a,a", "a b", "a/b", "\"a\"", "a;b", "a, b, a", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK(offering(bad) == errc::bad_subprotocol);
  }
  CHECK(refusal(asking({}, {{"Sec-WebSocket-Protocol", "a"}, {"Sec-WebSocket-Protocol", "a"}})) ==
        errc::bad_subprotocol);
  for (int count : {31, 32, 33, 200}) {
    std::string list;
    for (int i = 0; i < count; ++i) list += (i == 0 ? "p" : ",p") + std::to_string(i);
    CHECK((offering(list) == errc::bad_subprotocol) == (count > 32));
  }
  for (std::size_t size : {2047u, 2048u, 2049u}) {
    CHECK((offering(std::string(size, 'p')) == errc::bad_subprotocol) == (size > 2048));
  }
  CHECK(refusal(asking({}, {{"Sec-WebSocket-Extensions", ""}})) == errc::bad_extension);
}

TEST_CASE("ws handshake: the 101 response", "[codec][ws]") {
  ws::upgrade_request const asked{key, {"chat", "v2"}, {}};
  std::string const plain =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
      std::string(accept) + "\r\n";
  CHECK(*ws::write_switching(asked) == plain + "\r\n");
  std::vector<http::header> const extra{*http::header::make("Set-Cookie", "a=1")};
  CHECK(*ws::write_switching(asked, "v2", "permessage-deflate", extra) ==
        plain +
            "Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
            "Set-Cookie: a=1\r\n\r\n");
  CHECK(ws::write_switching(asked, "v3").error() == errc::bad_subprotocol);
  CHECK(ws::write_switching(asked, "v2\r\nX: 1").error() == errc::bad_subprotocol);
  CHECK(ws::write_switching(asked, "", "a\r\nX: 1").error() == errc::bad_field);
}

TEST_CASE("ws handshake: refusals say what would be understood", "[codec][ws]") {
  auto const text = ws::write_rejection(426);
  auto const read = answering(text);
  CHECK(read.status() == 426);
  CHECK(read.get("Upgrade") == "websocket");
  CHECK(read.get("Sec-WebSocket-Version") == "13");
  CHECK(read.has_token("Connection", "close"));
  CHECK(read.has_token("Connection", "upgrade"));
  CHECK(read.content_length() == std::string_view("Upgrade Required").size());
  CHECK(text.ends_with("\r\n\r\nUpgrade Required"));
  std::vector<http::header> const extra{*http::header::make("Content-Type", "application/json"),
                                        *http::header::make("Retry-After", "5")};
  auto const other = answering(ws::write_rejection(503, "{}", extra));
  CHECK(other.get_all("Content-Type") == std::vector<std::string_view>{"application/json"});
  CHECK(other.get("Retry-After") == "5");
  CHECK_FALSE(other.get("Upgrade"));
  for (int status : {-1, 0, 101, 199, 204, 304, 600, 1000}) {
    CHECK(answering(ws::write_rejection(status)).status() == 500);
  }
}

TEST_CASE("ws handshake: what a client asks, a server understands", "[codec][ws]") {
  auto const to = http::parse_url("wss://Example.com:8443/chat?x=1");
  REQUIRE(to);
  names const offered{"chat", "v2"};
  std::vector<http::header> const extra{*http::header::make("Authorization", "Bearer x")};
  auto const text = ws::write_upgrade(*to, key, offered, "permessage-deflate", extra);
  REQUIRE(text);
  http::request_parser parser;
  REQUIRE(parser.parse(*text).consumed == text->size());
  http::request const from = parser.take();
  CHECK(from.target() == "/chat?x=1");
  CHECK(from.host() == "example.com:8443");
  CHECK(from.get("Authorization") == "Bearer x");
  auto const asked = ws::read_upgrade(from);
  REQUIRE(asked);
  CHECK(asked->subprotocols == offered);
  CHECK(asked->extensions == std::vector<std::string_view>{"permessage-deflate"});
  auto const answer = answering(*ws::write_switching(*asked, "v2"));
  CHECK_FALSE(ws::check_switching(answer, key, offered));
  CHECK(ws::chosen_subprotocol(answer) == "v2");
  CHECK_FALSE(ws::check_switching(answering(*ws::write_switching(*asked)), key, offered));

  std::vector<http::header> const host{*http::header::make("Host", "virtual")};
  REQUIRE(parser.parse(*ws::write_upgrade(*to, key, {}, {}, host)).done);
  CHECK(parser.take().host() == "virtual");
}

TEST_CASE("ws handshake: a client can't be made to ask nonsense", "[codec][ws]") {
  auto const to = http::parse_url("ws://a");
  CHECK(ws::write_upgrade(*to, "short").error() == errc::bad_websocket_key);
  for (names const& bad : {names{""}, names{"a", ""}, names{"", "a"}, names{"a", "a"}, names{"a,b"},
                           names{"a\r\nX: 1"}, names{"a b"}, names(33, "x")}) {
    CHECK(ws::write_upgrade(*to, key, bad).error() == errc::bad_subprotocol);
  }
  CHECK(ws::write_upgrade(*to, key, {}, "a\nb").error() == errc::bad_field);
  http::url tampered = *to;
  tampered.target = "/\r\n";
  CHECK(ws::write_upgrade(tampered, key).error() == errc::bad_target);
  CHECK(ws::write_upgrade({}, key).error() == errc::bad_target);
}

TEST_CASE("ws handshake: a client trusts only the exact answer", "[codec][ws]") {
  names const offered{"chat", "v2"};
  auto const verdict = [&](std::string const& bytes) {
    return ws::check_switching(answering(bytes + "\r\n"), key, offered);
  };
  std::string const upgrade = "Upgrade: websocket\r\n";
  std::string const connection = "Connection: Upgrade\r\n";
  std::string const accepts = std::string("Sec-WebSocket-Accept: ") + accept + "\r\n";
  CHECK_FALSE(verdict(good_answer));
  CHECK_FALSE(verdict(good_answer + "Sec-WebSocket-Protocol: chat\r\n"));
  CHECK(verdict("HTTP/1.1 200 OK\r\n" + upgrade + connection + accepts) == errc::unexpected_status);
  CHECK(verdict("HTTP/1.1 302 Found\r\nLocation: ws://b/\r\n") == errc::unexpected_status);
  CHECK(verdict("HTTP/1.0 101 x\r\n" + upgrade + connection + accepts) ==
        errc::unsupported_http_version);
  CHECK(verdict(status_line + connection + accepts) == errc::bad_field);
  CHECK(verdict(status_line + "Upgrade: h2c\r\n" + connection + accepts) == errc::bad_field);
  CHECK(verdict(status_line + "Upgrade: websocket, h2c\r\n" + connection + accepts) ==
        errc::bad_field);
  CHECK(verdict(good_answer + upgrade) == errc::bad_field);
  CHECK(verdict(status_line + upgrade + accepts) == errc::bad_field);
  CHECK(verdict(status_line + upgrade + "Connection: close\r\n" + accepts) == errc::bad_field);
  CHECK(verdict(status_line + upgrade + connection) == errc::bad_websocket_accept);
  CHECK(verdict(good_answer + accepts) == errc::bad_websocket_accept);
  for (char const* bad : {"", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
                          "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x", "dGhlIHNhbXBsZSBub25jZQ=="}) {
    CHECK(verdict(status_line + upgrade + connection + "Sec-WebSocket-Accept: " + bad + "\r\n") ==
          errc::bad_websocket_accept);
  }
  for (char const* bad : {"", "v3", "Chat", "chat, v2", "cha"}) {
    CHECK(verdict(good_answer + "Sec-WebSocket-Protocol: " + bad + "\r\n") ==
          errc::bad_subprotocol);
  }
  CHECK(verdict(good_answer + "Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Protocol: v2\r\n") ==
        errc::bad_subprotocol);
  CHECK(ws::check_switching(answering(good_answer + "Sec-WebSocket-Protocol: v2\r\n\r\n"), key) ==
        errc::bad_subprotocol);
  CHECK(ws::check_switching(http::response{}, key) == errc::unexpected_status);
}
