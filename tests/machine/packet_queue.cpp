#include <hawser/machine/packet_queue.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

namespace {

constexpr auto text_part = message_kind::text;
constexpr auto binary_part = message_kind::binary;

struct written {
  message_kind kind;
  std::string bytes;
  bool operator==(written const&) const = default;
};
using packet = std::vector<written>;

// The naive encoder of a polling payload.
std::string join(std::vector<packet> const& packets) {
  std::string all;
  for (auto const& one : packets) {
    for (auto const& part : one) {
      if (!all.empty()) all += '\x1e';
      all += part.kind == text_part ? part.bytes : 'b' + codec::base64_encode(as_bytes(part.bytes));
    }
  }
  return all;
}

struct handed_out {
  packet parts;
  bool compress;
  message_key key;
  bool operator==(handed_out const&) const = default;
};

struct fixture {
  block_pool pool;
  packet_queue queue;

  payload pack(std::string_view bytes) {
    payload made = payload::make(bytes.size(), &pool);
    if (!bytes.empty()) std::memcpy(made.data(), bytes.data(), bytes.size());
    return made;
  }
  std::vector<packet_part> parts_of(packet const& from) {
    std::vector<packet_part> parts;
    for (auto const& one : from) parts.push_back({one.kind, pack(one.bytes)});
    return parts;
  }
  void push(packet const& one, bool compress = false, message_key key = {}) {
    queue.push(parts_of(one), compress, key);
  }
  void push(std::string_view text, message_key key = {}) {
    push(packet{{text_part, std::string(text)}}, false, key);
  }
  bool replace(std::uint64_t key, std::string_view text) {
    return queue.replace(key, parts_of({{text_part, std::string(text)}}));
  }
  std::string body() {
    byte_buffer out;
    queue.write_payload(out);
    return std::string(as_text(out.view()));
  }
  std::vector<handed_out> taken() {
    std::vector<handed_out> all;
    queue.take_all([&](std::span<packet_part const> parts, bool compress, message_key key) {
      all.push_back({copy(parts), compress, key});
    });
    return all;
  }
  static packet copy(std::span<packet_part const> parts) {
    packet made;
    for (auto const& part : parts) {
      made.push_back({part.kind, std::string(as_text(part.bytes.view()))});
    }
    return made;
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "packet queue: packets leave in order as one payload",
                 "[machine][packet_queue]") {
  CHECK(queue.empty());
  push("40");
  push(R"(42["a",1])");
  queue.push_control(pack("2"));
  CHECK_FALSE(queue.empty());
  CHECK(body() ==
        "40\x1e"
        R"(42["a",1])"
        "\x1e"
        "2");
  CHECK(queue.empty());
  CHECK(body().empty());
}

TEST_CASE_METHOD(fixture, "packet queue: a payload goes behind what the body holds",
                 "[machine][packet_queue]") {
  byte_buffer out;
  out.append(as_bytes("head|"));
  push("4a");
  queue.write_payload(out);
  CHECK(as_text(out.view()) == "head|4a");
}

TEST_CASE_METHOD(fixture, "packet queue: attachments follow their text, as base64",
                 "[machine][packet_queue]") {
  push({{text_part, "452-[...]"}, {binary_part, ""}, {binary_part, "\x01\x02\x03\x04"}});
  push("4next");
  CHECK(queue.queued().messages == 2);
  CHECK(queue.queued().bytes == 9 + 1 + 9 + 5);
  CHECK(body() ==
        "452-[...]\x1e"
        "b\x1e"
        "bAQIDBA==\x1e"
        "4next");
}

TEST_CASE_METHOD(fixture, "packet queue: bytes are those of the payload, without separators",
                 "[machine][packet_queue]") {
  for (std::size_t size = 0; size < 10; ++size) {
    push({{text_part, "4"}, {binary_part, std::string(size, 'x')}});
    CHECK(queue.queued().bytes == 1 + 4 * ((size + 2) / 3) + 1);
    std::size_t const before = queue.queued().bytes;
    CHECK(body().size() == before + 1);
    CHECK(queue.queued().bytes == 0);
    CHECK(queue.queued().messages == 0);
  }
}

TEST_CASE_METHOD(fixture, "packet queue: control packets are no messages and never dropped",
                 "[machine][packet_queue]") {
  queue.push_control(pack("2"));
  CHECK_FALSE(queue.empty());
  CHECK_FALSE(queue.holds_messages());
  CHECK(queue.queued().messages == 0);
  CHECK(queue.queued().bytes == 0);
  CHECK_FALSE(queue.drop_oldest());
  push("4one");
  queue.push_control(pack("6"));
  push("4two");
  CHECK(queue.holds_messages());
  CHECK(queue.queued().messages == 2);
  CHECK(queue.drop_oldest());
  CHECK(queue.queued().bytes == 4);
  CHECK(queue.drop_oldest());
  CHECK_FALSE(queue.drop_oldest());
  CHECK_FALSE(queue.holds_messages());
  CHECK(body() ==
        "2\x1e"
        "6");
}

TEST_CASE_METHOD(fixture, "packet queue: a packet is dropped with its attachments",
                 "[machine][packet_queue]") {
  push({{text_part, "451-[]"}, {binary_part, "abc"}});
  push({{text_part, "452-[]"}, {binary_part, "d"}, {binary_part, "e"}});
  CHECK(queue.drop_oldest());
  CHECK(body() ==
        "452-[]\x1e"
        "bZA==\x1e"
        "bZQ==");
  push({{text_part, "451-[]"}, {binary_part, "abc"}});
  CHECK(queue.drop_oldest());
  CHECK(queue.empty());
  CHECK(body().empty());
}

TEST_CASE_METHOD(fixture, "packet queue: a key replaces in place, attachments and all",
                 "[machine][packet_queue]") {
  push("4a", 1);
  push({{text_part, "451-b"}, {binary_part, "bbb"}}, true, 2);
  push("4c");
  CHECK(replace(2, "4b is text"));
  CHECK(queue.queued().bytes == 2 + 10 + 2);
  CHECK(queue.wants_compression());
  CHECK(queue.replace(
      1, parts_of({{text_part, "452-a"}, {binary_part, "aaa"}, {binary_part, "aaaaaa"}})));
  CHECK(queue.queued().bytes == 5 + 5 + 9 + 10 + 2);
  CHECK(queue.queued().messages == 3);
  CHECK_FALSE(replace(3, "4x"));
  CHECK_FALSE(replace(0, "4x"));  // a packet without a key has none, not zero
  push("4zero", 0);
  CHECK(replace(0, "4nil"));
  CHECK(body() == join({{{text_part, "452-a"}, {binary_part, "aaa"}, {binary_part, "aaaaaa"}},
                        {{text_part, "4b is text"}},
                        {{text_part, "4c"}},
                        {{text_part, "4nil"}}}));
  CHECK_FALSE(replace(1, "4gone"));
}

TEST_CASE_METHOD(fixture, "packet queue: of two with one key the newer is replaced",
                 "[machine][packet_queue]") {
  push("4a1", 1);
  push("4a2", 1);
  CHECK(replace(1, "4a3"));
  CHECK(body() ==
        "4a1\x1e"
        "4a3");
}

TEST_CASE_METHOD(fixture, "packet queue: compression is wanted while a packet that allows it waits",
                 "[machine][packet_queue]") {
  push("4plain");
  queue.push_control(pack("2"));
  CHECK_FALSE(queue.wants_compression());
  push(packet{{text_part, "4packed"}}, true);
  push(packet{{text_part, "4packed"}}, true);
  CHECK(queue.wants_compression());
  CHECK(queue.drop_oldest());
  CHECK(queue.drop_oldest());
  CHECK(queue.wants_compression());
  CHECK(queue.drop_oldest());
  CHECK_FALSE(queue.wants_compression());
  push(packet{{text_part, "4packed"}}, true);
  CHECK_FALSE(body().empty());
  CHECK_FALSE(queue.wants_compression());
}

TEST_CASE_METHOD(fixture, "packet queue: an upgrade takes everything as it was pushed",
                 "[machine][packet_queue]") {
  packet const attached{{text_part, "451-[]"}, {binary_part, std::string("\0\xff", 2)}};
  push("4a");
  push(attached, true, 7);
  queue.push_control(pack("2"));
  push("4b", 0);
  CHECK(taken() == std::vector<handed_out>{{{{text_part, "4a"}}, false, {}},
                                           {attached, true, 7},
                                           {{{text_part, "2"}}, false, {}},
                                           {{{text_part, "4b"}}, false, 0}});
  CHECK(queue.empty());
  CHECK(queue.queued().bytes == 0);
  CHECK(taken().empty());
}

TEST_CASE_METHOD(fixture, "packet queue: what is pushed while everything is taken comes last",
                 "[machine][packet_queue]") {
  for (int i = 0; i < 4; ++i) push("4" + std::to_string(i));
  std::string all;
  queue.take_all([&](std::span<packet_part const> parts, bool, message_key) {
    auto const text = std::string(as_text(parts.front().bytes.view()));
    // The queue grows, or is built anew, while the parts are in use.
    if (text.size() == 2) {
      for (int i = 0; i < 3; ++i) push(text + std::to_string(i));
    }
    CHECK(text == as_text(parts.front().bytes.view()));
    all += text + " ";
  });
  CHECK(all == "40 41 42 43 400 401 402 410 411 412 420 421 422 430 431 432 ");
  CHECK(queue.empty());
}

TEST_CASE_METHOD(fixture, "packet queue: may be cleared while everything is taken",
                 "[machine][packet_queue]") {
  for (int i = 0; i < 9; ++i) push("4");
  int count = 0;
  queue.take_all([&](std::span<packet_part const> parts, bool, message_key) {
    if (++count == 3) queue.clear();
    CHECK(as_text(parts.front().bytes.view()) == "4");
  });
  CHECK(count == 3);
  CHECK(queue.empty());
}

TEST_CASE_METHOD(fixture, "packet queue: shares payloads and lets go of them",
                 "[machine][packet_queue]") {
  static_assert(sizeof(packet_queue) <= 48);
  // The block is free again as soon as nothing refers to it.
  void* const sample = pool.allocate(200);
  pool.deallocate(sample, 200);
  auto const is_free = [&] {
    void* const next = pool.allocate(200);
    pool.deallocate(next, 200);
    return next == sample;
  };
  auto const push_big = [&](message_key key = {}) {
    packet_part const part{binary_part, pack(std::string(150, 'x'))};
    queue.push(std::span(&part, 1), false, key);
  };
  push_big();
  CHECK_FALSE(is_free());
  CHECK(body().size() == 201);
  CHECK(is_free());
  push_big();
  CHECK(queue.drop_oldest());
  CHECK(is_free());
  push_big(1);
  CHECK(replace(1, "4"));
  CHECK(is_free());
  push_big();
  push("4more");
  queue.clear();
  CHECK(is_free());
  CHECK(queue.empty());
  push_big();
  queue.take_all([&](auto const&...) { CHECK_FALSE(is_free()); });
  CHECK(is_free());
}

TEST_CASE_METHOD(fixture, "packet queue: holds no memory while it is empty",
                 "[machine][packet_queue]") {
  auto const fill = [&] {
    for (int i = 0; i < 20; ++i) push("4");
    CHECK(queue.held() > 0);
  };
  CHECK(queue.held() == 0);
  fill();
  body();
  CHECK(queue.held() == 0);
  fill();
  taken();
  CHECK(queue.held() == 0);
  fill();
  while (queue.drop_oldest()) continue;
  CHECK(queue.held() == 0);
  fill();
  queue.clear();
  CHECK(queue.held() == 0);
}

TEST_CASE("packet queue: behaves as a list of packets, whatever is done to it",
          "[machine][packet_queue]") {
  struct item {
    packet parts;
    bool compress;
    message_key key;
    bool control;
  };
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    fixture at;
    std::deque<item> model;
    auto const any_packet = [&] {
      packet made;
      for (std::uint64_t left = random.one_in(3) ? random.between(1, 4) : 1; left > 0; --left) {
        std::string bytes(static_cast<std::size_t>(random.between(0, 40)), '\0');
        for (char& c : bytes) c = static_cast<char>('a' + random.uniform(26));
        if (made.empty()) bytes.insert(0, "4");
        made.push_back({made.empty() ? text_part : binary_part, std::move(bytes)});
      }
      return made;
    };
    for (int step = 0; step < 500; ++step) {
      packet const fresh = any_packet();
      bool const compress = random.one_in(4);
      switch (random.uniform(9)) {
        case 0:
        case 1:
        case 2:
          at.push(fresh, compress);
          model.push_back({fresh, compress, {}, false});
          break;
        case 3:
        case 4: {
          std::uint64_t const key = random.uniform(5);
          auto const found = std::find_if(model.rbegin(), model.rend(),
                                          [&](item const& one) { return one.key == key; });
          REQUIRE(at.queue.replace(key, at.parts_of(fresh)) == (found != model.rend()));
          if (found != model.rend()) {
            found->parts = fresh;
          } else {
            at.push(fresh, compress, key);
            model.push_back({fresh, compress, key, false});
          }
          break;
        }
        case 5:
          at.queue.push_control(at.pack("2"));
          model.push_back({{{text_part, "2"}}, false, {}, true});
          break;
        case 6:
        case 7: {
          auto const oldest = std::find_if(model.begin(), model.end(),
                                           [](item const& one) { return !one.control; });
          REQUIRE(at.queue.drop_oldest() == (oldest != model.end()));
          if (oldest != model.end()) model.erase(oldest);
          break;
        }
        default:
          if (!random.one_in(4)) break;
          if (random.one_in(2)) {
            std::vector<packet> packets;
            for (auto const& one : model) packets.push_back(one.parts);
            REQUIRE(at.body() == join(packets));
          } else {
            std::vector<handed_out> expected;
            for (auto const& one : model) expected.push_back({one.parts, one.compress, one.key});
            REQUIRE(at.taken() == expected);
          }
          model.clear();
      }
      backlog expected;
      bool compressible = false;
      for (auto const& one : model) {
        if (one.control) continue;
        ++expected.messages;
        for (auto const& part : one.parts) {
          std::size_t const size = part.bytes.size();
          expected.bytes += part.kind == text_part ? size : (size + 2) / 3 * 4 + 1;
        }
        compressible = compressible || one.compress;
      }
      REQUIRE(at.queue.queued().bytes == expected.bytes);
      REQUIRE(at.queue.queued().messages == expected.messages);
      REQUIRE(at.queue.holds_messages() == (expected.messages > 0));
      REQUIRE(at.queue.wants_compression() == compressible);
      REQUIRE(at.queue.empty() == model.empty());
    }
  }
}

TEST_CASE_METHOD(fixture, "packet queue: a payload with a limit takes what fits",
                 "[machine][packet_queue]") {
  std::vector<packet> const all{{{text_part, "4abc"}},
                                {{text_part, "451-[]"}, {binary_part, "xyz"}},
                                {{text_part, "4" + std::string(40, 'z')}},
                                {{text_part, "4"}}};
  for (std::size_t limit = 0; limit <= 80; ++limit) {
    CAPTURE(limit);
    for (auto const& one : all) push(one);
    std::vector<packet> left = all;
    while (!queue.empty()) {
      std::vector<packet> expected{left.front()};
      left.erase(left.begin());
      while (!left.empty()) {
        auto longer = expected;
        longer.push_back(left.front());
        if (join(longer).size() > limit) break;
        expected = longer;
        left.erase(left.begin());
      }
      byte_buffer out;
      queue.write_payload(out, limit);
      REQUIRE(as_text(out.view()) == join(expected));
    }
    REQUIRE(left.empty());
    REQUIRE(queue.queued().bytes == 0);
  }
}
