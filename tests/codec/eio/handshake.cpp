// The opening of an Engine.IO session: the reference's answers, and queries good and bad.
#include <hawser/codec/eio/handshake.hpp>

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "support/fixtures.hpp"

using namespace hawser;
using namespace hawser::eio;
using namespace hawser_test;
using namespace std::chrono_literals;

namespace {

std::string query_of(std::string_view request) {
  auto const target = request.substr(request.find(' ') + 1);
  auto const path = target.substr(0, target.find(' '));
  return std::string(path.substr(std::min(path.find('?'), path.size())));
}

// The verdict on a request by its query and method alone; nothing: a new session.
std::optional<refusal> verdict(engine_query const& query, bool is_get) {
  if (!query.transport) return refusal::transport_unknown;
  if (query.sid) return refusal::sid_unknown;
  if (!is_get) return refusal::bad_method;
  if (query.transport == transport_kind::websocket) return refusal::bad_request;  // no upgrade
  if (query.eio != protocol_version) return refusal::unsupported_version;
  return std::nullopt;
}

}  // namespace

TEST_CASE("engine handshake: the open packet", "[codec][eio]") {
  CHECK(write_open({.sid = "lv_VI97HAXpY6yYWAAAC", .can_upgrade = true}) ==
        R"(0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,)"
        R"("pingTimeout":20000,"maxPayload":1000000})");
  CHECK(write_open({"x", false, 300ms, 200ms, 1}) ==
        R"(0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1})");
}

TEST_CASE("engine handshake: what the reference answers", "[codec][eio]") {
  int refused = 0, opened = 0;
  for_each_fixture("wire-http.jsonl", [&](auto name, auto line) {
    CAPTURE(name);
    simdjson::dom::element element;
    std::string_view request, answer;
    if (line["request"]["utf8"].get(request) != simdjson::SUCCESS) return;
    auto const query = read_query(query_of(request));
    if (line["response_body_dechunked"].get(answer) == simdjson::SUCCESS &&
        name.starts_with("http.err-")) {
      auto const why = verdict(query, request.starts_with("GET "));
      REQUIRE(why);
      CHECK(write_refusal(*why) == answer);
      CHECK(http_status(*why) == std::int64_t(line["response_status"]));
      ++refused;
    }
    if (name == "http.handshake-eio3") return;  // its server was told to speak that too
    if (line["response_body"]["utf8"].get(answer) == simdjson::SUCCESS &&
        answer.starts_with("0{\"sid\":\"")) {
      CHECK_FALSE(verdict(query, true));
      auto const sid = answer.substr(9, answer.find('"', 9) - 9);
      std::string_view const sent = answer.substr(0, answer.find('\x1e'));
      simdjson::dom::parser parser;
      simdjson::dom::element const json = parser.parse(std::string(sent.substr(1)));
      auto const max = static_cast<std::size_t>(std::uint64_t(json["maxPayload"]));
      CHECK(write_open({.sid = sid, .can_upgrade = true, .max_payload = max}) == sent);
      ++opened;
    }
  });
  CHECK(refused >= 8);
  CHECK(opened >= 3);
}

TEST_CASE("engine handshake: refusals", "[codec][eio]") {
  struct row {
    refusal why;
    char const* body;
  };
  row const rows[] = {
      {refusal::transport_unknown, R"({"code":0,"message":"Transport unknown"})"},
      {refusal::sid_unknown, R"({"code":1,"message":"Session ID unknown"})"},
      {refusal::bad_method, R"({"code":2,"message":"Bad handshake method"})"},
      {refusal::bad_request, R"({"code":3,"message":"Bad request"})"},
      {refusal::forbidden, R"({"code":4,"message":"Forbidden"})"},
      {refusal::unsupported_version, R"({"code":5,"message":"Unsupported protocol version"})"},
  };
  for (auto const& row : rows) {
    CHECK(write_refusal(row.why) == row.body);
    CHECK(http_status(row.why) == (row.why == refusal::forbidden ? 403 : 400));
  }
  CHECK(write_refusal(refusal::forbidden, "not\n\"you\"\\\x01/\xc3\xa9") ==
        "{\"code\":4,\"message\":\"not\\n\\\"you\\\"\\\\\\u0001/\xc3\xa9\"}");
  CHECK(write_refusal(refusal::forbidden, "a\xffz") ==
        "{\"code\":4,\"message\":\"a\xef\xbf\xbdz\"}");
}

