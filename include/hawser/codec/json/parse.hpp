// JSON text to values on a tape. The only place that knows simdjson's parser.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include <hawser/codec/json/numbers.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {

/// Parses JSON (RFC 8259) again and again in the same memory. All of the text is validated before
/// anything is on the tape; what is not UTF-8, a lone surrogate and a byte order mark are refused,
/// a NUL written as \u0000 and scalars at the top are not. Members keep their order, duplicates
/// too. Integers beyond 64 bits become numbers, as JavaScript writes 1e20 with all its digits; a
/// number beyond the range of double is refused. `max_depth` beyond 65,536 counts as that.
///
/// *Errors*: `bad_json`, `too_deep`, `too_many_values`, `number_too_long`, `bad_attachments`, and
/// `message_too_big` for what the machine has no memory for, or 4 GiB; then the tape is empty.
class json_parser {
 public:
  /// Bytes behind a text that is parsed where it lies: readable, of any value.
  static constexpr std::size_t padding = 64;
  static_assert(simdjson::SIMDJSON_PADDING <= padding);

  /// `padded`: `padding` bytes behind `text` may be read, else it is copied. Texts on the tape live
  /// in this parser until it parses again or goes.
  errc parse(std::string_view text, value_limits const& limits, value_tape& out,
             bool padded = false) {
    return run(text, nullptr, limits, out, padded);
  }

  /// The same with binary put back: each object whose member `_placeholder` is true has exactly one
  /// more, `num`, and becomes the binary `attachments[num]`; each attachment is named exactly once.
  /// Such an object is one value, whatever limits say of its members. The bytes are not copied.
  errc parse(std::string_view text, std::span<bytes_view const> attachments,
             value_limits const& limits, value_tape& out, bool padded = false) {
    taken_.assign(attachments.size(), false);
    return run(text, &attachments, limits, out, padded);
  }

 private:
  // Simdjson needs about 15 bytes for each of a text.
  static constexpr std::size_t keep_bytes = 256 * 1024;
  static constexpr std::size_t least_capacity = 1024;
  static constexpr std::size_t most_depth = 65'536;

  errc run(std::string_view text, std::span<bytes_view const> const* attachments,
           value_limits const& limits, value_tape& out, bool padded) {
    out.clear();
    if (text.size() > keep_bytes) {
      has_grown_ = true;
    } else if (has_grown_) {
      give_back();
    }
    // Newer versions of simdjson pass over a byte order mark.
    if (text.empty() || text.starts_with("\xef\xbb\xbf")) return errc::bad_json;
    if (codec::has_longer_number(text, limits.max_number)) return errc::number_too_long;

    errc error = parse_text(text, limits, padded);
    if (error == errc{}) error = fill(attachments, limits, out);
    if (error != errc{}) out.clear();
    return error;
  }

  // What a large text has made of the memory is not kept for small ones.
  void give_back() noexcept {
    has_grown_ = false;
    parser_ = simdjson::dom::parser();
    document_ = simdjson::dom::document();
    copy_.release();
    widened_.release();
  }

  errc parse_text(std::string_view text, value_limits const& limits, bool padded) {
    // One that simdjson doesn't reach, and one for a placeholder, which is no container here.
    std::size_t const depth = std::min(limits.max_depth, most_depth) + 2;
    if (!reserve(text.size(), depth)) return errc::message_too_big;
    if (!padded) {
      copy_.clear();
      copy_.append(as_bytes(text));
      text = pad(copy_);
    }
    auto error = parser_.parse_into_document(document_, text.data(), text.size(), false).error();
    if (may_be_number(error)) {
      if (!codec::widen_integers(text, widened_)) return errc::bad_json;
      text = pad(widened_);
      if (!reserve(text.size(), depth)) return errc::message_too_big;
      error = parser_.parse_into_document(document_, text.data(), text.size(), false).error();
    }
    switch (error) {
      case simdjson::SUCCESS: return {};
      case simdjson::DEPTH_ERROR: return errc::too_deep;
      case simdjson::CAPACITY:
      case simdjson::MEMALLOC: return errc::message_too_big;
      default: return errc::bad_json;
    }
  }

  /// Large integers have an error of their own in newer versions, unnamed in older ones.
  static bool may_be_number(simdjson::error_code error) noexcept {
    switch (error) {
      case simdjson::SUCCESS:
      case simdjson::CAPACITY:
      case simdjson::MEMALLOC:
      case simdjson::TAPE_ERROR:
      case simdjson::DEPTH_ERROR:
      case simdjson::STRING_ERROR:
      case simdjson::T_ATOM_ERROR:
      case simdjson::F_ATOM_ERROR:
      case simdjson::N_ATOM_ERROR:
      case simdjson::UTF8_ERROR:
      case simdjson::EMPTY:
      case simdjson::UNESCAPED_CHARS:
      case simdjson::UNCLOSED_STRING: return false;
      default: return true;
    }
  }

  /// What is in the buffer, with padding behind it.
  static std::string_view pad(byte_buffer& text) {
    std::memset(text.prepare(padding).data(), 0, padding);
    return as_text(text.view());
  }

