#include "conformance/harness.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <hawser/codec/ws/message_reader.hpp>

// What the public suite leaves out or lets pass: every row is read whole, cut at every position
// and byte by byte, and has to mean the same.

using namespace conformance;
using hawser::errc;

namespace {

struct strict_row {
  std::string name;
  std::vector<frame> frames;
  std::vector<happening> events;  // out of the reader; '!' is a violation, 'd' a compressed message
  unsigned close = 0;             // hawser's Close; 0: the connection stays open
  bool deflate = false;
  std::size_t limit = 1024;  // max_message_size
  bool hangs = false;        // ends inside a frame
  bool inflated = false;     // the reader is content, but the message is not
  bool peer_closes = false;
};

happening violation(errc error) { return {'!', std::to_string(static_cast<int>(error))}; }

frame start(unsigned opcode, std::string payload) {
  return {.opcode = opcode, .payload = std::move(payload), .fin = false};
}
frame more(std::string payload) {
  return {.opcode = continuation, .payload = std::move(payload), .fin = false};
}
frame last(std::string payload) { return {.opcode = continuation, .payload = std::move(payload)}; }
frame in_bits(int bits, unsigned opcode, std::string payload) {
  return {.opcode = opcode, .payload = std::move(payload), .length_bits = bits};
}
frame claiming(std::uint64_t length, unsigned opcode = text, std::string payload = "abc") {
  return {.opcode = opcode, .payload = std::move(payload), .claim = length};
}
frame squeezed(unsigned opcode, std::string payload, bool fin = true) {
  return {.opcode = opcode, .payload = std::move(payload), .fin = fin, .rsv = 4};
}

char kind_of(unsigned opcode) {
  switch (opcode) {
    case text: return 't';
    case binary: return 'b';
    case ping: return 'i';
    case pong: return 'o';
    default: return 'c';
  }
}

class table {
 public:
  explicit table(bool masked) : masked_(masked) {
    legal();
    reserved();
    masks();
    lengths();
    unfinished();
    controls();
    utf8();
    closes();
    claims();
    amounts();
    compressed();
  }

  std::vector<strict_row> rows;

 private:
  strict_row& fine(std::string name, std::vector<frame> frames, std::vector<happening> events) {
    rows.push_back({std::move(name), std::move(frames), std::move(events)});
    return rows.back();
  }

  strict_row& fails(std::string name, std::vector<frame> frames, errc error, unsigned code = 1002,
                    std::vector<happening> before = {}) {
    before.push_back(violation(error));
    rows.push_back({std::move(name), std::move(frames), std::move(before), code});
    return rows.back();
  }

  void legal() {
    for (unsigned const kind : {text, binary}) {
      for (std::size_t const size : {0u, 1u, 125u, 126u, 127u, 1023u, 1024u}) {
        std::string const payload(size, 'x');
        fine("a message of " + std::to_string(size), {{.opcode = kind, .payload = payload}},
             {{kind_of(kind), payload}});
      }
      fine("three fragments", {start(kind, "a"), more("b"), last("c")}, {{kind_of(kind), "abc"}});
      fine("an empty first fragment", {start(kind, ""), last("c")}, {{kind_of(kind), "c"}});
      fine("an empty last fragment", {start(kind, "a"), last("")}, {{kind_of(kind), "a"}});
      fine("nothing but empty fragments", {start(kind, ""), more(""), last("")},
           {{kind_of(kind), ""}});
      fine("two messages", {{.opcode = kind, .payload = "a"}, {.opcode = kind, .payload = "b"}},
           {{kind_of(kind), "a"}, {kind_of(kind), "b"}});
    }
    // F-11: control frames inside a message are handled at once.
    std::string const most(125, 'p');
    fine("a ping inside a message",
         {start(text, "a"), {.opcode = ping, .payload = most}, last("b")},
         {{'i', most}, {'t', "ab"}});
    fine("pings and a pong inside a message",
         {start(text, "a"),
          {.opcode = ping, .payload = "1"},
          more("b"),
          {.opcode = pong},
          {.opcode = ping, .payload = "2"},
          last("c")},
         {{'i', "1"}, {'o', ""}, {'i', "2"}, {'t', "abc"}});
    for (std::size_t const size : {0u, 1u, 125u}) {
      std::string const payload(size, 'p');
      fine("F-10 ping of " + std::to_string(size), {{.opcode = ping, .payload = payload}},
           {{'i', payload}});
      fine("F-13 pong of " + std::to_string(size), {{.opcode = pong, .payload = payload}},
           {{'o', payload}});
    }
  }

