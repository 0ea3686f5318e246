#include <hawser/codec/ws/extension.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using hawser::errc;
using hawser::ws::accept_offer;
using hawser::ws::answer;
using hawser::ws::check_answer;
using hawser::ws::compressor;
using hawser::ws::deflate_agreement;
using hawser::ws::deflate_options;
using hawser::ws::offer;
using hawser::ws::parse_extensions;
using namespace std::string_view_literals;

using headers = std::vector<std::string_view>;

/// Normal form: a;b=c,d
std::string shown(headers const& values) {
  auto const list = parse_extensions(values);
  if (!list) return list.error() == errc::bad_extension ? "error" : "another error";
  std::string text;
  for (auto const& element : *list) {
    if (!text.empty()) text += ',';
    text += element.name;
    for (auto const& [name, value] : element.params) {
      text += ';';
      text += name;
      if (value) text += '=' + *value;
    }
  }
  return text;
}

deflate_options on(compressor kind = compressor::shared) {
  deflate_options options;
  options.enabled = true;
  options.kind = kind;
  return options;
}

/// A dedicated compressor without any wish.
deflate_options permissive() {
  deflate_options options = on(compressor::dedicated);
  options.server_max_window_bits = 15;
  options.server_no_context_takeover = false;
  options.client_no_context_takeover = false;
  return options;
}

/// The server's answer to an offer: "" when it declines.
std::string answered(headers const& values, deflate_options const& options) {
  auto const agreement = accept_offer(values, options);
  if (!agreement) return agreement.error() == errc::bad_extension ? "error" : "another error";
  return *agreement ? answer(**agreement) : "";
}

std::string answered(std::string_view value, deflate_options const& options) {
  return answered(headers{value}, options);
}

/// The client's reading of an answer: s and c for no context takeover, then the window bits.
std::string checked(headers const& values, deflate_options const& options) {
  auto const agreement = check_answer(values, options);
  if (!agreement) return agreement.error() == errc::bad_extension ? "error" : "another error";
  if (!*agreement) return "none";
  deflate_agreement const& a = **agreement;
  return std::string(a.server_no_context_takeover ? "s" : "") +
         (a.client_no_context_takeover ? "c" : "") + " " + std::to_string(a.server_window_bits) +
         " " + std::to_string(a.client_window_bits);
}

std::string checked(std::string_view value, deflate_options const& options) {
  return checked(headers{value}, options);
}

}  // namespace

TEST_CASE("ws extension: well-formed headers are read", "[codec][ws]") {
  CHECK(shown({}) == "");
  struct {
    std::string_view text, expected;
  } const table[] = {
      {"foo", "foo"},
      {" \t foo \t ", "foo"},
      {"foo,bar", "foo,bar"},
      {"foo , bar ,\tfoo", "foo,bar,foo"},
      {"foo;bar", "foo;bar"},
      {"foo; bar ;\tbaz", "foo;bar;baz"},
      {"foo;bar=1", "foo;bar=1"},
      {"foo;bar=1;bar=2", "foo;bar=1;bar=2"},
      {"foo;bar=\"1\"", "foo;bar=1"},
      {"foo;bar=\"a\\b\\c\"", "foo;bar=abc"},
      {"foo;bar=\"1\" ; baz = ", "error"},
      {"!#$%&'*+-.^_`|~09azAZ;~=!", "!#$%&'*+-.^_`|~09azAZ;~=!"},
      {"__proto__;constructor=toString", "__proto__;constructor=toString"},
      {"permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
       "permessage-deflate;client_max_window_bits,x-webkit-deflate-frame"},
  };
  for (auto const& [text, expected] : table) {
    CAPTURE(text);
    CHECK(shown({text}) == expected);
  }
  CHECK(shown({"foo;a", "bar, baz"}) == "foo;a,bar,baz");
}

