// Values on their way out, as JSON text or as MessagePack, through one set of calls.
#pragma once

#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

#include <hawser/codec/value/decimal.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/text.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/small_list.hpp>

namespace hawser::inline HAWSER_ABI {

enum class value_format : std::uint8_t { json, msgpack };

/// Writes a value, or several beside each other, behind what is in a buffer. No template, so that
/// code which emits stays small; nothing is allocated but the buffer's growth and a list of more
/// than four attachments.
///
/// JSON is compact and as JSON.stringify has it: escaped is only what must be, NaN, infinities and
/// -0 become null, null and 0. MessagePack takes the smallest form of integers and lengths; floats
/// stay floats of their width. In both, what is not UTF-8 in a text becomes U+FFFD, since no peer
/// would take it. Nothing is checked: a container is given as many values as it was announced with,
/// a member of an object is a key and then a value.
class value_writer {
 public:
  value_writer(byte_buffer& out, value_format format) noexcept : out_(out), format_(format) {}
  value_writer(value_writer const&) = delete;
  value_writer& operator=(value_writer const&) = delete;

  value_format format() const noexcept { return format_; }

  void null() { atom("null", 0xc0); }
  void boolean(bool what) { what ? atom("true", 0xc3) : atom("false", 0xc2); }

  void integer(std::int64_t what) {
    if (format_ == value_format::json) return digits(what);
    if (what >= 0) return unsigned_integer(static_cast<std::uint64_t>(what));
    // Two's complement: the low bytes are the number in each narrower form that holds it.
    auto const bits = static_cast<std::uint64_t>(what);
    if (what >= -32) return byte(static_cast<unsigned>(bits & 0xff));
    if (what >= INT8_MIN) return tagged(0xd0, static_cast<std::uint8_t>(bits));
    if (what >= INT16_MIN) return tagged(0xd1, static_cast<std::uint16_t>(bits));
    if (what >= INT32_MIN) return tagged(0xd2, static_cast<std::uint32_t>(bits));
    tagged(0xd3, bits);
  }

  void unsigned_integer(std::uint64_t what) {
    if (format_ == value_format::json) return digits(what);
    if (what < 0x80) return byte(static_cast<unsigned>(what));
    if (what <= UINT8_MAX) return tagged(0xcc, static_cast<std::uint8_t>(what));
    if (what <= UINT16_MAX) return tagged(0xcd, static_cast<std::uint16_t>(what));
    if (what <= UINT32_MAX) return tagged(0xce, static_cast<std::uint32_t>(what));
    tagged(0xcf, what);
  }

  void number(double what) {
    if (format_ == value_format::json) return decimal(what);
    tagged(0xcb, std::bit_cast<std::uint64_t>(what));
  }

  /// In JSON the shortest text that reads back as the same float: 0.1f is 0.1.
  void number(float what) {
    if (format_ == value_format::json) return decimal(what);
    tagged(0xca, std::bit_cast<std::uint32_t>(what));
  }

  void string(std::string_view what) {
    format_ == value_format::json ? json_text(what, false) : msgpack_text(what);
  }

  /// In JSON the bytes are not written and not copied: a placeholder stands for them, and they are
  /// the next of `attachments()`.
  void binary(bytes_view what) {
    if (format_ == value_format::msgpack) {
      if (what.size() > UINT32_MAX) return null();  // has no form
      head(what.size(), 0xc4, 0xc5, 0xc6);
      out_.append(what);
      return;
    }
    separate();
    put(R"({"_placeholder":true,"num":)");
    comma_ = false;
    digits(attachments_.size());
    put("}");
    attachments_.push_back(what);
  }

  /// `count`: the elements that follow until `end_array()`.
  void begin_array(std::size_t count) { begin('[', count, 0x90, 0xdc); }
  void end_array() { end(']'); }

  /// `count`: the members that follow until `end_object()`.
  void begin_object(std::size_t count) { begin('{', count, 0x80, 0xde); }
  void end_object() { end('}'); }

  void key(std::string_view what) {
    format_ == value_format::json ? json_text(what, true) : msgpack_text(what);
  }

  /// What `binary()` met in JSON, in order; views of what the caller still holds.
  std::span<bytes_view const> attachments() const noexcept { return attachments_.view(); }

 private:
  void put(std::string_view text) { out_.append(as_bytes(text)); }

  void byte(unsigned what) {
    out_.prepare(1)[0] = static_cast<std::byte>(what);
    out_.commit(1);
  }

  template <class Unsigned>
  void tagged(unsigned tag, Unsigned what) {
    std::byte* const to = out_.prepare(1 + sizeof what).data();
    to[0] = static_cast<std::byte>(tag);
    codec::store_big(to + 1, what);
    out_.commit(1 + sizeof what);
  }

  /// A MessagePack length of 8, 16 or 32 bits; a tag of 0 has no 8-bit form.
  void head(std::size_t size, unsigned tag8, unsigned tag16, unsigned tag32) {
    if (size <= UINT8_MAX && tag8 != 0) return tagged(tag8, static_cast<std::uint8_t>(size));
    if (size <= UINT16_MAX) return tagged(tag16, static_cast<std::uint16_t>(size));
    tagged(tag32, static_cast<std::uint32_t>(size));
  }

