// Cross-origin resource sharing: who may poll from elsewhere, and what is said about it.
#include <hawser/endpoint/cors.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using hawser::cors_options;
namespace http = hawser::http;

namespace {

http::request from(std::vector<std::string> const& origins) {
  std::vector<http::field> fields{{"Host", "example.com"}};
  for (std::string const& origin : origins) fields.push_back({"Origin", origin});
  auto made = http::request::make("GET", "/socket.io/", fields);
  REQUIRE(made);
  return std::move(*made);
}

/// `name: value` lines.
std::vector<std::string> lines(std::vector<http::header> const& headers) {
  std::vector<std::string> all;
  for (auto const& one : headers) {
    all.push_back(std::string(one.name()) + ": " + std::string(one.value()));
  }
  return all;
}
std::vector<std::string> said(cors_options const& rule, http::request const& to) {
  std::vector<http::header> headers;
  add_cors(rule, to, headers);
  return lines(headers);
}
std::vector<std::string> preflight(cors_options const& rule, http::request const& to) {
  std::vector<http::header> headers;
  add_cors_preflight(rule, to, headers);
  return lines(headers);
}
using strings = std::vector<std::string>;

std::string const page = "https://page.example";

}  // namespace

TEST_CASE("cors: without origins nobody is told anything", "[endpoint][cors]") {
  cors_options const none;
  CHECK_FALSE(cors_allows(none, from({page})));
  CHECK(said(none, from({page})).empty());
  CHECK(preflight(none, from({page})).empty());
}

TEST_CASE("cors: a page of a listed origin is told its own origin", "[endpoint][cors]") {
  cors_options const rule{.origins = {"https://other.example", page}};
  CHECK(cors_allows(rule, from({page})));
  CHECK(said(rule, from({page})) ==
        strings{"Vary: Origin", "Access-Control-Allow-Origin: " + page});
  CHECK(said(rule, from({"https://PAGE.example:443"})) ==
        strings{"Vary: Origin", "Access-Control-Allow-Origin: https://PAGE.example:443"});
}

TEST_CASE("cors: others are told that the answer depends on it, and nothing else",
          "[endpoint][cors]") {
  cors_options const rule{.origins = {page}, .credentials = true};
  for (auto const& origins :
       {strings{}, strings{"https://page.example.evil"}, strings{"http://page.example"},
        strings{"https://page.example:8443"}, strings{"null"}, strings{""}, strings{page, page},
        strings{page + ", https://evil.example"}, strings{"https://evil.example"}}) {
    CAPTURE(origins);
    CHECK_FALSE(cors_allows(rule, from(origins)));
    CHECK(said(rule, from(origins)) == strings{"Vary: Origin"});
    CHECK(preflight(rule, from(origins)) == strings{"Vary: Origin"});
  }
}

TEST_CASE("cors: credentials are allowed only where they are asked for", "[endpoint][cors]") {
  cors_options const rule{.origins = {page}, .credentials = true};
  CHECK(said(rule, from({page})) == strings{"Vary: Origin", "Access-Control-Allow-Origin: " + page,
                                            "Access-Control-Allow-Credentials: true"});
}

TEST_CASE("cors: a preflight is told methods, headers and how long that holds",
          "[endpoint][cors]") {
  cors_options rule{.origins = {page}};
  CHECK(preflight(rule, from({page})) ==
        strings{"Vary: Origin", "Access-Control-Allow-Origin: " + page,
                "Access-Control-Allow-Methods: GET, POST",
                "Access-Control-Allow-Headers: Content-Type", "Access-Control-Max-Age: 600"});
  rule.headers = {"Authorization", "X-Game"};
  rule.max_age = std::chrono::seconds{5};
  auto const more = preflight(rule, from({page}));
  CHECK(std::count(more.begin(), more.end(),
                   "Access-Control-Allow-Headers: Content-Type, Authorization, X-Game") == 1);
  CHECK(more.back() == "Access-Control-Max-Age: 5");
  // What can't be a header is left out, not sent.
  rule.headers = {"X-Game\r\nSet-Cookie: a=b"};
  for (auto const& line : preflight(rule, from({page}))) {
    CHECK(line.find("Set-Cookie") == std::string::npos);
  }
}