  // F-01, F-09
  void reserved() {
    for (unsigned rsv = 1; rsv < 8; ++rsv) {
      auto const bits = "F-01 RSV " + std::to_string(rsv);
      for (unsigned const kind : {text, binary, ping, pong, closing}) {
        fails(bits + " on opcode " + std::to_string(kind),
              {{.opcode = kind, .payload = "", .rsv = rsv}}, errc::reserved_bits);
        bool const allowed = rsv == 4 && (kind == text || kind == binary);
        if (allowed) continue;
        fails(bits + " on opcode " + std::to_string(kind) + " under the extension",
              {{.opcode = kind, .payload = "", .rsv = rsv}}, errc::reserved_bits)
            .deflate = true;
      }
      for (bool const deflate : {false, true}) {
        fails(bits + " on a continuation",
              {start(text, "a"), {.opcode = continuation, .payload = "b", .rsv = rsv}},
              errc::reserved_bits)
            .deflate = deflate;
      }
    }
    fails("F-01 RSV1 on the continuation of a compressed message",
          {squeezed(text, "a", false), {.opcode = continuation, .payload = "b", .rsv = 4}},
          errc::reserved_bits)
        .deflate = true;
    for (unsigned const opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
      fails("F-09 opcode " + std::to_string(opcode), {{.opcode = opcode}}, errc::reserved_opcode);
      fails("F-09 opcode inside a message " + std::to_string(opcode),
            {start(text, "a"), {.opcode = opcode, .payload = "x"}}, errc::reserved_opcode);
    }
  }

  // F-05
  void masks() {
    errc const wrong = masked_ ? errc::frame_not_masked : errc::frame_masked;
    for (unsigned const opcode : {text, binary, ping, pong, closing}) {
      for (std::size_t const size : {0u, 5u}) {
        std::string const payload(size, 'm');
        fails("F-05 mask on opcode " + std::to_string(opcode),
              {{.opcode = opcode, .payload = payload, .wrong_mask = true}}, wrong);
      }
    }
    fails("F-05 mask on a continuation",
          {start(text, "a"), {.opcode = continuation, .payload = "b", .wrong_mask = true}}, wrong);
    fails("F-05 mask on a long frame",
          {{.opcode = binary, .payload = std::string(300, 'x'), .wrong_mask = true}}, wrong);
    fails("F-05 mask on the second message",
          {{.payload = "a"}, {.payload = "b", .wrong_mask = true}}, wrong, 1002, {{'t', "a"}});
  }

  // F-04
  void lengths() {
    for (unsigned const kind : {text, binary}) {
      for (std::size_t const size : {0u, 1u, 125u}) {
        fails("F-04 16 bits for " + std::to_string(size),
              {in_bits(16, kind, std::string(size, 'l'))}, errc::length_not_minimal);
      }
      for (std::size_t const size : {0u, 125u, 126u, 1024u}) {
        fails("F-04 64 bits for " + std::to_string(size),
              {in_bits(64, kind, std::string(size, 'l'))}, errc::length_not_minimal);
      }
      fails("F-04 64 bits for 65535", {{.opcode = kind, .length_bits = 64, .claim = 65535}},
            errc::length_not_minimal);
    }
    fails("F-04 16 bits on a continuation", {start(text, "a"), in_bits(16, continuation, "b")},
          errc::length_not_minimal);
    fails("F-04 64 bits on a continuation", {start(text, "a"), in_bits(64, continuation, "b")},
          errc::length_not_minimal);
    for (unsigned const kind : {ping, pong, closing}) {
      fails("F-04 16 bits on a control frame", {in_bits(16, kind, "ab")}, errc::control_too_long);
      fails("F-04 64 bits on a control frame", {in_bits(64, kind, "ab")}, errc::control_too_long);
    }
  }

