#include <hawser/codec/ws/message_reader.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace hawser::ws;

namespace {

using type = frame_event::type;

struct event {
  type what;
  std::string payload;
  errc error{};
  bool operator==(event const&) const = default;
};

// A frame as `writer` sends it.
std::string frame(role writer, opcode code, std::string_view payload, bool fin = true,
                  bool rsv1 = false) {
  std::byte head[max_header_size];
  mask_key const key{std::byte{0x11}, std::byte{0xf2}, std::byte{0x83}, std::byte{0x04}};
  std::string body(payload);
  std::size_t const size = writer == role::client
                               ? write_header(head, code, payload.size(), key, fin, rsv1)
                               : write_header(head, code, payload.size(), fin, rsv1);
  if (writer == role::client) {
    apply_mask({reinterpret_cast<std::byte*>(body.data()), body.size()}, key);
  }
  return std::string(as_text({head, size})) + body;
}

struct reading {
  explicit reading(role self, message_limits numbers = {}, bool deflate = false)
      : limits(numbers), reader(self, deflate) {}
  ~reading() { reader.release(pool); }

  // Reads these bytes as they came in one read.
  void feed(std::string bytes) {
    mutable_bytes in{reinterpret_cast<std::byte*>(bytes.data()), bytes.size()};
    for (;;) {
      auto const got = reader.next(in, limits, pool);
      if (got.what == type::need_more) break;
      events.push_back({got.what, std::string(as_text(got.payload)), got.error});
      if (got.what == type::violation) break;
    }
  }

  message_limits limits;
  assembly_pool pool;
  message_reader reader;
  std::vector<event> events;
};

// Expects the same events however the bytes are cut.
void expect(role self, std::string const& bytes, std::vector<event> const& expected,
            message_limits limits = {}, bool deflate = false) {
  auto const check = [&](reading const& got, char const* how) {
    CAPTURE(how);
    REQUIRE(got.events == expected);
  };
  reading whole(self, limits, deflate);
  whole.feed(bytes);
  check(whole, "whole");
  if (bytes.size() <= 2'000) {
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      reading split(self, limits, deflate);
      split.feed(bytes.substr(0, cut));
      if (split.events.empty() || split.events.back().what != type::violation) {
        split.feed(bytes.substr(cut));
      }
      check(split, "split");
    }
  }
  reading single(self, limits, deflate);
  for (char const c : bytes) {
    if (!single.events.empty() && single.events.back().what == type::violation) break;
    single.feed(std::string(1, c));
  }
  check(single, "byte by byte");
}

std::string pattern(std::size_t size) {
  std::string made(size, '\0');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + i % 26);
  return made;
}

}  // namespace

TEST_CASE("message reader: whole messages of every length form", "[codec][ws]") {
  for (role const self : {role::server, role::client}) {
    role const peer = self == role::server ? role::client : role::server;
    for (std::size_t const size :
         {0u, 1u, 7u, 125u, 126u, 127u, 1'000u, 65'535u, 65'536u, 70'000u}) {
      auto const text = pattern(size);
      expect(self, frame(peer, opcode::text, text), {{type::text, text}});
      expect(self, frame(peer, opcode::binary, text), {{type::binary, text}});
    }
  }
}

TEST_CASE("message reader: many messages in one read come in order", "[codec][ws]") {
  std::string bytes;
  std::vector<event> expected;
  for (std::size_t i = 0; i < 20; ++i) {
    bytes += frame(role::client, i % 2 == 0 ? opcode::text : opcode::binary, pattern(i * 3));
    expected.push_back({i % 2 == 0 ? type::text : type::binary, pattern(i * 3)});
  }
  expect(role::server, bytes, expected);
}

TEST_CASE("message reader: fragments make one message, control frames come between",
          "[codec][ws]") {
  auto const c = role::client;
  expect(role::server,
         frame(c, opcode::text, "Hel", false) + frame(c, opcode::ping, "p1") +
             frame(c, opcode::continuation, "", false) + frame(c, opcode::pong, "p2") +
             frame(c, opcode::continuation, "lo", true) + frame(c, opcode::binary, "next") +
             frame(c, opcode::close, "\x03\xe8"),
         {{type::ping, "p1"},
          {type::pong, "p2"},
          {type::text, "Hello"},
          {type::binary, "next"},
          {type::close, "\x03\xe8"}});
}

