// What a host's cookies are, and which of them go with a request.
#include <hawser/codec/http/cookie.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace std::literals;
using hawser::time_point;
using hawser::http::cookie_jar;
using hawser::http::cookie_limits;

namespace {

constexpr time_point start{1000s};
constexpr std::int64_t january_2026 = 1'767'225'600;

struct jar {
  cookie_jar held;

  explicit jar(std::string_view host = "game.example.com", cookie_limits const& limits = {})
      : held(host, limits) {}
  jar& set(std::string_view field, std::string_view path = "/", bool secure = true) {
    held.set(field, path, secure, start, january_2026);
    return *this;
  }
  std::string at(std::string_view path = "/", bool secure = true,
                 hawser::duration after = 0s) const {
    return held.header_for(path, secure, start + after);
  }
};

}  // namespace

TEST_CASE("http cookie: names and values", "[codec][http]") {
  CHECK(jar().set("sid=31d4").at() == "sid=31d4");
  CHECK(jar().set("  sid =\t31 d4  ; HttpOnly; what=ever;;=").at() == "sid=31 d4");
  CHECK(jar().set("a=b=c").at() == "a=b=c");
  CHECK(jar().set("a=\"b c\"").at() == "a=\"b c\"");
  CHECK(jar().set("a=").at() == "a=");
  CHECK(jar().set("a=\xc3\xa4").at() == "a=\xc3\xa4");
  for (std::string_view const nothing :
       {""sv, ";"sv, "a"sv, "=b"sv, " =b"sv, "a; b=c"sv, "a=b\r\nX: y"sv, "a=\0b"sv, "a=b\x7f"sv,
        "a=b; Path=/\n"sv}) {
    CAPTURE(nothing);
    CHECK(jar().set(nothing).held.size() == 0);
  }
}

TEST_CASE("http cookie: a new value takes the old one's place", "[codec][http]") {
  jar it;
  it.set("a=1").set("b=2").set("a=3");
  CHECK(it.held.size() == 2);
  CHECK(it.at() == "a=3; b=2");
  it.set("a=4; Path=/x");  // another one
  CHECK(it.held.size() == 3);
  CHECK(it.at("/x") == "a=4; a=3; b=2");
  it.set("a=; Max-Age=0");
  CHECK(it.at("/x") == "a=4; b=2");
  it.held.clear();
  CHECK(it.held.size() == 0);
  CHECK(it.at("/x").empty());
}

TEST_CASE("http cookie: longer paths first, then older ones", "[codec][http]") {
  jar it;
  it.set("a=1").set("b=2; Path=/chat").set("c=3; Path=/chat/room").set("d=4");
  it.set("e=5; Path=/chat");
  CHECK(it.at("/chat/room/7?x=/y") == "c=3; b=2; e=5; a=1; d=4");
  CHECK(it.at("/chat") == "b=2; e=5; a=1; d=4");
  CHECK(it.at("/chat/") == "b=2; e=5; a=1; d=4");
  CHECK(it.at("/chatter") == "a=1; d=4");
  CHECK(it.at("") == "a=1; d=4");
}

TEST_CASE("http cookie: without a path it has the request's folder", "[codec][http]") {
  auto const seen = [](std::string_view field, std::string_view asked, std::string_view path) {
    return !jar().set(field, asked).at(path).empty();
  };
  CHECK(seen("a=b", "/socket.io/?EIO=4&x=/y/", "/socket.io/"));
  CHECK(seen("a=b", "/socket.io/", "/socket.io"));
  CHECK_FALSE(seen("a=b", "/socket.io/", "/"));
  CHECK(seen("a=b", "/socket.io", "/"));
  CHECK(seen("a=b", "", "/"));
  CHECK(seen("a=b", "no/path", "/other"));
  CHECK(seen("a=b; Path=relative", "/x/y", "/x/z"));
  CHECK(seen("a=b; Path=/x; Path=", "/", "/"));
  CHECK(seen("a=b; path = /x/ ", "/", "/x/y"));
  CHECK_FALSE(seen("a=b; Path=/x/", "/", "/x"));
}

