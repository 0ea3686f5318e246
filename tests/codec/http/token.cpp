// Tokens, values and lists.
#include <hawser/codec/http/token.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace http = hawser::http;

namespace {

std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> found;
  for (http::list_reader reader(list); reader.next();) found.push_back(reader.element());
  return found;
}

using list = std::vector<std::string_view>;

}  // namespace

TEST_CASE("http token: the classes hold what the RFC says", "[codec][http]") {
  std::string_view const tchars =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; ++c) {
    char const as_char = static_cast<char>(c);
    bool const token = c != 0 && tchars.find(as_char) != std::string_view::npos;
    CHECK(http::is(http::token_char, as_char) == token);
    CHECK(http::is(http::method_char, as_char) == (token && !(c >= 'a' && c <= 'z')));
    CHECK(http::is(http::value_char, as_char) == (c == 9 || (c >= 32 && c != 127)));
    CHECK(http::is(http::target_char, as_char) == (c > 32 && c < 127 && c != '#'));
  }
}

TEST_CASE("http token: comparing ignores the case of letters only", "[codec][http]") {
  CHECK(http::iequals("Host", "hOST"));
  CHECK_FALSE(http::iequals("Host", "Hos"));
  CHECK_FALSE(http::iequals("@", "`"));
  CHECK_FALSE(http::iequals("[", "{"));
  CHECK_FALSE(http::iequals("\xc0", "\xe0"));
  CHECK(http::trim(" \t a b\t ") == "a b");
  CHECK(http::trim(" \t ").empty());
  CHECK_FALSE(http::is_token(""));
  CHECK(http::is_field_value(""));
  CHECK_FALSE(http::is_field_value(" a"));
  CHECK_FALSE(http::is_field_value("a\r\nb"));
}

TEST_CASE("http token: lists are split at commas outside quotes", "[codec][http]") {
  CHECK(elements("") == list{});
  CHECK(elements(" ") == list{""});
  CHECK(elements("a") == list{"a"});
  CHECK(elements("a ,\tb") == list{"a", "b"});
  CHECK(elements(",a,,") == list{"", "a", "", ""});
  CHECK(elements("a;x=\"1,2\", b") == list{"a;x=\"1,2\"", "b"});
  CHECK(elements("\"a\\\",b\",c") == list{"\"a\\\",b\"", "c"});
  CHECK(elements("\"a,b") == list{"\"a,b"});
  CHECK(elements("\"a\\") == list{"\"a\\"});
  CHECK(http::list_has("keep-alive, Upgrade", "upgrade"));
  CHECK_FALSE(http::list_has("\"x, upgrade", "upgrade"));
  CHECK_FALSE(http::list_has("upgrades", "upgrade"));
}