TEST_CASE("message reader: control frames of 125 bytes, cut anywhere", "[codec][ws]") {
  auto const full = pattern(125);
  expect(role::server,
         frame(role::client, opcode::ping, full) + frame(role::client, opcode::pong, "") +
             frame(role::client, opcode::ping, full),
         {{type::ping, full}, {type::pong, ""}, {type::ping, full}});
}

TEST_CASE("message reader: text may be cut inside a character", "[codec][ws]") {
  std::string const text = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 \xf0\x9f\x9a\xa2";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    expect(role::server,
           frame(role::client, opcode::text, text.substr(0, cut), false) +
               frame(role::client, opcode::continuation, text.substr(cut)),
           {{type::text, text}});
  }
}

TEST_CASE("message reader: text that is not UTF-8 is a violation", "[codec][ws]") {
  for (std::string const bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    expect(role::server, frame(role::client, opcode::text, bad),
           {{type::violation, "", errc::invalid_utf8}});
    expect(role::server,
           frame(role::client, opcode::text, "", false) +
               frame(role::client, opcode::continuation, bad),
           {{type::violation, "", errc::invalid_utf8}});
    expect(role::server, frame(role::client, opcode::binary, bad), {{type::binary, bad}});
  }
}

TEST_CASE("message reader: bad text is noticed before the message has ended", "[codec][ws]") {
  reading at(role::server);
  at.feed(frame(role::client, opcode::text, "ok", false));
  at.feed(frame(role::client, opcode::continuation, "\xff", false));
  CHECK(at.events == std::vector<event>{{type::violation, "", errc::invalid_utf8}});
}

TEST_CASE("message reader: frames out of order are violations", "[codec][ws]") {
  auto const c = role::client;
  expect(role::server, frame(c, opcode::continuation, "x"),
         {{type::violation, "", errc::unexpected_continuation}});
  expect(role::server, frame(c, opcode::text, "a", false) + frame(c, opcode::text, "b"),
         {{type::violation, "", errc::continuation_expected}});
  expect(role::server,
         frame(c, opcode::text, "a", false) + frame(c, opcode::continuation, "b") +
             frame(c, opcode::continuation, "c"),
         {{type::text, "ab"}, {type::violation, "", errc::unexpected_continuation}});
}

TEST_CASE("message reader: what comes after a violation is the violation", "[codec][ws]") {
  reading at(role::server);
  at.feed(frame(role::client, opcode::continuation, "x"));
  at.feed(frame(role::client, opcode::text, "fine"));
  at.feed("");
  CHECK(at.events == std::vector<event>(3, {type::violation, "", errc::unexpected_continuation}));
  CHECK_FALSE(at.reader.unfinished());
}