TEST_CASE("ws extension: anything malformed is a syntax error", "[codec][ws]") {
  std::string_view const table[] = {
      "",
      " ",
      ",",
      "foo,",
      ",foo",
      "foo,,bar",
      "foo, ,bar",
      "foo;",
      "foo; ",
      "foo;,bar",
      "foo;;bar",
      ";bar",
      "foo bar",
      "foo;a b",
      "foo;=1",
      "foo=1",
      "foo;bar=",
      "foo;bar= 1",
      "foo;bar =1",
      "foo;bar=,",
      "foo;bar=;",
      "foo;bar==1",
      "foo;bar=1=2",
      "foo;bar=1 2",
      "foo;bar=\"",
      "foo;bar=\"1",
      "foo;bar=\"\"",
      "foo;bar=1\"",
      "foo;bar=\"1\"2",
      "foo;bar=\"1 2\"",
      "foo;bar=\"1,2\"",
      "foo;bar=\"\\",
      "foo;bar=\"\\\"",
      "foo;bar=\"\\\\\"",
      "foo;bar=\"\\\"\"",
      "foo;bar=\"\"\"\"",
      "foo;bar='1 '",
      "foo;\"bar\"",
      "\"foo\"",
      "foo/bar",
      "foo;b@r",
      "(foo)",
      "foo;bar={}",
      "foo;bar=<1>",
      "foo:bar",
      "foo\r\nbar",
      "foo\r",
      "foo\n",
      "foo\0"sv,
      "\0"sv,
      "f\x7fo",
      "f\xc3\xb6o",
      "foo;b\x80r",
      "foo;bar=\xff",
      "foo\v",
      "foo;bar=\"\t\"",
  };
  for (auto const text : table) {
    CAPTURE(text);
    CHECK(shown({text}) == "error");
    CHECK(shown({"good", text}) == "error");
    CHECK(shown({text, "good"}) == "error");
    CHECK(answered(text, on()) == "error");
    CHECK(answered(text, deflate_options{}) == "error");
    CHECK(checked(text, on()) == "error");
  }
}

TEST_CASE("ws extension: counts and lengths are limited", "[codec][ws]") {
  std::string list = "e0";
  for (int i = 1; i < 16; ++i) list += ",e" + std::to_string(i);
  CHECK(parse_extensions(headers{list})->size() == 16);
  CHECK(shown({list + ",e16"}) == "error");
  CHECK(shown({list, "e16"}) == "error");

  std::string params = "e";
  for (int i = 0; i < 16; ++i) params += ";p" + std::to_string(i);
  CHECK(parse_extensions(headers{params})->front().params.size() == 16);
  CHECK(shown({params + ";p16"}) == "error");
  CHECK(shown({params + "," + params}) != "error");

  std::string const longest(1024, 'x');
  CHECK(shown({longest}) == longest);
  CHECK(shown({longest, longest}) == longest + "," + longest);
  CHECK(shown({longest + "x"}) == "error");
  CHECK(shown({"x" + std::string(1024, ' ')}) == "error");
}

TEST_CASE("ws deflate offer: a shared compressor forgets both contexts", "[codec][ws]") {
  constexpr std::string_view both =
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
      "server_max_window_bits=";
  struct {
    std::string_view offered, expected;  // expected: behind `both`
  } const table[] = {
      {"permessage-deflate", "12"},
      {"permessage-deflate; client_max_window_bits", "12"},
      {"permessage-deflate; client_max_window_bits=15", "12"},
      {"permessage-deflate; client_max_window_bits=9", "12; client_max_window_bits=9"},
      {"permessage-deflate; client_max_window_bits=8", "12; client_max_window_bits=8"},
      {"permessage-deflate; client_max_window_bits=\"10\"", "12; client_max_window_bits=10"},
      {"permessage-deflate; server_max_window_bits=15", "12"},
      {"permessage-deflate; server_max_window_bits=12", "12"},
      {"permessage-deflate; server_max_window_bits=11", "11"},
      {"permessage-deflate; server_max_window_bits=9", "9"},
      {"permessage-deflate; server_max_window_bits=\"1\\0\"", "10"},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", "12"},
      {"unknown, permessage-deflate", "12"},
      {"unknown; p=1, permessage-deflate; oops, permessage-deflate; server_max_window_bits=10",
       "10"},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", "12"},
      {"permessage-deflate; server_max_window_bits=9, permessage-deflate", "9"},
  };
  for (auto const& [offered, expected] : table) {
    CAPTURE(offered);
    CHECK(answered(offered, on()) == std::string(both) + std::string(expected));
  }
  CHECK(answered(headers{"unknown", "permessage-deflate"}, on()) == std::string(both) + "12");
}

