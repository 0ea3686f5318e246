// The behaviours that the public conformance suite for RFC 6455 and RFC 7692 asks for, as data:
// one row for each of its 517 case numbers, written from the two RFCs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/wire.hpp"

namespace conformance {

/// A pattern repeated up to a size: tables stay small however long the messages are.
struct filler {
  std::string pattern{};
  std::size_t size = 0;

  filler() = default;
  filler(char const* text) : pattern(text), size(pattern.size()) {}
  filler(std::string text) : pattern(std::move(text)), size(pattern.size()) {}
  filler(std::string text, std::size_t length) : pattern(std::move(text)), size(length) {}

  std::string text() const {
    std::string all;
    all.reserve(size);
    while (all.size() < size) all.append(pattern, 0, size - all.size());
    return all;
  }
};

/// A frame of the peer, or a whole message in fragments, and where the peer waits meanwhile.
struct step {
  unsigned opcode = 1;
  filler payload{};
  bool fin = true;
  unsigned rsv = 0;                 // as in `frame`
  std::size_t fragment = 0;         // a message in fragments of this size; 0: one frame
  std::vector<std::size_t> cuts{};  // of the payload: behind each, the peer waits
  bool pause = false;               // behind the frame, the peer waits
};

/// How the peer's bytes are cut on the wire.
struct chop {
  enum class mode { together, by_frame, octets };
  mode how = mode::together;
  std::size_t size = 0;
};
inline constexpr chop together{};
inline constexpr chop by_frame{chop::mode::by_frame};
inline constexpr chop octets(std::size_t size) { return {chop::mode::octets, size}; }

/// What comes back. `kind` as in `happening`.
struct expected {
  char kind;
  filler data;
};

/// Many messages, each sent when the one before has come back.
struct exchange {
  enum class source { stars, json, bitmap, prose, html, document };
  source from = source::stars;
  std::size_t size = 0;
  std::size_t count = 0;
  std::size_t fragment = 0;  // of the compressed payload; 0: one frame
  bool binary = false;
};

/// The parameters of permessage-deflate (RFC 7692 section 7.1) that the peer speaks of.
struct compression {
  std::string offer;                    // when the peer is the client
  std::vector<std::string> answered{};  // what hawser's answer to it must contain
  std::string answer_more{};            // what the peer asks for when it is the server
};

struct conformance_case {
  std::string id;
  std::vector<step> steps{};
  chop cut{};
  std::vector<expected> echoes{};
  unsigned close = 1000;                // in hawser's Close frame; 0: that has no body
  bool fails = false;                   // hawser's Close comes first, unasked
  std::vector<std::size_t> at_pause{};  // how much of all this has come back at each wait
  std::optional<exchange> messages{};
  std::optional<compression> deflate{};
};

// -- shorthands -----------------------------------------------------------------------------------

inline constexpr unsigned continuation = 0, text = 1, binary = 2, closing = 8, ping = 9, pong = 10;

inline step close_frame(unsigned code, std::string_view reason = {}) {
  return {.opcode = closing, .payload = close_body(code, reason)};
}

/// The peer closes with 1000 at the end, unless a step has done so, and gets 1000 back.
inline conformance_case good(std::string id, std::vector<step> steps, std::vector<expected> echoes,
                             chop cut = {}) {
  return {.id = std::move(id), .steps = std::move(steps), .cut = cut, .echoes = std::move(echoes)};
}

/// hawser fails the connection with this code, behind these echoes.
inline conformance_case bad(std::string id, unsigned code, std::vector<step> steps,
                            std::vector<expected> echoes = {}, chop cut = {}) {
  return {.id = std::move(id),
          .steps = std::move(steps),
          .cut = cut,
          .echoes = std::move(echoes),
          .close = code,
          .fails = true};
}

// -- the sections ---------------------------------------------------------------------------------

std::vector<conformance_case> framing_cases();   // 1.x: 16
std::vector<conformance_case> ping_cases();      // 2.x: 11
std::vector<conformance_case> reserved_cases();  // 3.x and 4.x: 17
std::vector<conformance_case> fragment_cases();  // 5.x and 10.x: 21
std::vector<conformance_case> utf8_cases();      // 6.x: 145
std::vector<conformance_case> closing_cases();   // 7.x: 37
std::vector<conformance_case> limit_cases();     // 9.x: 54
/// 12.x and 13.x: 216. `bytes` of text per case at most, 4 messages at least, `count` at most.
std::vector<conformance_case> deflate_cases(std::size_t bytes, std::size_t count);

/// How many messages of this size a case exchanges.
inline std::size_t messages_within(std::size_t size, std::size_t bytes, std::size_t count) {
  return std::clamp(bytes / std::max<std::size_t>(size, 1), std::size_t{4}, count);
}

}  // namespace conformance
