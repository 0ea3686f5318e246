// The Origin rule.
#include <hawser/codec/http/origin.hpp>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace hawser::http;

namespace {

bool allowed(std::vector<std::string> const& origins, bool secure, origin_rule const& rule = {},
             std::string const& host = "example.com") {
  std::vector<field> fields{{"Host", host}};
  for (std::string const& o : origins) fields.push_back({"Origin", o});
  auto const from = request::make("GET", "/", fields);
  REQUIRE(from);
  return origin_allowed(*from, secure, rule);
}

}  // namespace

TEST_CASE("http origin: by default only the origin of the request itself is allowed",
          "[codec][http]") {
  CHECK(allowed({}, true));
  CHECK(allowed({"https://example.com"}, true));
  CHECK(allowed({"https://EXAMPLE.com:443"}, true));
  CHECK(allowed({"http://example.com"}, false));
  CHECK(allowed({"http://example.com:80"}, false));
  CHECK(allowed({"https://example.com"}, true, {}, "example.com:443"));
  CHECK(allowed({"http://example.com:8080"}, false, {}, "Example.com:8080"));
  CHECK(allowed({"http://[::1]:3000"}, false, {}, "[::1]:3000"));
  for (std::string const origin : {"",
                                   " ",
                                   "null",
                                   "file://",
                                   "file:///",
                                   "https://",
                                   "https://evil.com",
                                   "http://example.com",
                                   "https://example.com:444",
                                   "https://example.com:80",
                                   "https://example.com:",
                                   "https://example.com:0443x",
                                   "https://example.com.",
                                   "https://example.com/",
                                   "https://example.com?",
                                   "https://example.com/x",
                                   "https://evilexample.com",
                                   "https://sub.example.com",
                                   "https://example.com.evil.com",
                                   "https://example.com@evil.com",
                                   "https://u@example.com",
                                   "https://u:p@example.com",
                                   "https://example.com, https://example.com",
                                   "https://example.com https://evil.com",
                                   "wss://example.com",
                                   "https:example.com",
                                   "https:/example.com",
                                   "//example.com",
                                   "example.com",
                                   "https://ex\xd0\xb0mple.com",
                                   "https://xn--exmple-4nf.com",
                                   "https://example.com\\@evil.com",
                                   "https://example.com#",
                                   "https://example%2ecom",
                                   "https://[example.com]",
                                   "chrome-extension://example.com",
                                   "https://example",
                                   "https://.example.com",
                                   "https://example..com",
                                   "https://*"}) {
    CAPTURE(origin);
    CHECK_FALSE(allowed({origin}, true));
  }
  CHECK_FALSE(allowed({"https://example.com", "https://example.com"}, true));
  CHECK_FALSE(allowed({"https://example.com"}, false));
  CHECK_FALSE(allowed({"http://example.com:443"}, false, {}, "example.com"));
}

TEST_CASE("http origin: the list, any and require", "[codec][http]") {
  origin_rule const listed{.allowed = {"https://app.example.com", "http://dev.local:3000", "null",
                                       "https://*.Partner.org", "http://*.lan:8080"}};
  CHECK(allowed({"https://app.example.com"}, true, listed));
  CHECK(allowed({"https://APP.example.com:443"}, true, listed));
  CHECK(allowed({"http://dev.local:3000"}, true, listed));
  CHECK(allowed({"null"}, true, listed));
  CHECK(allowed({"https://example.com"}, true, listed));
  CHECK(allowed({"https://a.partner.org"}, true, listed));
  CHECK(allowed({"https://a.b.partner.org:443"}, true, listed));
  CHECK(allowed({"http://box.lan:8080"}, true, listed));
  for (std::string const origin :
       {"http://app.example.com", "https://app.example.com:444", "https://partner.org",
        "https://evilpartner.org", "https://.partner.org", "http://a.partner.org",
        "https://a.partner.org:444", "https://a.partner.org.evil.com", "https://a.partner.org/",
        "https://u@a.partner.org", "http://box.lan", "https://*.partner.org", "NULL", "file://"}) {
    CAPTURE(origin);
    CHECK_FALSE(allowed({origin}, true, listed));
  }
  CHECK(allowed({}, true, listed));
  CHECK_FALSE(allowed({}, true, {.require = true}));
  CHECK(allowed({"https://example.com"}, true, {.require = true}));
  CHECK(allowed({"https://evil.com"}, true, {.any = true}));
  CHECK_FALSE(allowed({}, true, {.any = true, .require = true}));
  CHECK_FALSE(allowed({"https://a.com", "https://b.com"}, true, {.any = true}));
  CHECK_FALSE(allowed({""}, true, {.allowed = {""}}));
  CHECK_FALSE(
      allowed({"https://a.com"}, true, {.allowed = {"*", "https://*", "https://*.com.", "*.com"}}));
}