TEST_CASE("ws deflate offer: a dedicated compressor keeps its context unless asked not to",
          "[codec][ws]") {
  struct {
    std::string_view offered, expected;
  } const table[] = {
      {"permessage-deflate", "permessage-deflate; server_max_window_bits=15"},
      {"permessage-deflate; server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover; server_max_window_bits=15"},
      {"permessage-deflate; client_no_context_takeover",
       "permessage-deflate; client_no_context_takeover; server_max_window_bits=15"},
      {"permessage-deflate; client_max_window_bits; server_max_window_bits=15",
       "permessage-deflate; server_max_window_bits=15"},
  };
  for (auto const& [offered, expected] : table) {
    CAPTURE(offered);
    CHECK(answered(offered, permissive()) == expected);
  }
  CHECK(answered("permessage-deflate", on(compressor::dedicated)) ==
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=12");

  deflate_options narrow = permissive();
  narrow.client_max_window_bits = 10;
  CHECK(answered("permessage-deflate", narrow) == "permessage-deflate; server_max_window_bits=15");
  CHECK(accept_offer(headers{"permessage-deflate"}, narrow)->value().client_window_bits == 15);
  CHECK(answered("permessage-deflate; client_max_window_bits", narrow) ==
        "permessage-deflate; server_max_window_bits=15; client_max_window_bits=10");
  CHECK(answered("permessage-deflate; client_max_window_bits=9", narrow) ==
        "permessage-deflate; server_max_window_bits=15; client_max_window_bits=9");
  CHECK(answered("permessage-deflate; client_max_window_bits=14", narrow) ==
        "permessage-deflate; server_max_window_bits=15; client_max_window_bits=10");
}

TEST_CASE("ws deflate offer: what can't be honoured is declined, not an error", "[codec][ws]") {
  std::string_view const bad_bits[] = {"0",   "1",   "7",   "16",  "99",        "015", "08",
                                       "+9",  "-1",  "-9",  "8.",  "1e",        "0x9", "a",
                                       "10a", "100", "256", "265", "4294967304"};
  for (std::string_view const name : {"server_max_window_bits", "client_max_window_bits"}) {
    for (auto const bits : bad_bits) {
      std::string const text = "permessage-deflate; " + std::string(name) + "=" + std::string(bits);
      CAPTURE(text);
      CHECK(answered(text, on()) == "");
      CHECK(answered(text + ", permessage-deflate", on()) != "");
      CHECK(checked(text, permissive()) == "error");
    }
  }
  std::string_view const table[] = {
      "permessage-deflate; server_max_window_bits=8",
      "permessage-deflate; server_max_window_bits",
      "permessage-deflate; server_no_context_takeover=1",
      "permessage-deflate; client_no_context_takeover=true",
      "permessage-deflate; client_no_context_takeover=\"x\"",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
      "permessage-deflate; client_max_window_bits; client_max_window_bits",
      "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
      "permessage-deflate; unknown",
      "permessage-deflate; unknown=1",
      "permessage-deflate; Server_No_Context_Takeover",
      "Permessage-Deflate",
      "permessage-deflate2",
      "permessage-bzip2; method=x",
      "x-webkit-deflate-frame",
      "__proto__",
  };
  for (auto const text : table) {
    CAPTURE(text);
    CHECK(answered(text, on()) == "");
    CHECK(answered(text, permissive()) == "");
  }
  CHECK(answered(headers{}, on()) == "");
}

TEST_CASE("ws deflate offer: nothing happens while it is off or the options are unusable",
          "[codec][ws]") {
  CHECK(answered("permessage-deflate", deflate_options{}) == "");
  CHECK(offer(deflate_options{}) == "");
  CHECK(checked("permessage-deflate", deflate_options{}) == "error");
  CHECK(checked(headers{}, deflate_options{}) == "none");
  CHECK_FALSE(check(deflate_options{}));
  CHECK_FALSE(check(permissive()));

  int deflate_options::*const fields[] = {&deflate_options::server_max_window_bits,
                                          &deflate_options::client_max_window_bits,
                                          &deflate_options::level, &deflate_options::memory_level};
  for (auto const field : fields) {
    for (int const value : {-1, 0, 16, 1000}) {
      deflate_options options = on();
      options.*field = value;
      CHECK(check(options) == errc::bad_argument);
      CHECK(answered("permessage-deflate", options) == "");
      CHECK(offer(options) == "");
      CHECK(checked("permessage-deflate; server_no_context_takeover", options) == "error");
    }
  }
  deflate_options options = on();
  options.server_max_window_bits = 8;
  CHECK(check(options) == errc::bad_argument);
}

TEST_CASE("ws deflate offer: a client asks for what its options say", "[codec][ws]") {
  CHECK(offer(on()) ==
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=12; client_max_window_bits");
  CHECK(offer(permissive()) == "permessage-deflate; client_max_window_bits");
  deflate_options options = on(compressor::dedicated);
  options.client_max_window_bits = 11;
  CHECK(offer(options) ==
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; "
        "client_max_window_bits=11");
}

TEST_CASE("ws deflate answer: a client takes what it offered and nothing else", "[codec][ws]") {
  deflate_options narrow = permissive();
  narrow.server_max_window_bits = 12;
  narrow.client_max_window_bits = 11;
  struct {
    std::string_view text;
    deflate_options options;
    std::string_view expected;
  } const table[] = {
      {"permessage-deflate", permissive(), " 15 15"},
      {"permessage-deflate; server_no_context_takeover", permissive(), "s 15 15"},
      {"permessage-deflate; client_no_context_takeover", permissive(), "c 15 15"},
      {"permessage-deflate; server_max_window_bits=8", permissive(), " 8 15"},
      {"permessage-deflate; server_max_window_bits=9", permissive(), " 9 15"},
      {"permessage-deflate; server_max_window_bits=15", permissive(), " 15 15"},
      {"permessage-deflate; client_max_window_bits=9", permissive(), " 15 9"},
      {"permessage-deflate; client_max_window_bits=15", permissive(), " 15 15"},
      {"permessage-deflate; client_max_window_bits=\"15\"", permissive(), " 15 15"},
      {"permessage-deflate; client_max_window_bits=8", permissive(), "error"},
      {"permessage-deflate; client_max_window_bits", permissive(), "error"},
      {"permessage-deflate; server_max_window_bits", permissive(), "error"},
      {"permessage-deflate; server_no_context_takeover=1", permissive(), "error"},
      {"permessage-deflate; client_no_context_takeover=1", permissive(), "error"},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", permissive(),
       "error"},
      {"permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", permissive(),
       "error"},
      {"permessage-deflate; unknown", permissive(), "error"},
      {"permessage-deflate, permessage-deflate", permissive(), "error"},
      {"permessage-deflate, unknown", permissive(), "error"},
      {"unknown", permissive(), "error"},
      {"Permessage-deflate", permissive(), "error"},
      {"permessage-deflate; server_max_window_bits=12", narrow, " 12 11"},
      {"permessage-deflate; server_max_window_bits=10", narrow, " 10 11"},
      {"permessage-deflate; server_max_window_bits=13", narrow, "error"},
      {"permessage-deflate", narrow, "error"},
      {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=9", narrow, " 12 9"},
      {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=11", narrow,
       " 12 11"},
      {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", narrow, "error"},
      {"permessage-deflate; server_max_window_bits=12", on(), "error"},
      {"permessage-deflate; client_no_context_takeover; server_max_window_bits=12", on(), "error"},
      {"permessage-deflate; server_no_context_takeover", on(), "error"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12", on(),
       "sc 12 15"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12",
       on(compressor::dedicated), "s 12 15"},
  };
  for (auto const& [text, options, expected] : table) {
    CAPTURE(text, offer(options));
    CHECK(checked(text, options) == expected);
  }
  CHECK(checked(headers{}, permissive()) == "none");
  CHECK(checked(headers{"permessage-deflate", "permessage-deflate"}, permissive()) == "error");
}

TEST_CASE("ws deflate: both sides reach the same agreement whatever their options", "[codec][ws]") {
  std::vector<deflate_options> all;
  for (auto const kind : {compressor::shared, compressor::dedicated}) {
    for (int const server_bits : {9, 12, 15}) {
      for (int const client_bits : {9, 11, 15}) {
        for (int const flags : {0, 1, 2, 3}) {
          deflate_options options = on(kind);
          options.server_max_window_bits = server_bits;
          options.client_max_window_bits = client_bits;
          options.server_no_context_takeover = (flags & 1) != 0;
          options.client_no_context_takeover = (flags & 2) != 0;
          all.push_back(options);
        }
      }
    }
  }
  bool same = true;
  for (auto const& server : all) {
    for (auto const& client : all) {
      std::string const offered = offer(client);
      auto const there = accept_offer(headers{offered}, server);
      if (!there || !*there) {
        same = false;
        continue;
      }
      std::string const said = answer(**there);
      auto const here = check_answer(headers{said}, client);
      same = same && here && *here && **here == **there;
    }
  }
  CHECK(same);
}
