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
  using dom_array = simdjson::dom::array;
  using dom_object = simdjson::dom::object;
  using dom_element = simdjson::dom::element;

  // Simdjson needs about 15 bytes for each of a text.
  static constexpr std::size_t keep_bytes = 256 * 1024;
  static constexpr std::size_t least_capacity = 1024;
  static constexpr std::size_t most_depth = 65'536;

  template <class Iterator>
  struct walk {
    Iterator at;
    Iterator end;
  };

  errc run(std::string_view text, std::span<bytes_view const> const* attachments,
           value_limits const& limits, value_tape& out, bool padded) {
    out.clear();
    if (text.size() <= keep_bytes) give_back();
    // Newer versions of simdjson pass over a byte order mark.
    if (text.empty() || text.starts_with("\xef\xbb\xbf")) return errc::bad_json;
    if (codec::has_longer_number(text, limits.max_number)) return errc::number_too_long;

    dom_element root;
    errc error = parse_text(text, limits, padded, root);
    if (error == errc{}) error = fill(root, attachments, limits, out);
    if (error != errc{}) {
      out.clear();
      arrays_.clear();
      objects_.clear();
    }
    return error;
  }

  void give_back() noexcept {
    if (parser_.capacity() > keep_bytes || document_.capacity() > keep_bytes) {
      parser_ = simdjson::dom::parser();
      document_ = simdjson::dom::document();
    }
    for (byte_buffer* const held : {&copy_, &widened_}) {
      if (held->capacity() > 2 * keep_bytes) held->release();
    }
  }

  errc parse_text(std::string_view text, value_limits const& limits, bool padded,
                  dom_element& root) {
    // One that simdjson doesn't reach, and one for a placeholder, which is no container here.
    std::size_t const depth = std::min(limits.max_depth, most_depth) + 2;
    if (!reserve(text.size(), depth)) return errc::message_too_big;
    if (!padded) {
      copy_.clear();
      copy_.append(as_bytes(text));
      text = pad(copy_);
    }
    auto error = parser_.parse_into_document(document_, text.data(), text.size(), false).get(root);
    if (may_be_number(error)) {
      if (!codec::widen_integers(text, widened_)) return errc::bad_json;
      text = pad(widened_);
      if (!reserve(text.size(), depth)) return errc::message_too_big;
      error = parser_.parse_into_document(document_, text.data(), text.size(), false).get(root);
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

  /// Copies the document to the tape; the way back up is kept here, not on the stack.
  errc fill(dom_element element, std::span<bytes_view const> const* attachments,
            value_limits const& limits, value_tape& out) {
    using simdjson::dom::element_type;
    std::size_t named = 0;
    for (;;) {
      if (out.size() >= limits.max_values) return errc::too_many_values;
      switch (element.type()) {
        case element_type::NULL_VALUE: out.null(); break;
        case element_type::BOOL: out.boolean(element.get_bool().value_unsafe()); break;
        case element_type::INT64: out.integer(element.get_int64().value_unsafe()); break;
        case element_type::UINT64: out.unsigned_integer(element.get_uint64().value_unsafe()); break;
        case element_type::DOUBLE: out.number(element.get_double().value_unsafe()); break;
        case element_type::STRING: out.string(element.get_string().value_unsafe()); break;
        case element_type::ARRAY: {
          if (out.depth() >= limits.max_depth) return errc::too_deep;
          dom_array const array = element.get_array().value_unsafe();
          out.begin_array();
          arrays_.push_back({array.begin(), array.end()});
          break;
        }
        case element_type::OBJECT: {
          dom_object const object = element.get_object().value_unsafe();
          if (attachments != nullptr && is_placeholder(object)) {
            auto const num = placeholder_num(object);
            if (num >= attachments->size() || taken_[num]) return errc::bad_attachments;
            taken_[num] = true;
            ++named;
            out.binary((*attachments)[num]);
            break;
          }
          if (out.depth() >= limits.max_depth) return errc::too_deep;
          out.begin_object();
          objects_.push_back({object.begin(), object.end()});
          break;
        }
        default: return errc::bad_json;  // a kind that newer versions can be told to make
      }
      if (!next(element, out)) break;
    }
    if (attachments != nullptr && named != attachments->size()) return errc::bad_attachments;
    return {};
  }

  /// Moves on to the next element in the order of the text; false behind the last.
  bool next(dom_element& element, value_tape& out) {
    while (out.depth() > 0) {
      if (out.in_object()) {
        auto& members = objects_.back();
        if (members.at != members.end) {
          auto const member = *members.at;
          out.key(member.key);
          element = member.value;
          ++members.at;
          return true;
        }
        objects_.pop_back();
      } else {
        auto& elements = arrays_.back();
        if (elements.at != elements.end) {
          element = *elements.at;
          ++elements.at;
          return true;
        }
        arrays_.pop_back();
      }
      out.end();
    }
    return false;
  }

  static bool is_placeholder(dom_object const& object) noexcept {
    bool found = false;
    for (auto const member : object) {
      if (member.key != "_placeholder") continue;
      bool is = false;
      found = member.value.get(is) == simdjson::SUCCESS && is;  // the last of several counts
    }
    return found;
  }

  /// Beyond every count when the placeholder is malformed.
  static std::size_t placeholder_num(dom_object const& object) noexcept {
    std::size_t members = 0;
    std::size_t num = SIZE_MAX;
    for (auto const member : object) {
      ++members;
      if (member.key != "num" || member.value.type() != simdjson::dom::element_type::INT64)
        continue;
      auto const given = member.value.get_int64().value_unsafe();
      if (given >= 0) num = static_cast<std::size_t>(given);
    }
    return members == 2 ? num : SIZE_MAX;
  }

  simdjson::dom::parser parser_;
  simdjson::dom::document document_;
  byte_buffer copy_;     // of texts that have no padding
  byte_buffer widened_;  // of texts with oversized integers
  std::vector<walk<dom_array::iterator>> arrays_;
  std::vector<walk<dom_object::iterator>> objects_;
  std::vector<bool> taken_;
};

inline result<json> json::parse(std::string_view text) {
  json_parser parser;
  value_tape tape;
  errc const error = parser.parse(text, value_limits{}, tape);
  if (error != errc{}) return error;
  return json(tape.root());
}

}  // namespace hawser::inline HAWSER_ABI
