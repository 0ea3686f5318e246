// MessagePack to values on a tape.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hawser/codec/msgpack/timestamp.hpp>
#include <hawser/codec/utf8.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace codec {

/// Reads one value after another, each where the last ended.
class msgpack_reader {
 public:
  msgpack_reader(bytes_view in, value_limits const& limits, value_tape& out) noexcept
      : in_(in), limits_(limits), out_(out) {}

  /// One value with all that is in it. Without recursion: how much is still to come in each open
  /// container stands on the tape.
  errc run() {
    for (;;) {
      read_value();
      while (error_ == errc{} && out_.depth() > 0 && out_.pending() == 0) out_.end();
      if (error_ != errc{}) return error_;
      if (out_.depth() == 0) return in_.empty() ? errc{} : errc::bad_msgpack;
      --out_.pending();
      if (out_.in_object()) read_key();
      if (error_ != errc{}) return error_;
    }
  }

 private:
  void fail(errc why) noexcept {
    if (error_ == errc{}) error_ = why;
  }

  /// The next bytes; fewer, and an error, when there are not as many.
  bytes_view take(std::size_t size) noexcept {
    if (size > in_.size()) {
      fail(errc::bad_msgpack);
      return {};
    }
    bytes_view const taken = in_.first(size);
    in_ = in_.subspan(size);
    return taken;
  }

  template <class Unsigned>
  Unsigned load() noexcept {
    bytes_view const taken = take(sizeof(Unsigned));
    return taken.empty() ? Unsigned{0} : load_big<Unsigned>(taken.data());
  }

  /// A length of 1, 2 or 4 bytes.
  std::size_t length(unsigned tag, unsigned first_tag) noexcept {
    switch (tag - first_tag) {
      case 0: return load<std::uint8_t>();
      case 1: return load<std::uint16_t>();
      default: return load<std::uint32_t>();
    }
  }

  std::string_view text(std::size_t size) noexcept {
    bytes_view const taken = take(size);
    if (!is_utf8(taken)) fail(errc::bad_msgpack);
    return as_text(taken);
  }

  void read_key() {
    auto const tag = load<std::uint8_t>();
    if (tag >= 0xa0 && tag <= 0xbf) {
      out_.key(text(tag & 0x1f));
    } else if (tag >= 0xd9 && tag <= 0xdb) {
      out_.key(text(length(tag, 0xd9)));
    } else {
      fail(errc::bad_msgpack);
    }
  }

  /// What a container claims has to be there, at a byte for each value and each key, and within
  /// the limit, before anything is made for it.
  void open(bool object, std::size_t count) {
    if (error_ != errc{}) return;
    std::size_t const least = object ? 2 * std::uint64_t{count} : count;
    if (least > in_.size()) return fail(errc::bad_msgpack);
    if (out_.depth() >= limits_.max_depth) return fail(errc::too_deep);
    if (count > limits_.max_values - out_.size() - 1) return fail(errc::too_many_values);
    object ? out_.begin_object() : out_.begin_array();
    out_.pending() = static_cast<std::uint32_t>(count);
  }

  void extension(std::size_t size) {
    auto const type = static_cast<std::int8_t>(load<std::uint8_t>());
    bytes_view const data = take(size);
    if (error_ != errc{}) return;
    if (type == -1) {
      auto const made = timestamp_to_iso(data);
      if (made.size == 0) return fail(errc::bad_msgpack);
      out_.string(out_.own(made.view()));
    } else if (type == 0 && data.size() == 1 && data[0] == std::byte{0}) {
      out_.null();  // `undefined` of notepack.io 2
    } else {
      fail(errc::bad_msgpack);
    }
  }

  void read_value() {
    if (out_.size() >= limits_.max_values) return fail(errc::too_many_values);
    unsigned const tag = load<std::uint8_t>();
    if (error_ != errc{}) return;
    if (tag < 0x80) return out_.integer(tag);
    if (tag < 0x90) return open(true, tag & 15);
    if (tag < 0xa0) return open(false, tag & 15);
    if (tag < 0xc0) return out_.string(text(tag & 31));
    if (tag >= 0xe0) return out_.integer(static_cast<std::int8_t>(tag));
    switch (tag) {
      case 0xc0: return out_.null();
      case 0xc2:
      case 0xc3: return out_.boolean(tag == 0xc3);
      case 0xc4:
      case 0xc5:
      case 0xc6: return out_.binary(take(length(tag, 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9: return extension(length(tag, 0xc7));
      case 0xca: return out_.number(std::bit_cast<float>(load<std::uint32_t>()));
      case 0xcb: return out_.number(std::bit_cast<double>(load<std::uint64_t>()));
      case 0xcc: return out_.integer(load<std::uint8_t>());
      case 0xcd: return out_.integer(load<std::uint16_t>());
      case 0xce: return out_.integer(load<std::uint32_t>());
      case 0xcf: return out_.unsigned_integer(load<std::uint64_t>());
      case 0xd0: return out_.integer(static_cast<std::int8_t>(load<std::uint8_t>()));
      case 0xd1: return out_.integer(static_cast<std::int16_t>(load<std::uint16_t>()));
      case 0xd2: return out_.integer(static_cast<std::int32_t>(load<std::uint32_t>()));
      case 0xd3: return out_.integer(static_cast<std::int64_t>(load<std::uint64_t>()));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8: return extension(std::size_t{1} << (tag - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb: return out_.string(text(length(tag, 0xd9)));
      case 0xdc:
      case 0xdd: return open(false, length(tag, 0xdb));
      case 0xde:
      case 0xdf: return open(true, length(tag, 0xdd));
      default: return fail(errc::bad_msgpack);  // c1 is never used
    }
  }

  bytes_view in_;
  value_limits const& limits_;
  value_tape& out_;
  errc error_{};
};

}  // namespace codec

/// Parses exactly one value; bytes behind it are an error. Texts and binaries on the tape are views
/// of `in`. Texts have to be UTF-8, and keys texts. A time (extension -1) becomes the text that
/// JSON would have for it; any other extension is refused, but for a legacy form of null
/// (extension 0). Floats are widened.
///
/// *Errors*: `bad_msgpack`, `too_deep`, `too_many_values`, and `message_too_big` for 4 GiB or more;
/// then the tape is empty.
inline errc parse_msgpack(bytes_view in, value_limits const& limits, value_tape& out) {
  out.clear();
  if (in.size() > UINT32_MAX) return errc::message_too_big;  // a tape counts to that
  errc const error = codec::msgpack_reader(in, limits, out).run();
  if (error != errc{}) out.clear();
  return error;
}

}  // namespace hawser::inline HAWSER_ABI
