// What the fuzz targets of frames share: the reader over whole and cut input against a plain
// decoder that looks at everything at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/ws/message_reader.hpp>

#include "http_head.hpp"

namespace hawser_fuzz {

namespace ws = hawser::ws;
using hawser::errc;

struct event {
  ws::frame_event::type what{};
  bool text = false;
  errc error{};
  std::string payload;
  bool operator==(event const&) const = default;
};

/// 1: valid UTF-8; 0: may become it; -1: never. Table 3-7 of the Unicode standard.
inline int utf8_state(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    auto const lead = static_cast<std::uint8_t>(s[i++]);
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return -1;
    int const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (int k = 0; k < more; ++k, ++i, low = 0x80, high = 0xbf) {
      if (i == s.size()) return 0;
      auto const next = static_cast<std::uint8_t>(s[i]);
      if (next < low || next > high) return -1;
    }
  }
  return 1;
}

/// Everything that the bytes mean, to the first violation or to where they end.
inline std::vector<event> decode(std::string_view in, ws::role role, bool deflate,
                                 ws::message_limits const& limits) {
  using type = ws::frame_event::type;
  std::vector<event> out;
  std::string message;
  bool open = false, text = false, deflated = false;
  std::size_t frames = 0, empty = 0;
  auto const fail = [&](errc why) {
    out.push_back({type::violation, false, why, {}});
    return out;
  };
  while (!in.empty()) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(in[i]); };
    int const code = byte(0) & 15;
    bool const fin = byte(0) >= 0x80, control = code >= 8, rsv1 = (byte(0) & 0x40) != 0;
    if ((code > 2 && code < 8) || code > 10) return fail(errc::reserved_opcode);
    if ((byte(0) & 0x30) != 0 || (rsv1 && (!deflate || code == 0 || control))) {
      return fail(errc::reserved_bits);
    }
    if (control && !fin) return fail(errc::control_fragmented);
    if (in.size() < 2) return out;
    bool const masked = byte(1) >= 0x80;
    if (masked && role == ws::role::client) return fail(errc::frame_masked);
    if (!masked && role == ws::role::server) return fail(errc::frame_not_masked);
    std::uint64_t length = byte(1) & 127;
    if (control && length > 125) return fail(errc::control_too_long);
    std::size_t const wide = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (in.size() < 2 + wide) return out;
    if (wide != 0) length = 0;
    for (std::size_t i = 0; i < wide; ++i) length = length << 8 | byte(2 + i);
    if (length >> 63) return fail(errc::length_overflow);
    if ((wide == 2 && length < 126) || (wide == 8 && length < 65536)) {
      return fail(errc::length_not_minimal);
    }
    std::size_t const head = 2 + wide + (masked ? 4 : 0);
    if (in.size() < head) return out;
    if (!control) {
      if (code == 0 && !open) return fail(errc::unexpected_continuation);
      if (code != 0 && open) return fail(errc::continuation_expected);
      if (code != 0) {
        text = code == 1, deflated = rsv1, frames = empty = 0;
        message.clear();
      }
      if (length > limits.max_message_size - message.size()) return fail(errc::message_too_big);
      bool const alone = !open && fin;
      open = true;
      if (!alone && ++frames > limits.max_fragments()) return fail(errc::too_many_fragments);
      if (length == 0 && !fin && ++empty > limits.max_empty_fragments) {
        return fail(errc::too_many_fragments);
      }
    }
    std::string payload(in.substr(head, static_cast<std::size_t>(length)));
    for (std::size_t i = 0; masked && i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ in[head - 4 + i % 4]);
    }
    bool const complete = payload.size() == length;
    in.remove_prefix(head + payload.size());
    if (control) {
      type const what = code == 8 ? type::close : code == 9 ? type::ping : type::pong;
      if (complete) out.push_back({what, false, {}, payload});
      continue;
    }
    message += payload;
    bool const done = complete && fin;
    if (text && !deflated && utf8_state(message) < (done ? 1 : 0)) return fail(errc::invalid_utf8);
    if (!done) continue;
    open = false;
    out.push_back({deflated ? type::deflated
                   : text   ? type::text
                            : type::binary,
                   text,
                   {},
                   message});
  }
  return out;
}

/// What the reader says about the same bytes, in pieces.
inline std::vector<event> read(std::string_view in, ws::role role, bool deflate,
                               ws::message_limits const& limits, cutter cuts) {
  using type = ws::frame_event::type;
  ws::assembly_pool pool;
  ws::message_reader reader(role, deflate);
  std::vector<event> out;
  std::size_t arrived = 0;
  bool dead = false;
  while (!in.empty()) {
    std::string_view const text = in.substr(0, cuts.next());
    in.remove_prefix(text.size());
    arrived += text.size();
    // A copy of exactly that size, so that touching what is beside it is seen.
    std::vector<std::byte> piece(text.size());
    std::transform(text.begin(), text.end(), piece.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    hawser::mutable_bytes rest(piece);
    for (;;) {
      std::size_t const before = rest.size();
      auto const now = reader.next(rest, limits, pool);
      require(rest.size() <= before);
      require(reader.held() <= arrived && reader.held() <= limits.max_message_size);
      if (now.what == type::need_more) {
        require(rest.empty() && !dead);
        break;
      }
      event made{now.what, now.text, now.error, std::string(hawser::as_text(now.payload))};
      if (dead) {
        require(made == out.back());
        break;
      }
      out.push_back(std::move(made));
      dead = now.what == type::violation;
      require(dead || rest.size() < before);
      if (dead) require(!reader.unfinished());
    }
  }
  reader.release(pool);
  return out;
}

/// The first byte says how the rest is cut, the second what is allowed.
inline void fuzz_frames(std::uint8_t const* data, std::size_t size, ws::role role) {
  if (size < 2) return;
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 2, size - 2);
  bool const deflate = (data[1] & 1) != 0;
  static constexpr std::size_t sizes[] = {0, 1, 100, 1000, 70'000, std::size_t{1} << 20};
  ws::message_limits const limits{.max_message_size = sizes[(data[1] >> 1) % 6],
                                  .max_empty_fragments = (data[1] & 0x80) != 0 ? 2u : 64u};
  auto const expected = decode(bytes, role, deflate, limits);
  require(read(bytes, role, deflate, limits, cutter(1)) == expected);
  require(read(bytes, role, deflate, limits, cutter(data[0])) == expected);
  require(read(bytes, role, deflate, limits, cutter(0)) == expected);
}

}  // namespace hawser_fuzz