TEST_CASE("message reader: a length over the limit is refused before its bytes", "[codec][ws]") {
  message_limits const limits{.max_message_size = 1'000};
  auto const c = role::client;
  expect(role::server, frame(c, opcode::binary, pattern(1'000)), {{type::binary, pattern(1'000)}},
         limits);
  std::vector<event> const refused{{type::violation, "", errc::message_too_big}};
  expect(role::server, frame(c, opcode::binary, pattern(1'001)).substr(0, 8), refused, limits);
  expect(role::server,
         frame(c, opcode::binary, pattern(600), false) +
             frame(c, opcode::continuation, pattern(401)).substr(0, 8),
         refused, limits);
  expect(
      role::server,
      frame(c, opcode::binary, pattern(600), false) + frame(c, opcode::continuation, pattern(400)),
      {{type::binary, pattern(600) + pattern(400)}}, limits);
  std::byte head[max_header_size];
  std::size_t const size =
      write_header(head, opcode::binary, (std::uint64_t{1} << 63) - 1, mask_key{});
  expect(role::server, std::string(as_text({head, size})), refused, limits);
}

TEST_CASE("message reader: memory follows what has arrived, not what is claimed", "[codec][ws]") {
  reading at(role::server, {.max_message_size = std::size_t{1} << 30});
  std::byte head[max_header_size];
  std::size_t const size = write_header(head, opcode::binary, 1'000'000'000, mask_key{});
  at.feed(std::string(as_text({head, size})) + "ten bytes.");
  CHECK(at.events.empty());
  CHECK(at.reader.unfinished());
  CHECK(at.reader.held() == 10);
}

TEST_CASE("message reader: fragments are counted, empty ones more strictly", "[codec][ws]") {
  message_limits const limits{.max_message_size = 640, .max_empty_fragments = 3};
  auto const c = role::client;
  auto const message = [&](int parts, std::string const& each) {
    std::string bytes = frame(c, opcode::binary, each, false);
    for (int i = 2; i < parts; ++i) bytes += frame(c, opcode::continuation, each, false);
    return bytes + frame(c, opcode::continuation, each);
  };
  std::vector<event> const refused{{type::violation, "", errc::too_many_fragments}};
  expect(role::server, message(12, "x"), {{type::binary, std::string(12, 'x')}}, limits);
  expect(role::server, message(13, "x"), refused, limits);
  expect(role::server, message(4, ""), {{type::binary, ""}}, limits);
  expect(role::server, message(5, ""), refused, limits);
  // Every message has its own count.
  expect(role::server, message(12, "x") + message(4, "") + message(12, "y"),
         {{type::binary, std::string(12, 'x')},
          {type::binary, ""},
          {type::binary, std::string(12, 'y')}},
         limits);
}

TEST_CASE("message reader: compressed messages are handed on as they are", "[codec][ws]") {
  auto const c = role::client;
  std::string const bytes = frame(c, opcode::text, "\xff\xfe", true, true) +
                            frame(c, opcode::binary, "ab", false, true) +
                            frame(c, opcode::continuation, "cd") + frame(c, opcode::text, "plain");
  expect(role::server, bytes,
         {{type::deflated, "\xff\xfe"}, {type::deflated, "abcd"}, {type::text, "plain"}}, {}, true);
  expect(role::server, frame(c, opcode::text, "x", true, true),
         {{type::violation, "", errc::reserved_bits}});
}

TEST_CASE("message reader: holds nothing between messages", "[codec][ws]") {
  reading at(role::server);
  CHECK_FALSE(at.reader.unfinished());
  auto const bytes = frame(role::client, opcode::text, pattern(300));
  at.feed(bytes.substr(0, 1));
  CHECK(at.reader.unfinished());
  at.feed(bytes.substr(1, 100));
  CHECK(at.reader.held() > 0);
  at.feed(bytes.substr(101));
  at.feed("");
  CHECK(at.events.size() == 1);
  CHECK_FALSE(at.reader.unfinished());
  CHECK(at.reader.held() == 0);
}

TEST_CASE("message reader: random traffic in random cuts comes through", "[codec][ws]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    role const self = random.one_in(2) ? role::server : role::client;
    role const peer = self == role::server ? role::client : role::server;
    std::string bytes;
    std::vector<event> expected;
    for (int i = 0; i < 60; ++i) {
      auto const size = static_cast<std::size_t>(random.uniform(1u << random.uniform(12)));
      auto const text = pattern(size);
      bool const is_text = random.one_in(2);
      auto const parts = random.between(1, 4);
      std::size_t at = 0;
      for (std::uint64_t part = 1; part <= parts; ++part) {
        auto const some =
            part == parts ? size - at : static_cast<std::size_t>(random.uniform(size - at + 1));
        auto const code = part > 1 ? opcode::continuation : is_text ? opcode::text : opcode::binary;
        bytes += frame(peer, code, std::string_view(text).substr(at, some), part == parts);
        at += some;
        if (random.one_in(3)) {
          auto const ping = pattern(static_cast<std::size_t>(random.uniform(126)));
          bytes += frame(peer, opcode::ping, ping);
          if (part == parts) expected.push_back({is_text ? type::text : type::binary, text});
          expected.push_back({type::ping, ping});
        } else if (part == parts) {
          expected.push_back({is_text ? type::text : type::binary, text});
        }
      }
    }
    reading got(self);
    for (std::size_t at = 0; at < bytes.size();) {
      auto const some = static_cast<std::size_t>(random.between(1, 1u << random.uniform(14)));
      got.feed(bytes.substr(at, some));
      at += some;
    }
    REQUIRE(got.events == expected);
  }
}