  /// By powers of two, since simdjson itself would allocate for each text that is a byte longer
  /// than all before; large ones get what they need, as it is given back.
  bool reserve(std::size_t size, std::size_t depth) {
    std::size_t const wanted =
        size > keep_bytes ? size : std::bit_ceil(std::max(size, least_capacity));
    if (document_.capacity() < size && document_.allocate(wanted) != simdjson::SUCCESS) {
      return false;
    }
    if (parser_.capacity() >= size && parser_.max_depth() == depth) return true;
    std::size_t const capacity = std::max(wanted, parser_.capacity());
    return capacity <= parser_.max_capacity() &&
           parser_.allocate(capacity, depth) == simdjson::SUCCESS;
  }

  // What simdjson has made of a text: words of a type in the highest byte and 56 bits that say
  // where the text, or the end of the container, is. A number is the word behind its type.
  static char type_of(std::uint64_t word) noexcept { return static_cast<char>(word >> 56); }
  static std::size_t place_in(std::uint64_t word) noexcept {
    return static_cast<std::size_t>(word & 0x00ff'ffff'ffff'ffff);
  }
  static std::size_t end_of(std::uint64_t word) noexcept {
    return static_cast<std::size_t>(word & 0xffff'ffff);
  }
  std::string_view text_of(std::uint64_t word) const noexcept {
    auto const* const at = document_.string_buf.get() + place_in(word);
    std::uint32_t size;
    std::memcpy(&size, at, sizeof size);
    return {reinterpret_cast<char const*>(at) + sizeof size, size};
  }

  /// Copies the document to the tape, in one pass and without a stack.
  errc fill(std::span<bytes_view const> const* attachments, value_limits const& limits,
            value_tape& out) {
    std::uint64_t const* const words = document_.tape.get();
    std::size_t const end = place_in(words[0]) - 1;  // behind it all stands a copy of the first
    std::size_t named = 0;
    for (std::size_t at = 1; at < end; ++at) {
      std::uint64_t word = words[at];
      if (type_of(word) == ']' || type_of(word) == '}') {
        out.end();
        continue;
      }
      if (out.depth() > 0 && out.in_object()) {
        out.key(text_of(word));
        word = words[++at];
      }
      if (out.size() >= limits.max_values) return errc::too_many_values;
      switch (type_of(word)) {
        case 'n': out.null(); break;
        case 't': out.boolean(true); break;
        case 'f': out.boolean(false); break;
        case 'l': out.integer(std::bit_cast<std::int64_t>(words[++at])); break;
        case 'u': out.unsigned_integer(words[++at]); break;
        case 'd': out.number(std::bit_cast<double>(words[++at])); break;
        case '"': out.string(text_of(word)); break;
        case '[':
          if (out.depth() >= limits.max_depth) return errc::too_deep;
          out.begin_array();
          break;
        case '{':
          if (attachments != nullptr && is_placeholder(at)) {
            std::size_t const num = placeholder_num(at);
            if (num >= attachments->size() || taken_[num]) return errc::bad_attachments;
            taken_[num] = true;
            ++named;
            out.binary((*attachments)[num]);
            at = end_of(word) - 1;
            break;
          }
          if (out.depth() >= limits.max_depth) return errc::too_deep;
          out.begin_object();
          break;
        default: return errc::bad_json;  // a kind that newer versions can be told to make
      }
    }
    if (attachments != nullptr && named != attachments->size()) return errc::bad_attachments;
    return {};
  }

  /// Calls `visit(key, where its value is)` for the members of an object.
  template <class Visit>
  void for_members(std::size_t object, Visit visit) const {
    std::uint64_t const* const words = document_.tape.get();
    std::size_t const end = end_of(words[object]) - 1;
    for (std::size_t at = object + 1; at < end;) {
      visit(text_of(words[at]), at + 1);
      std::uint64_t const what = words[++at];
      char const type = type_of(what);
      bool const number = type == 'l' || type == 'u' || type == 'd';
      at = type == '[' || type == '{' ? end_of(what) : at + (number ? 2 : 1);
    }
  }

  bool is_placeholder(std::size_t object) const {
    bool found = false;
    for_members(object, [&](std::string_view key, std::size_t at) {
      // The last of several counts.
      if (key == "_placeholder") found = type_of(document_.tape[at]) == 't';
    });
    return found;
  }

  /// Beyond every count when the placeholder is malformed.
  std::size_t placeholder_num(std::size_t object) const {
    std::size_t members = 0;
    std::size_t num = SIZE_MAX;
    for_members(object, [&](std::string_view key, std::size_t at) {
      ++members;
      if (key != "num" || type_of(document_.tape[at]) != 'l') return;
      auto const given = std::bit_cast<std::int64_t>(document_.tape[at + 1]);
      if (given >= 0) num = static_cast<std::size_t>(given);
    });
    return members == 2 ? num : SIZE_MAX;
  }

  simdjson::dom::parser parser_;
  simdjson::dom::document document_;
  byte_buffer copy_;     // of texts that have no padding
  byte_buffer widened_;  // of texts with oversized integers
  std::vector<bool> taken_;
  bool has_grown_ = false;  // by a text of more than `keep_bytes`
};

inline result<json> json::parse(std::string_view text) {
  json_parser parser;
  value_tape tape;
  errc const error = parser.parse(text, value_limits{}, tape);
  if (error != errc{}) return error;
  return json(tape.root());
}

}  // namespace hawser::inline HAWSER_ABI
