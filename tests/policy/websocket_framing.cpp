#include <hawser/policy/websocket_framing.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

namespace {

using framing = websocket_framing;
using type = framing_event::type;

struct got {
  type what;
  message_kind kind;
  std::string payload;
  bool operator==(got const&) const = default;
};

// Both ends of a connection, and the bytes between them.
struct pair {
  explicit pair(framing::options numbers = {},
                std::optional<ws::deflate_agreement> agreed = std::nullopt)
      : random(1), state(numbers, random.source()), server(role::server), client(role::client) {
    if (!agreed) return;
    server.agree(*agreed);
    client.agree(*agreed);
  }
  ~pair() {
    server.release(state);
    client.release(state);
  }

  framing::peer& at(role self) { return self == role::server ? server : client; }
  framing::peer& other(role self) { return self == role::server ? client : server; }

  std::string wire(role from, std::string_view data, message_kind kind = message_kind::text,
                   bool compress = true) {
    auto const out = at(from).encode({kind, as_bytes(data), compress}, state);
    CHECK(out.size() == out.head_size + out.body.size());
    return std::string(as_text(out.head_view())) + std::string(as_text(out.body));
  }
  std::string control(role from, control_kind kind, std::string_view payload) {
    std::array<std::byte, max_control_size> out;
    std::size_t const size = at(from).encode_control(kind, as_bytes(payload), out.data(), state);
    return std::string(as_text(bytes_view(out).first(size)));
  }
  std::vector<got> read(role by, std::string bytes) {
    std::vector<got> all;
    mutable_bytes in{reinterpret_cast<std::byte*>(bytes.data()), bytes.size()};
    for (;;) {
      auto const event = at(by).decode(in, state);
      if (event.what == type::need_more) return all;
      all.push_back({event.what, event.kind, std::string(as_text(event.payload))});
      last = event;
      if (event.what == type::violation) return all;
    }
  }

  seeded_random random;
  framing::shared state;
  framing::peer server;
  framing::peer client;
  framing_event last{};
};

std::string text_of(std::size_t size) {
  std::string made;
  while (made.size() < size) made += "position " + std::to_string(made.size()) + "; ";
  made.resize(size);
  return made;
}

constexpr role both[] = {role::server, role::client};
role opposite(role self) { return self == role::server ? role::client : role::server; }

constexpr std::size_t sizes[] = {0, 1, 125, 126, 500, 65'535, 65'536, 200'000};

framing::options deflating() {
  framing::options numbers;
  numbers.deflate.enabled = true;
  return numbers;
}

}  // namespace

TEST_CASE("websocket framing: what one side encodes the other decodes", "[policy][framing]") {
  pair ends;
  for (role const from : both) {
    for (std::size_t const size : sizes) {
      for (message_kind const kind : {message_kind::text, message_kind::binary}) {
        auto const text = text_of(size);
        auto const bytes = ends.wire(from, text, kind);
        CHECK(ends.read(opposite(from), bytes) == std::vector<got>{{type::message, kind, text}});
      }
    }
  }
}

TEST_CASE("websocket framing: at every split", "[policy][framing]") {
  for (bool const deflate : {false, true}) {
    auto const agreed = deflate ? std::optional(ws::deflate_agreement{}) : std::nullopt;
    for (role const from : both) {
      pair source(deflating(), agreed);
      auto const text = text_of(300);
      auto const bytes = source.wire(from, text) + source.control(from, control_kind::ping, "p");
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        pair ends(deflating(), agreed);
        auto all = ends.read(opposite(from), bytes.substr(0, cut));
        for (auto& more : ends.read(opposite(from), bytes.substr(cut))) all.push_back(more);
        REQUIRE(all == std::vector<got>{{type::message, message_kind::text, text},
                                        {type::ping, message_kind::binary, "p"}});
      }
    }
  }
}