  /// The comma before a value or a key. One flag is enough: it is down after an opening bracket
  /// and after a key, up after anything else, whatever is open.
  void separate() {
    if (comma_ && format_ == value_format::json) put(",");
  }

  void atom(std::string_view text, unsigned tag) {
    if (format_ == value_format::msgpack) return byte(tag);
    separate();
    put(text);
    comma_ = true;
  }

  template <class Number>
  void digits(Number what) {
    auto* const to = reinterpret_cast<char*>(out_.prepare(40).data());
    *to = ',';
    auto* const end = std::to_chars(to + comma_, to + 40, what).ptr;
    out_.commit(static_cast<std::size_t>(end - to));
    comma_ = true;
  }

  /// Whole numbers as JavaScript writes them, 100000 and not 1e+05; it is faster, too.
  template <class Number>
  void decimal(Number what) {
    if (!std::isfinite(what)) return null();
    constexpr auto exact = std::int64_t{1} << std::numeric_limits<Number>::digits;
    if (std::fabs(what) < static_cast<Number>(exact)) {
      auto const whole = static_cast<std::int64_t>(what);
      auto const difference = what - static_cast<Number>(whole);
      if (!(difference < 0) && !(difference > 0)) return digits(whole);
      auto* const to = reinterpret_cast<char*>(out_.prepare(1 + codec::max_decimal_size).data());
      *to = ',';
      if (auto* const end = codec::write_decimal(to + comma_, what)) {
        out_.commit(static_cast<std::size_t>(end - to));
        comma_ = true;
        return;
      }
    }
    digits(what);
  }

  void begin(char bracket, std::size_t count, unsigned small_tag, unsigned tag16) {
    if (format_ == value_format::json) {
      std::byte* const to = out_.prepare(2).data();
      to[0] = std::byte{','};
      to[comma_] = static_cast<std::byte>(bracket);
      out_.commit(1u + comma_);
      comma_ = false;
    } else if (count < 16) {
      byte(small_tag | static_cast<unsigned>(count));
    } else {
      head(count, 0, tag16, tag16 + 1);
    }
  }

  void end(char bracket) {
    if (format_ == value_format::json) byte(static_cast<unsigned char>(bracket));
    comma_ = true;
  }

  void json_text(std::string_view what, bool is_key) {
    if (codec::is_plain_ascii(what)) {  // as most are: one piece
      auto* const to = reinterpret_cast<char*>(out_.prepare(what.size() + 4).data());
      char* at = to;
      if (comma_) *at++ = ',';
      *at++ = '"';
      if (!what.empty()) std::memcpy(at, what.data(), what.size());
      at += what.size();
      *at++ = '"';
      if (is_key) *at++ = ':';
      out_.commit(static_cast<std::size_t>(at - to));
    } else {
      bool const valid = codec::is_utf8(as_bytes(what));
      separate();
      put("\"");
      auto const escape = [this](std::string_view piece) { codec::append_escaped(out_, piece); };
      valid ? escape(what) : codec::for_valid_pieces(what, escape);
      put(is_key ? "\":" : "\"");
    }
    comma_ = !is_key;
  }

  void msgpack_text(std::string_view what) {
    bool const valid = codec::is_utf8(as_bytes(what));
    std::size_t size = what.size();
    if (!valid) {
      size = 0;
      codec::for_valid_pieces(what, [&](std::string_view piece) { size += piece.size(); });
    }
    if (size > UINT32_MAX) return byte(0xc0);  // has no form
    if (size < 32) {
      byte(0xa0 | static_cast<unsigned>(size));
    } else {
      head(size, 0xd9, 0xda, 0xdb);
    }
    if (valid) return put(what);
    codec::for_valid_pieces(what, [this](std::string_view piece) { put(piece); });
  }

  byte_buffer& out_;
  value_format const format_;
  bool comma_ = false;
  small_list<bytes_view, 4> attachments_;
};

namespace codec {

inline void write_node(value_writer& out, value_node const& node) {
  switch (node.kind()) {
    case value_kind::missing:
    case value_kind::null: return out.null();
    case value_kind::boolean: return out.boolean(node.boolean);
    case value_kind::integer: return out.integer(node.integer);
    case value_kind::unsigned_integer: return out.unsigned_integer(node.unsigned_integer);
    case value_kind::number: return out.number(node.number);
    case value_kind::string: return out.string(node.string());
    case value_kind::binary: return out.binary({node.bytes, node.size()});
    case value_kind::array: return out.begin_array(node.size());
    case value_kind::object: return out.begin_object(node.size());
  }
}

}  // namespace codec

/// Copies a value with all that is in it, members in their order, duplicates too; a missing value
/// is written as null. Walks by the links on the tape: no recursion, no memory.
inline void write_value(value_writer& out, value const& what) {
  value_node const* const top = what.node();
  if (top == nullptr) return out.null();
  codec::write_node(out, *top);
  if (!top->is_container()) return;
  value_node const* within = top;
  value_node const* at = top + 1;
  for (;;) {
    bool const object = within->kind() == value_kind::object;
    if (at == within->next()) {
      object ? out.end_object() : out.end_array();
      if (within == top) return;
      within -= within->inside.parent;
      continue;
    }
    if (object) out.key((at++)->string());
    codec::write_node(out, *at);
    if (at->is_container()) within = at;
    ++at;
  }
}

}  // namespace hawser::inline HAWSER_ABI