TEST_CASE("engine handshake: queries", "[codec][eio]") {
  using kind = std::optional<transport_kind>;
  using text = std::optional<std::string>;
  struct row {
    std::string_view query;
    bool has_transport;
    kind transport;
    text sid;
    int eio;
    bool base64_only;
  };
  constexpr auto polling = transport_kind::polling;
  constexpr auto websocket = transport_kind::websocket;
  row const rows[] = {
      {"", false, {}, {}, 0, false},
      {"?", false, {}, {}, 0, false},
      {"&&&", false, {}, {}, 0, false},
      {"EIO=4&transport=polling", true, polling, {}, 4, false},
      {"?EIO=4&transport=websocket", true, websocket, {}, 4, false},
      {"EIO=4&transport=polling&sid=abc&t=Pq1&b64=1", true, polling, "abc", 4, true},
      {"b64=1&sid=abc&transport=polling&EIO=4", true, polling, "abc", 4, true},
      {"transport", true, {}, {}, 0, false},
      {"transport=", true, {}, {}, 0, false},
      {"transport=Polling", true, {}, {}, 0, false},
      {"transport=constructor", true, {}, {}, 0, false},
      {"transport=__proto__", true, {}, {}, 0, false},
      {"transport=polling%20", true, {}, {}, 0, false},
      {"transport=polling+", true, {}, {}, 0, false},
      {"transport=poll%69ng", true, polling, {}, 0, false},
      {"trans%70ort=polling", true, polling, {}, 0, false},
      {"transport=poll%6", true, {}, {}, 0, false},
      {"Transport=polling", false, {}, {}, 0, false},
      {"xtransport=polling", false, {}, {}, 0, false},
      // The first of a name wins, whatever it is.
      {"transport=polling&transport=websocket", true, polling, {}, 0, false},
      {"transport=foo&transport=websocket", true, {}, {}, 0, false},
      {"EIO=3&EIO=4", false, {}, {}, 3, false},
      {"EIO=x&EIO=4", false, {}, {}, -1, false},
      {"sid=a&sid=b", false, {}, "a", 0, false},
      {"sid=&sid=b", false, {}, "", 0, false},
      {"b64=0&b64=1", false, {}, {}, 0, false},
      // Sessions that were named badly are not none.
      {"sid", false, {}, "", 0, false},
      {"sid=%", false, {}, "%", 0, false},
      {"sid=%zz", false, {}, "%", 0, false},
      {"sid=a=b", false, {}, "a=b", 0, false},
      {"sid=a%26b", false, {}, "a&b", 0, false},
      {"EIO", false, {}, {}, -1, false},
      {"EIO=", false, {}, {}, -1, false},
      {"EIO=3", false, {}, {}, 3, false},
      {"EIO=5", false, {}, {}, 5, false},
      {"EIO=0", false, {}, {}, -1, false},
      {"EIO=04", false, {}, {}, -1, false},
      {"EIO=+4", false, {}, {}, -1, false},
      {"EIO=-4", false, {}, {}, -1, false},
      {"EIO= 4", false, {}, {}, -1, false},
      {"EIO=4.0", false, {}, {}, -1, false},
      {"EIO=%34", false, {}, {}, 4, false},
      {"EIO=%3", false, {}, {}, -1, false},
      {"EIO=9999", false, {}, {}, 9999, false},
      {"EIO=10000", false, {}, {}, -1, false},
      {"EIO=99999999999999999999", false, {}, {}, -1, false},
      {"b64=true", false, {}, {}, 0, false},
      {"b64", false, {}, {}, 0, false},
      {"%zz=1&b64=1", false, {}, {}, 0, true},
  };
  for (auto const& row : rows) {
    CAPTURE(row.query);
    auto const query = read_query(row.query);
    CHECK(query.has_transport == row.has_transport);
    CHECK(query.transport == row.transport);
    CHECK(query.sid == row.sid);
    CHECK(query.eio == row.eio);
    CHECK(query.base64_only == row.base64_only);
  }
}

TEST_CASE("engine handshake: session ids", "[codec][eio]") {
  std::string const good = "AZaz09-_AZaz09-_AZaz09-_";
  CHECK(is_sid(good));
  CHECK_FALSE(is_sid(""));
  CHECK_FALSE(is_sid("__proto__"));
  CHECK_FALSE(is_sid(good.substr(1)));
  CHECK_FALSE(is_sid(good + "A"));
  CHECK_FALSE(is_sid(std::string(1'000'000, 'A')));
  for (int c = 0; c < 256; ++c) {
    std::string text = good;
    text[7] = static_cast<char>(c);
    CAPTURE(c);
    CHECK(is_sid(text) == (codec::base64url_alphabet.find(text[7]) != std::string_view::npos));
  }
  CHECK(is_sid(codec::base64url_encode(as_bytes("123456789012345678"))));
}