TEST_CASE("http cookie: those for another host are not taken", "[codec][http]") {
  auto const taken = [](std::string_view host, std::string_view domain) {
    return jar(host).set("a=b; Domain=" + std::string(domain)).held.size() == 1;
  };
  CHECK(taken("game.example.com", "game.example.com"));
  CHECK(taken("game.example.com", "Example.COM"));
  CHECK(taken("Game.example.com", ".example.com"));
  CHECK(taken("game.example.com", ""));
  CHECK(taken("game.example.com", "."));
  CHECK_FALSE(taken("game.example.com", "ample.com"));
  CHECK_FALSE(taken("game.example.com", "other.example.com"));
  CHECK_FALSE(taken("game.example.com", "a.game.example.com"));
  CHECK_FALSE(taken("game.example.com", "..example.com"));
  CHECK_FALSE(taken("192.0.2.1", "2.1"));
  CHECK(taken("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(taken("::ffff:192.0.2.1", "0.2.1"));
}

TEST_CASE("http cookie: Max-Age and Expires", "[codec][http]") {
  auto const lives = [](std::string_view attributes, hawser::duration after) {
    return !jar().set("a=b; " + std::string(attributes)).at("/", true, after).empty();
  };
  CHECK(lives("", 24h * 10'000));
  CHECK(lives("Max-Age=10", 9s));
  CHECK_FALSE(lives("Max-Age=10", 10s));
  CHECK_FALSE(lives("max-age=0", 0s));
  CHECK_FALSE(lives("max-age=-1", 0s));
  CHECK(lives("Max-Age=1h", 24h));
  CHECK(lives("Max-Age=", 24h));
  CHECK(lives("Max-Age=-", 24h));
  CHECK(lives("Max-Age=" + std::string(100, '9'), 24h * 400 - 1s));
  CHECK_FALSE(lives("Max-Age=" + std::string(100, '9'), 24h * 400));
  CHECK(lives("Expires=Thu, 01 Jan 2026 00:01:00 GMT", 59s));
  CHECK_FALSE(lives("Expires=Thu, 01-Jan-26 00:01:00 GMT", 60s));
  CHECK_FALSE(lives("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0s));
  CHECK_FALSE(lives("Expires=Thu, 01 Jan 9999 00:00:00 GMT", 24h * 400));
  CHECK(lives("Expires=tomorrow", 24h * 10));
  CHECK(lives("Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 99s));
  CHECK_FALSE(lives("Expires=Fri, 01 Jan 2027 00:00:00 GMT; Max-Age=100", 100s));
}

TEST_CASE("http cookie: what expires makes room, and deletes", "[codec][http]") {
  jar it;
  it.set("a=1; Max-Age=5").set("b=2");
  it.held.set("c=3", "/", true, start + 6s, january_2026 + 6);
  CHECK(it.held.size() == 2);
  it.held.set("b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", true, start + 7s, january_2026);
  CHECK(it.at() == "c=3");
}

TEST_CASE("http cookie: Secure ones need TLS, and are safe from those without", "[codec][http]") {
  jar it;
  it.set("a=1; Secure").set("b=2");
  CHECK(it.at("/", true) == "a=1; b=2");
  CHECK(it.at("/", false) == "b=2");
  it.set("c=3; Secure", "/", false);
  it.set("a=4", "/", false).set("a=5; Path=/x", "/", false).set("b=6", "/", false);
  CHECK(it.at("/x", true) == "a=1; b=6");
  CHECK(jar().set("__Secure-a=1").held.size() == 0);
  CHECK(jar().set("__Secure-a=1; Secure").held.size() == 1);
  CHECK(jar().set("__Host-a=1; Secure").held.size() == 1);
  CHECK(jar().set("__Host-a=1; Secure", "/x/y").held.size() == 0);
  CHECK(jar().set("__Host-a=1; Secure; Domain=game.example.com").held.size() == 0);
}

TEST_CASE("http cookie: there are only so many", "[codec][http]") {
  jar few("h", {.max_cookies = 2});
  few.set("a=1").set("b=2").set("a=3").set("c=4");
  CHECK(few.at() == "a=3; c=4");

  jar small("h", {.max_cookie_size = 10});
  small.set("a=12345678").set("b=123456789");  // with the path, 10 and 11 bytes
  CHECK(small.at() == "a=12345678");
  small.set("a=123456789");
  CHECK(small.held.size() == 0);

  jar full("h", {.max_bytes = 20});
  full.set("a=12345678").set("b=12345678").set("c=1");
  CHECK(full.at() == "b=12345678; c=1");
  CHECK(full.set("d=" + std::string(20, 'x')).held.size() == 2);

  CHECK(jar("h", {.max_cookies = 0}).set("a=b").held.size() == 0);

  jar flooded;
  for (int i = 0; i < 5000; ++i) flooded.set("n" + std::to_string(i) + "=" + std::string(500, 'x'));
  CHECK(flooded.held.size() <= 50);
  CHECK(flooded.at().size() <= 8 * 1024 + 3 * 50);
}
