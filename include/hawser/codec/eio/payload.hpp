// Engine.IO polling payloads: the packets of one HTTP body.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/utf8.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::eio {

struct payload_limits {
  std::size_t max_packets = 10'000;  ///< in one body
};

/// Reads the body of a POST, or of the answer to a poll, packet by packet. Binary messages are
/// decoded where they lie, so the body is lost; nothing is copied or allocated, and the time is
/// linear in the size of the body.
///
/// The first call looks whether the body is UTF-8 as a whole, so a body that isn't yields no
/// packet; any other violation comes after the packets before it, and is final.
class payload_reader {
 public:
  enum class status { packet, end, violation };

  explicit payload_reader(mutable_bytes body, payload_limits const& limits = {}) noexcept
      : rest_(body), packets_left_(limits.max_packets) {}

  /// `packet`: `out` is set and good until the body goes. `violation`: see `error()`.
  status next(packet& out) noexcept {
    if (place_ == place::over) return error_ == errc{} ? status::end : status::violation;
    if (place_ == place::start) {
      place_ = place::inside;
      if (!codec::is_utf8(rest_)) return fail(errc::invalid_utf8);
    }
    if (packets_left_ == 0) return fail(errc::too_many_packets);
    --packets_left_;
    mutable_bytes const record = rest_.first(record_size());
    if (record.size() == rest_.size()) {
      place_ = place::over;
    } else {
      rest_ = rest_.subspan(record.size() + 1);
    }
    errc const error = read_packet(record, out);
    return error == errc{} ? status::packet : fail(error);
  }

  /// Of the violation: `invalid_utf8`, `too_many_packets`, `bad_base64`, or `bad_engine_packet` for
  /// an unknown type and for an empty packet: a separator at either end, two in a row, no body.
  errc error() const noexcept { return error_; }

 private:
  enum class place : unsigned char { start, inside, over };

  std::size_t record_size() const noexcept {
    if (rest_.empty()) return 0;
    auto const* const found = std::memchr(rest_.data(), separator, rest_.size());
    if (found == nullptr) return rest_.size();
    return static_cast<std::size_t>(static_cast<std::byte const*>(found) - rest_.data());
  }

  status fail(errc error) noexcept {
    place_ = place::over;
    error_ = error;
    return status::violation;
  }

  mutable_bytes rest_;  // behind the last separator that was passed
  std::size_t packets_left_;
  errc error_{};
  place place_ = place::start;
};

/// Writes packets behind each other, a separator between two. A body is cut at the receiver's
/// `maxPayload` by asking first: `if (writer.size_with_text(n) > max) break; writer.add_text(...)`.
class payload_writer {
 public:
  /// Appends to `out`, whatever that holds already.
  explicit payload_writer(byte_buffer& out) noexcept : out_(&out) {}

  /// A packet of text with its type character; UTF-8 and without a separator, or the receiver will
  /// read something else.
  void add_text(std::string_view packet) {
    begin_packet();
    out_->append(as_bytes(packet));
    size_ += packet.size();
  }

  /// A binary message.
  void add_binary(bytes_view data) {
    begin_packet();
    out_->append(as_bytes({&binary_character, 1}));
    codec::base64_append(*out_, data);
    size_ += 1 + codec::base64_size(data.size());
  }

  /// Bytes and packets written so far.
  std::size_t size() const noexcept { return size_; }
  std::size_t packets() const noexcept { return packets_; }

  /// What `size()` will be after one more packet: a text of `packet` bytes with its type character,
  /// or a message of `data` bytes before base64.
  std::size_t size_with_text(std::size_t packet) const noexcept {
    return size_ + (packets_ > 0 ? 1 : 0) + packet;
  }
  std::size_t size_with_binary(std::size_t data) const noexcept {
    return size_with_text(1 + codec::base64_size(data));
  }

 private:
  void begin_packet() {
    if (packets_++ == 0) return;
    out_->append(as_bytes({&separator, 1}));
    ++size_;
  }

  byte_buffer* out_;
  std::size_t size_ = 0;
  std::size_t packets_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::eio