TEST_CASE("websocket framing: deflate with and without contexts, both ways", "[policy][framing]") {
  for (int flags = 0; flags < 4; ++flags) {
    for (std::uint8_t const bits : {std::uint8_t{9}, std::uint8_t{12}, std::uint8_t{15}}) {
      ws::deflate_agreement agreed{};
      agreed.server_no_context_takeover = (flags & 1) != 0;
      agreed.client_no_context_takeover = (flags & 2) != 0;
      agreed.server_window_bits = bits;
      agreed.client_window_bits = bits;
      pair ends(deflating(), agreed);
      for (int round = 0; round < 3; ++round) {
        for (role const from : both) {
          for (std::size_t const size : sizes) {
            auto const text = text_of(size);
            auto const bytes = ends.wire(from, text);
            if (size > 65'000) CHECK(bytes.size() < size);
            REQUIRE(ends.read(opposite(from), bytes) ==
                    std::vector<got>{{type::message, message_kind::text, text}});
            auto const plain = ends.wire(from, text, message_kind::binary, false);
            CHECK(plain.size() >= size);
            REQUIRE(ends.read(opposite(from), plain) ==
                    std::vector<got>{{type::message, message_kind::binary, text}});
          }
        }
      }
    }
  }
}

TEST_CASE("websocket framing: a context makes the second message smaller", "[policy][framing]") {
  ws::deflate_agreement keeps{};
  keeps.server_no_context_takeover = keeps.client_no_context_takeover = false;
  pair ends(deflating(), keeps);
  auto const text = text_of(2'000);
  auto const first = ends.wire(role::server, text);
  auto const second = ends.wire(role::server, text);
  CHECK(second.size() < first.size() / 4);
  CHECK(ends.read(role::client, first + second).size() == 2);
}

TEST_CASE("websocket framing: incompressible bytes go as they are when nothing is kept",
          "[policy][framing]") {
  ws::deflate_agreement forgets{};
  forgets.server_no_context_takeover = forgets.client_no_context_takeover = true;
  pair ends(deflating(), forgets);
  std::string noise(5'000, '\0');
  ends.random.fill({reinterpret_cast<std::byte*>(noise.data()), noise.size()});
  auto const bytes = ends.wire(role::server, noise, message_kind::binary);
  CHECK(bytes.size() == noise.size() + 4);
  CHECK((static_cast<unsigned char>(bytes[0]) & 0x40) == 0);
  CHECK(ends.read(role::client, bytes) ==
        std::vector<got>{{type::message, message_kind::binary, noise}});
}

TEST_CASE("websocket framing: the same variant means the same bytes", "[policy][framing]") {
  ws::deflate_agreement forgets{};
  forgets.server_no_context_takeover = forgets.client_no_context_takeover = true;
  auto narrow = forgets;
  narrow.server_window_bits = 10;
  auto keeps = forgets;
  keeps.server_no_context_takeover = false;
  pair plain(deflating());
  pair first(deflating(), forgets);
  pair second(deflating(), forgets);
  pair third(deflating(), narrow);
  pair fourth(deflating(), keeps);
  auto const text = text_of(3'000);
  outgoing const message{message_kind::text, as_bytes(text), true};
  outgoing const secret{message_kind::text, as_bytes(text), false};
  auto const variant = [](pair& of, outgoing const& what) {
    return of.server.variant(what, of.state);
  };
  CHECK(variant(first, message) == variant(second, message));
  CHECK(first.wire(role::server, text) == second.wire(role::server, text));
  CHECK(variant(plain, message) != variant(first, message));
  CHECK(variant(third, message) != variant(first, message));
  CHECK(variant(fourth, message) == private_variant);
  for (pair* one : {&plain, &first, &third, &fourth}) {
    CHECK(variant(*one, secret) == variant(plain, message));
    CHECK(one->wire(role::server, text, message_kind::text, false) ==
          plain.wire(role::server, text));
    CHECK(one->client.variant(message, one->state) == private_variant);
  }
}

TEST_CASE("websocket framing: small messages are not compressed", "[policy][framing]") {
  auto numbers = deflating();
  numbers.deflate.threshold = 100;
  pair ends(numbers, ws::deflate_agreement{});
  CHECK((static_cast<unsigned char>(ends.wire(role::server, text_of(99))[0]) & 0x40) == 0);
  CHECK((static_cast<unsigned char>(ends.wire(role::server, text_of(100))[0]) & 0x40) != 0);
}

TEST_CASE("websocket framing: control frames round trip and never exceed 125 bytes",
          "[policy][framing]") {
  pair ends;
  for (role const from : both) {
    for (std::size_t const size : {0u, 1u, 124u, 125u, 126u, 5'000u}) {
      auto const text = text_of(size);
      auto const sent = text.substr(0, 125);
      CHECK(ends.read(opposite(from), ends.control(from, control_kind::ping, text)) ==
            std::vector<got>{{type::ping, message_kind::binary, sent}});
      CHECK(ends.read(opposite(from), ends.control(from, control_kind::pong, text)) ==
            std::vector<got>{{type::pong, message_kind::binary, sent}});
    }
    CHECK(ends.read(opposite(from), ends.control(from, control_kind::close,
                                                 "\x03\xe8"
                                                 "bye")) ==
          std::vector<got>{{type::close, message_kind::binary, "bye"}});
    CHECK(ends.last.code == close_code::normal);
    CHECK(ends.read(opposite(from), ends.control(from, control_kind::close, "")).size() == 1);
    CHECK(ends.last.code == close_code::no_status);
  }
}

TEST_CASE("websocket framing: bad close bodies are violations", "[policy][framing]") {
  struct sample {
    std::string body;
    errc error;
    close_code answer;
  };
  for (auto const& one :
       {sample{"x", errc::bad_close_payload, close_code::protocol_error},
        sample{"\x03\xed", errc::bad_close_code, close_code::protocol_error},
        sample{"\x03\xe8\xff", errc::invalid_utf8, close_code::invalid_payload}}) {
    pair ends;
    ends.read(role::server, ends.control(role::client, control_kind::close, one.body));
    CHECK(ends.last.what == type::violation);
    CHECK(ends.last.error == one.error);
    CHECK(ends.last.code == one.answer);
  }
}

TEST_CASE("websocket framing: every frame of a client has a key of its own", "[policy][framing]") {
  pair ends;
  std::set<std::string> keys;
  for (int i = 0; i < 500; ++i) {
    keys.insert(ends.wire(role::client, "").substr(2, 4));
    keys.insert(ends.control(role::client, control_kind::ping, "").substr(2, 4));
  }
  CHECK(keys.size() == 1'000);
  CHECK_FALSE(keys.contains(std::string(4, '\0')));
}

TEST_CASE("websocket framing: a server masks nothing and copies nothing", "[policy][framing]") {
  pair ends;
  std::string const text = "not copied";
  auto const out = ends.server.encode({message_kind::text, as_bytes(text)}, ends.state);
  CHECK(static_cast<void const*>(out.body.data()) == static_cast<void const*>(text.data()));
  CHECK(out.head_size == 2);
}

TEST_CASE("websocket framing: a message that inflates beyond the limit is too big",
          "[policy][framing]") {
  auto numbers = deflating();
  numbers.max_message_size = 10'000;
  pair ends(numbers, ws::deflate_agreement{});
  auto const fits = ends.wire(role::client, std::string(10'000, 'x'));
  CHECK(ends.read(role::server, fits).size() == 1);
  CHECK(ends.last.what == type::message);
  auto const bomb = ends.wire(role::client, std::string(10'001, 'x'));
  CHECK(bomb.size() < 100);
  ends.read(role::server, bomb);
  CHECK(ends.last.what == type::violation);
  CHECK(ends.last.error == errc::message_too_big);
  CHECK(ends.last.code == close_code::message_too_big);
}

TEST_CASE("websocket framing: compressed text must inflate to UTF-8", "[policy][framing]") {
  pair ends(deflating(), ws::deflate_agreement{});
  std::string const bad = text_of(500) + "\xff";
  ends.read(role::server, ends.wire(role::client, bad, message_kind::binary));
  CHECK(ends.last.what == type::message);
  ends.read(role::server, ends.wire(role::client, bad, message_kind::text));
  CHECK(ends.last.what == type::violation);
  CHECK(ends.last.error == errc::invalid_utf8);
  // And nothing but that from now on, whatever comes.
  CHECK(ends.read(role::server, ends.wire(role::client, "fine")).back().what == type::violation);
}

TEST_CASE("websocket framing: bytes that don't inflate are a violation", "[policy][framing]") {
  pair ends(deflating(), ws::deflate_agreement{});
  std::string bytes{'\xc1', '\x04', '\xff', '\xff', '\xff', '\xff'};
  ends.read(role::client, bytes);
  CHECK(ends.last.what == type::violation);
  CHECK(ends.last.error == errc::bad_deflate_data);
  CHECK(ends.last.code == close_code::invalid_payload);
}

TEST_CASE("websocket framing: says what it holds of an unfinished message", "[policy][framing]") {
  pair ends;
  CHECK_FALSE(ends.server.unfinished().exists);
  auto const bytes = ends.wire(role::client, text_of(1'000));
  ends.read(role::server, bytes.substr(0, 508));
  CHECK(ends.server.unfinished().exists);
  CHECK(ends.server.unfinished().held == 500);
  ends.read(role::server, bytes.substr(508));
  CHECK_FALSE(ends.server.unfinished().exists);
}