  // F-07, F-08
  void unfinished() {
    for (unsigned const outer : {text, binary}) {
      for (unsigned const inner : {text, binary}) {
        for (bool const fin : {true, false}) {
          frame const wrong{.opcode = inner, .payload = "in", .fin = fin};
          fails("F-07 a message in a message", {start(outer, "a"), wrong},
                errc::continuation_expected);
          fails("F-07 behind a ping", {start(outer, "a"), {.opcode = ping, .payload = "p"}, wrong},
                errc::continuation_expected, 1002, {{'i', "p"}});
          fails("F-07 behind a pong", {start(outer, "a"), {.opcode = pong, .payload = "p"}, wrong},
                errc::continuation_expected, 1002, {{'o', "p"}});
          fails("F-07 behind a continuation", {start(outer, "a"), more("b"), wrong},
                errc::continuation_expected);
        }
      }
    }
    fails("F-07 empty in empty", {start(text, ""), {.payload = ""}}, errc::continuation_expected);
    for (frame const& stray : {more("b"), last("b"), more(""), last("")}) {
      fails("F-08 first of all", {stray}, errc::unexpected_continuation);
      fails("F-08 behind a message", {{.payload = "a"}, stray}, errc::unexpected_continuation, 1002,
            {{'t', "a"}});
      fails("F-08 behind fragments", {start(text, "a"), last("b"), stray},
            errc::unexpected_continuation, 1002, {{'t', "ab"}});
      fails("F-08 behind a ping", {{.opcode = ping}, stray}, errc::unexpected_continuation, 1002,
            {{'i', ""}});
    }
  }

  // F-10
  void controls() {
    for (unsigned const kind : {ping, pong, closing}) {
      for (std::size_t const size : {126u, 127u, 1000u}) {
        fails("F-10 a control frame of " + std::to_string(size),
              {{.opcode = kind, .payload = std::string(size, 'c')}}, errc::control_too_long);
      }
      fails("F-10 a control frame of 65536", {{.opcode = kind, .claim = 65536}},
            errc::control_too_long);
      fails("F-10 a control frame without FIN", {start(kind, "c")}, errc::control_fragmented);
      fails("F-10 an empty control frame without FIN", {start(kind, "")}, errc::control_fragmented);
      fails("F-10 without FIN inside a message", {start(binary, "a"), start(kind, "c")},
            errc::control_fragmented);
    }
  }

  // F-14, F-15
  void utf8() {
    std::string const euro = "\xe2\x82\xac";
    fine("F-14 a character over three frames",
         {start(text, euro.substr(0, 1)), more(euro.substr(1, 1)), last(euro.substr(2))},
         {{'t', euro}});
    fine(
        "F-14 a ping inside a character",
        {start(text, euro.substr(0, 2)), {.opcode = ping, .payload = "\xff"}, last(euro.substr(2))},
        {{'i', "\xff"}, {'t', euro}});
    fine("F-14 binary is not text", {{.opcode = binary, .payload = "\xff\xc0\x80"}},
         {{'b', "\xff\xc0\x80"}});
    for (char const* const wrong : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                                    "ok\xf8\x88\x80\x80\x80"}) {
      fails("F-14 invalid text", {{.payload = wrong}}, errc::invalid_utf8, 1007);
      fails("F-15 invalid in the first fragment", {start(text, wrong)}, errc::invalid_utf8, 1007);
      fails("F-15 invalid in a later fragment", {start(text, "ok"), more(wrong)},
            errc::invalid_utf8, 1007);
      fails("F-15 invalid in a frame that has not ended", {claiming(100, text, wrong)},
            errc::invalid_utf8, 1007);
    }
    fails("F-14 text ends inside a character", {{.payload = euro.substr(0, 2)}}, errc::invalid_utf8,
          1007);
    fails("F-14 fragments end inside a character", {start(text, "a"), last(euro.substr(0, 2))},
          errc::invalid_utf8, 1007);
    fails("F-14 an empty last frame inside a character", {start(text, euro.substr(0, 2)), last("")},
          errc::invalid_utf8, 1007);
    fails("F-14 a character broken between frames", {start(text, "\xe2"), more("a")},
          errc::invalid_utf8, 1007);
    fails("F-14 validity starts anew with each message",
          {{.payload = euro}, {.payload = euro.substr(1)}}, errc::invalid_utf8, 1007,
          {{'t', euro}});
  }

  // F-16, F-17
  void closes() {
    auto const says = [&](std::string name, std::string body, unsigned answer) {
      rows.push_back(
          {std::move(name), {{.opcode = closing, .payload = body}}, {{'c', body}}, answer});
      rows.back().peer_closes = true;
    };
    for (unsigned const code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u,
                                1012u, 1013u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
      says("F-17 close " + std::to_string(code), close_body(code), code);
      says("F-17 close with a reason " + std::to_string(code), close_body(code, "why"), code);
    }
    for (unsigned const code : {0u, 1u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 1999u,
                                2000u, 2999u, 5000u, 9999u, 32768u, 65535u}) {
      says("F-17 no such code " + std::to_string(code), close_body(code), 1002);
      says("F-17 no such code with a reason " + std::to_string(code), close_body(code, "why"),
           1002);
    }
    says("F-16 a body of one byte", "x", 1002);
    says("F-16 the longest reason", close_body(1000, std::string(123, 'r')), 1000);
    for (char const* const wrong : {"\xff", "\xc3", "a\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
      says("F-16 a reason that is not UTF-8", close_body(1000, wrong), 1007);
    }
    rows.push_back({"F-18 close inside a message",
                    {start(text, "a"), {.opcode = closing, .payload = close_body(1000)}},
                    {{'c', close_body(1000)}},
                    1000});
    rows.back().peer_closes = true;
  }

  // F-20, F-21, F-23: a claim is judged by the header alone.
  void claims() {
    std::uint64_t const top = std::uint64_t{1} << 63;
    for (unsigned const kind : {text, binary}) {
      for (std::uint64_t const beyond :
           {top, top + 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 3, ~std::uint64_t{0} - 13}) {
        fails("F-20 claims " + std::to_string(beyond), {claiming(beyond, kind)},
              errc::length_overflow);
      }
      for (std::uint64_t const large : {top - 1, std::uint64_t{16} << 30, std::uint64_t{1} << 32,
                                        std::uint64_t{65536}, std::uint64_t{1025}}) {
        fails("F-20 claims " + std::to_string(large), {claiming(large, kind)},
              errc::message_too_big, 1009);
      }
    }
    for (std::uint64_t const more_than : {top - 1, std::uint64_t{1} << 32, std::uint64_t{1024}}) {
      fails("F-20 a continuation claims " + std::to_string(more_than),
            {start(text, "a"), claiming(more_than, continuation)}, errc::message_too_big, 1009);
    }
    fails("F-20 a continuation claims 2^64-1",
          {start(text, "a"), claiming(~std::uint64_t{0}, continuation)}, errc::length_overflow);
    fails("F-20 a control frame claims 2^64-1", {claiming(~std::uint64_t{0}, ping)},
          errc::control_too_long);
    fine("F-22 claims the limit and sends nothing", {claiming(1024, text, "")}, {}).hangs = true;
    fine("F-22 claims the limit and sends little", {claiming(1024, binary, "abc")}, {}).hangs =
        true;
  }

  // F-23 to F-25
  void amounts() {
    std::string const half(512, 'h');
    fails("F-23 one byte over the limit", {{.payload = std::string(1025, 'x')}},
          errc::message_too_big, 1009);
    fine("F-23 the limit in fragments", {start(text, half), last(half)}, {{'t', half + half}});
    fails("F-23 one byte over by fragments", {start(text, half), more(half), last("x")},
          errc::message_too_big, 1009);
    fails("F-23 over by a larger fragment", {start(binary, half), last(half + "x")},
          errc::message_too_big, 1009);
    fine("F-23 the limit is for each message",
         {start(text, half), last(half), start(text, half), last(half)},
         {{'t', half + half}, {'t', half + half}});

    auto const fragments = [](std::size_t count, std::string const& each) {
      std::vector<frame> frames{start(text, each)};
      while (frames.size() < count) frames.push_back(more(each));
      return frames;
    };
    // At 1024 bytes, 1024 / 64 + 2 frames.
    auto allowed = fragments(17, "x");
    allowed.push_back(last("x"));
    fine("F-24 as many fragments as there may be", allowed, {{'t', std::string(18, 'x')}});
    fails("F-24 one fragment too many", fragments(19, "x"), errc::too_many_fragments, 1008);
    auto finished = fragments(18, "x");
    finished.push_back(last("x"));
    fails("F-24 the last fragment counts too", finished, errc::too_many_fragments, 1008);
    auto twice = allowed;
    twice.insert(twice.end(), allowed.begin(), allowed.end());
    fine("F-24 fragments are counted for each message", twice,
         {{'t', std::string(18, 'x')}, {'t', std::string(18, 'x')}});

    auto empty = fragments(64, "");
    empty.push_back(last("x"));
    fine("F-25 64 empty fragments", empty, {{'t', "x"}}).limit = 65536;
    fails("F-25 65 empty fragments", fragments(65, ""), errc::too_many_fragments, 1008).limit =
        65536;
    auto between = fragments(1, "x");
    for (int i = 0; i < 65; ++i) {
      between.push_back(more(""));
      if (i % 8 == 0) between.push_back({.opcode = ping, .payload = "p"});
    }
    fails("F-25 65 empty fragments with pings between", between, errc::too_many_fragments, 1008,
          std::vector<happening>(9, {'i', "p"}))
        .limit = 65536;
    rows.back().events.erase(rows.back().events.begin());  // the 65th has no ping behind it
  }

  // RFC 7692: what the reader hands on may still not inflate.
  void compressed() {
    auto const squeeze = [](std::string what) { return zlib_out(15, true)(std::move(what)); };
    auto const add = [&](std::string name, std::vector<frame> frames, std::vector<happening> events,
                         unsigned close) {
      rows.push_back({std::move(name), std::move(frames), std::move(events), close});
      rows.back().deflate = rows.back().inflated = true;
    };
    std::string const most = squeeze(std::string(1024, 'a'));
    std::string const over = squeeze(std::string(1025, 'a'));
    std::string const bomb = squeeze(std::string(100'000, '\0'));
    std::string const broken = "\xff\xff\xff";
    add("D-01 inflates to the limit", {squeezed(text, most)}, {{'d', most}}, 0);
    add("D-01 inflates to the limit, in fragments",
        {squeezed(text, most.substr(0, 3), false), last(most.substr(3))}, {{'d', most}}, 0);
    add("D-01 inflates to one byte over the limit", {squeezed(text, over)}, {{'d', over}}, 1009);
    add("D-01 inflates to one byte over, in fragments",
        {squeezed(binary, over.substr(0, 3), false), {.opcode = ping}, last(over.substr(3))},
        {{'i', ""}, {'d', over}}, 1009);
    add("D-01 a bomb", {squeezed(text, bomb)}, {{'d', bomb}}, 1009);
    add("D-06 does not inflate", {squeezed(text, broken)}, {{'d', broken}}, 1007);
    add("D-06 stops inside a block", {squeezed(text, most.substr(0, 3))},
        {{'d', most.substr(0, 3)}}, 1007);
    std::string const invalid = squeeze("ab\xff");
    add("D-07 inflates to what is not text", {squeezed(text, invalid)}, {{'d', invalid}}, 1007);
    add("D-07 in fragments", {squeezed(text, invalid.substr(0, 2), false), last(invalid.substr(2))},
        {{'d', invalid}}, 1007);
    add("D-07 binary may be anything", {squeezed(binary, invalid)}, {{'d', invalid}}, 0);
    fine("an uncompressed message under the extension", {{.payload = "plain"}}, {{'t', "plain"}})
        .deflate = true;
  }

  bool masked_;
};

// What follows a violation or a Close frame, and must never be seen (F-06, F-18).
std::vector<frame> const& late() {
  static std::vector<frame> const frames{{.opcode = binary, .payload = "late"},
                                         {.opcode = ping, .payload = "late"},
                                         {.opcode = closing, .payload = close_body(1001)}};
  return frames;
}

std::string bytes_of(strict_row const& row, bool masked) {
  std::string bytes;
  for (auto const& one : row.frames) bytes += write(one, masked);
  if (row.close != 0) {
    for (auto const& one : late()) bytes += write(one, masked);
  }
  return bytes;
}

using pieces = std::vector<std::string_view>;

pieces halves(std::string_view all, std::size_t at) { return {all.substr(0, at), all.substr(at)}; }

pieces octets_of(std::string_view all) {
  pieces cut;
  for (std::size_t i = 0; i < all.size(); ++i) cut.push_back(all.substr(i, 1));
  return cut;
}

// -- the reader alone -----------------------------------------------------------------------------

struct reading {
  std::vector<happening> events;
  bool unfinished = false;
  std::size_t held = 0;

  friend bool operator==(reading const&, reading const&) = default;
};

// Stops at a Close frame, as a connection does. Every piece has memory of its own size.
reading read(strict_row const& row, bool masked, pieces const& cut) {
  using type = hawser::ws::frame_event::type;
  hawser::ws::message_reader reader(masked ? hawser::ws::role::server : hawser::ws::role::client,
                                    row.deflate);
  hawser::ws::message_limits const limits{row.limit, 64};
  hawser::ws::assembly_pool pool;
  reading got;
  std::size_t arrived = 0;
  bool over = false;
  for (std::string_view const piece : cut) {
    auto const memory = std::make_unique<std::byte[]>(piece.size());
    std::copy_n(reinterpret_cast<std::byte const*>(piece.data()), piece.size(), memory.get());
    hawser::mutable_bytes in{memory.get(), piece.size()};
    arrived += piece.size();
    while (!over) {
      auto const event = reader.next(in, limits, pool);
      std::string data(hawser::as_text(event.payload));
      if (event.what == type::need_more) {
        if (!in.empty()) got.events.push_back({'?', "left over"});
        break;
      }
      switch (event.what) {
        case type::text: got.events.push_back({'t', data}); break;
        case type::binary: got.events.push_back({'b', data}); break;
        case type::deflated: got.events.push_back({'d', data}); break;
        case type::ping: got.events.push_back({'i', data}); break;
        case type::pong: got.events.push_back({'o', data}); break;
        case type::close: got.events.push_back({'c', data}); break;
        default: got.events.push_back(violation(event.error)); break;
      }
      over = event.what == type::close || event.what == type::violation;
      if (reader.held() > arrived) got.events.push_back({'?', "holds more than has arrived"});
    }
  }
  if (over && got.events.back().kind == '!') {
    // The latch: good bytes, in good pieces, give the same violation and nothing else.
    for (int i = 0; i < 3; ++i) {
      std::string good = write({.payload = "good"}, masked);
      hawser::mutable_bytes in{reinterpret_cast<std::byte*>(good.data()), good.size()};
      auto const event = reader.next(in, limits, pool);
      if (event.what != type::violation || violation(event.error) != got.events.back()) {
        got.events.push_back({'?', "the latch opened"});
      }
    }
    if (reader.unfinished()) got.events.push_back({'?', "dead but unfinished"});
  } else if (!over) {
    got.unfinished = reader.unfinished();
    got.held = reader.held();
  }
  reader.release(pool);
  return got;
}

std::vector<happening> events_of(strict_row const& row) {
  auto events = row.events;
  if (row.inflated && row.close != 0) {
    for (auto const& one : late()) events.push_back({kind_of(one.opcode), one.payload});
  }
  return events;
}

// -- whole servers and clients --------------------------------------------------------------------

// What the peer must see: echoes, pongs, and one Close frame.
std::vector<happening> answers_to(strict_row const& row) {
  std::vector<happening> all;
  for (auto const& one : row.events) {
    if (one.kind == 't' || one.kind == 'b') all.push_back(one);
    if (one.kind == 'i') all.push_back({'o', one.data});
    if (one.kind == 'd' && row.close == 0) {
      auto message = zlib_in(15, true)(one.data);
      all.push_back({row.frames[0].opcode == text ? 't' : 'b', message.value_or("?")});
    }
  }
  if (!row.hangs) all.push_back({'c', std::to_string(row.close ? row.close : 1000)});
  return all;
}

compression const deflate_terms{.offer = "permessage-deflate"};

std::string talk(subject& with, strict_row const& row, pieces const& cut) {
  auto trouble = with.open(row.deflate ? &deflate_terms : nullptr);
  if (!trouble.empty()) return trouble;
  for (auto const piece : cut) with.send(piece);
  if (row.close == 0 && !row.hangs) {
    with.send(write({.opcode = closing, .payload = close_body(1000)}, with.peer_masks()));
  }
  auto const want = answers_to(row);
  if (with.seen() != want) {
    return "expected " + to_string(want) + "but got " + to_string(with.seen()) + with.fault();
  }
  if (row.hangs) return with.farewells.empty() ? "" : "closed while it should wait";
  if (with.farewells.size() != 1) return "not one close event";
  auto const& said = with.farewells.front();
  bool const peaceful = row.close == 0 || (row.peer_closes && said.error == 0);
  unsigned const code = row.close == 0 ? 1000 : row.close;
  if (said.code != code || said.by_peer != peaceful || (said.error == 0) != peaceful) {
    return "the close event says " + std::to_string(said.code) + " " + said.reason;
  }
  std::size_t echoes = 0;
  for (auto const& one : want) echoes += one.kind == 't' || one.kind == 'b';
  if (with.delivered.size() != echoes) return "delivered: " + to_string(with.delivered);
  return with.end();
}

subject_options options_of(strict_row const& row) {
  return {.max_message_size = row.limit,
          .deflate = row.deflate ? contexts::shared : contexts::none};
}

}  // namespace

TEST_CASE("conformance strict: there are enough rows", "[conformance]") {
  CHECK(table(true).rows.size() >= 120);
  CHECK(table(true).rows.size() == table(false).rows.size());
}

TEST_CASE("conformance strict: the reader gives the same events for every cut", "[conformance]") {
  for (bool const masked : {true, false}) {
    for (auto const& row : table(masked).rows) {
      std::string const all = bytes_of(row, masked);
      auto const whole = read(row, masked, {all});
      INFO((masked ? "server: " : "client: ") << row.name << ": " << to_string(whole.events));
      REQUIRE(whole.events == events_of(row));
      REQUIRE(whole.unfinished == row.hangs);
      std::size_t different = 0;
      for (std::size_t at = 1; at < all.size(); ++at) {
        different += read(row, masked, halves(all, at)) != whole;
      }
      REQUIRE(different == 0);
      auto const octetwise = read(row, masked, octets_of(all));
      INFO("byte by byte: " << to_string(octetwise.events));
      REQUIRE(octetwise == whole);
    }
  }
}

TEST_CASE("conformance strict: whole servers and clients answer alike for every cut",
          "[conformance]") {
  for (side const of : {side::server, side::client}) {
    for (auto const& row : table(of == side::server).rows) {
      std::string const all = bytes_of(row, of == side::server);
      auto with = make_subject(of, options_of(row));
      INFO((of == side::server ? "server: " : "client: ") << row.name);
      REQUIRE(talk(*with, row, {all}) == "");
      if (row.hangs) with = make_subject(of, options_of(row));
      REQUIRE(talk(*with, row, octets_of(all)) == "");
      for (std::size_t at = 1; at < all.size(); ++at) {
        if (row.hangs) with = make_subject(of, options_of(row));
        INFO("cut at " << at);
        REQUIRE(talk(*with, row, halves(all, at)) == "");
      }
    }
  }
}
