// Frames to messages: assembly, limits and the strict order of RFC 6455 section 5.4.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <hawser/codec/utf8.hpp>
#include <hawser/codec/ws/assembly.hpp>
#include <hawser/codec/ws/frame.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::ws {

struct message_limits {
  /// Bytes of one message, on the wire and after inflating. Over it: 1009.
  std::size_t max_message_size = std::size_t{1} << 20;
  /// Empty frames in one message. Over it: 1008.
  std::uint32_t max_empty_fragments = 64;

  /// Frames in one message; follows the message size. Over it: 1008.
  std::size_t max_fragments() const noexcept { return max_message_size / 64 + 2; }
};

/// What came out of the bytes so far. Payloads are views into the input or the reader, valid
/// until the next call of `next`.
struct frame_event {
  enum class type : std::uint8_t {
    need_more,  ///< the input is used up
    text,       ///< a whole message, valid UTF-8
    binary,     ///< a whole message
    deflated,   ///< a whole compressed message; `text` says what it inflates to
    ping,
    pong,
    close,     ///< payload is the body: see `read_close`
    violation  ///< `error` is set; the reader is dead
  };
  type what = type::need_more;
  bool text = false;
  errc error{};
  mutable_bytes payload{};
};

/// Reads the frames of one connection, in any cut, and gives whole messages and control frames.
/// After a violation it gives nothing but that violation.
///
/// Flow: for every read, call `next(input, ...)` until it answers `need_more`; it advances
/// `input` past what it used, and unmasks in place.
class message_reader {
 public:
  using type = frame_event::type;

  explicit message_reader(role reader, bool deflate_agreed = false) noexcept
      : role_(reader), deflate_agreed_(deflate_agreed) {}

  /// The next event, with a loop and never recursion (RFC 6455 sections 5.2 to 5.5).
  frame_event next(mutable_bytes& in, message_limits const& limits, assembly_pool& pool) {
    frame_event event;
    if (take_small(in, limits, role_, event)) return event;
    return next_any(in, limits, pool);
  }

  /// What nearly all traffic is: takes one whole, uncompressed data frame of less than 64 KiB.
  /// False leaves everything as it was to `next_any`, which knows all the rules. `self` is what the
  /// constructor was given: here it is mostly a constant.
  [[gnu::always_inline]] bool take_small(mutable_bytes& in, message_limits const& limits, role self,
                                         frame_event& out) noexcept {
    if (!idle_ || in.size() < 4) return false;
    auto const first = std::to_integer<unsigned>(in[0]);
    if (first != 0x81 && first != 0x82) return false;
    bool const server = self == role::server;
    std::size_t length = std::to_integer<unsigned>(in[1]) ^ (server ? 0x80u : 0u);
    std::size_t head = server ? 6 : 2;
    if (length >= 126) {
      if (length != 126) return false;
      length = codec::load_big<std::uint16_t>(in.data() + 2);
      if (length < 126) return false;
      head += 2;
    }
    if (in.size() < head + length || length > limits.max_message_size) return false;
    mutable_bytes const payload{in.data() + head, length};
    if (server) mask_by_head(payload);
    if (first == 0x81 && !codec::is_utf8(payload)) [[unlikely]] {
      if (server) mask_by_head(payload);
      return false;
    }
    in = mutable_bytes{payload.data() + length, in.size() - head - length};
    out.what = first == 0x82 ? type::binary : type::text;
    out.text = first == 0x81;
    out.payload = payload;
    return true;
  }

  /// Likewise, for whatever `take_small` has left.
  frame_event next_any(mutable_bytes& in, message_limits const& limits, assembly_pool& pool) {
    if (in.empty() && idle_) return {};
    frame_event const event = read(in, limits, pool);
    idle_ = !busy();
    return event;
  }

  role self() const noexcept { return role_; }

  /// Holds nothing, of an unfinished message or of the last one, and has met no violation.
  bool is_idle() const noexcept { return idle_; }

  /// Whether a message or a frame has begun and not ended: what `message_timeout` watches.
  bool unfinished() const noexcept {
    return (in_message_ || in_frame_ || header_have_ > 0) && dead_ == errc{};
  }

  /// Bytes held for an unfinished message, for the budget of the whole server.
  std::size_t held() const noexcept { return assembly_ ? assembly_->payload.size() : 0; }

  /// Gives what it holds back; call before the pool goes.
  void release(assembly_pool& pool) noexcept {
    if (assembly_) pool.release(std::move(assembly_));
    delivered_ = false;
  }

 private:
  // The key is the end of the head, right before the payload.
  [[gnu::always_inline]] static void mask_by_head(mutable_bytes payload) noexcept {
    mask_key key;
    std::memcpy(key.data(), payload.data() - key.size(), key.size());
    apply_mask(payload, key);
  }

  bool busy() const noexcept {
    return assembly_ != nullptr || in_frame_ || in_message_ || header_have_ > 0 || dead_ != errc{};
  }

  frame_event read(mutable_bytes& in, message_limits const& limits, assembly_pool& pool) {
    if (dead_ != errc{}) return {.what = type::violation, .error = dead_};
    if (delivered_) release(pool);  // what the last call handed out of it
    for (;;) {
      if (!in_frame_) {
        errc const error = begin_frame(in, limits, pool);
        if (error != errc{}) return fail(error);
        if (!in_frame_) return {};
        if (rest_.remaining <= in.size() && (is_control(header_code_) || is_whole_message())) {
          return take_whole_frame(in);
        }
        if (!assembly_) assembly_ = pool.acquire();
      }
      if (in.empty() && rest_.remaining > 0) return {};
      frame_event const event = take_part(in);
      if (event.what != type::need_more || in.empty()) return event;
    }
  }

  bool is_whole_message() const noexcept { return header_fin_ && !in_message_ && !assembly_; }

  // Reads a header, from the input alone or behind the bytes kept of it, and checks it against
  // the message it belongs to. Leaves `in_frame_` false when more bytes are needed.
  errc begin_frame(mutable_bytes& in, message_limits const& limits, assembly_pool& pool) {
    frame_header header;
    header_reading reading;
    if (header_have_ == 0) [[likely]] {
      reading = read_header(in, role_, deflate_agreed_, header);
      if (reading.error != errc{}) return reading.error;
      if (reading.size == 0) {
        std::memcpy(header_bytes_, in.data(), in.size());  // at most 13: they were not enough
        header_have_ = static_cast<std::uint8_t>(in.size());
        in = {};
        return {};
      }
      in = in.subspan(reading.size);
    } else {
      std::size_t const kept = header_have_;
      std::size_t const more = std::min(in.size(), max_header_size - kept);
      std::memcpy(header_bytes_ + kept, in.data(), more);
      reading = read_header({header_bytes_, kept + more}, role_, deflate_agreed_, header);
      if (reading.error != errc{}) return reading.error;
      if (reading.size == 0) {
        header_have_ = static_cast<std::uint8_t>(kept + more);
        in = {};
        return {};
      }
      in = in.subspan(reading.size - kept);
      header_have_ = 0;
    }
    if (errc const error = admit(header, limits); error != errc{}) return error;
    rest_.remaining = header.length;
    rest_.key = header.key;
    rest_.phase = 0;
    header_code_ = header.code;
    header_fin_ = header.fin;
    in_frame_ = true;
    if (!is_control(header.code)) return count_fragment(header, limits, pool);
    return {};
  }

  errc admit(frame_header const& header, message_limits const& limits) noexcept {
    if (is_control(header.code)) return {};
    if (header.code == opcode::continuation) {
      if (!in_message_) return errc::unexpected_continuation;
    } else {
      if (in_message_) return errc::continuation_expected;
      text_ = header.code == opcode::text;
      deflated_ = header.rsv1;
      utf8_.reset();
    }
    // The claim is compared before any arithmetic on it, and nothing is allocated from it.
    if (header.length > limits.max_message_size - std::min(held(), limits.max_message_size)) {
      return errc::message_too_big;
    }
    return {};
  }

  errc count_fragment(frame_header const& header, message_limits const& limits,
                      assembly_pool& pool) {
    if (!in_message_ && header.fin) return {};  // the common case: one frame, one message
    in_message_ = true;
    if (!assembly_) assembly_ = pool.acquire();
    if (++assembly_->fragments > limits.max_fragments()) return errc::too_many_fragments;
    // The last frame may well be empty: senders end a stream that way.
    if (header.length == 0 && !header.fin &&
        ++assembly_->empty_fragments > limits.max_empty_fragments) {
      return errc::too_many_fragments;
    }
    return {};
  }

  // The fast path: the whole frame lies in the input. Nothing is copied.
  frame_event take_whole_frame(mutable_bytes& in) {
    mutable_bytes const payload = in.first(static_cast<std::size_t>(rest_.remaining));
    in = in.subspan(payload.size());
    in_frame_ = false;
    if (role_ == role::server) apply_mask(payload, rest_.key);
    if (is_control(header_code_)) return control(payload);
    if (deflated_) return {.what = type::deflated, .text = text_, .payload = payload};
    if (!text_) return {.what = type::binary, .payload = payload};
    if (!codec::is_utf8(payload)) return fail(errc::invalid_utf8);
    return {.what = type::text, .text = true, .payload = payload};
  }

  // A frame that is cut, or belongs to a fragmented message: its bytes are gathered.
  frame_event take_part(mutable_bytes& in) {
    auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(rest_.remaining, in.size()));
    mutable_bytes const part = in.first(size);
    in = in.subspan(size);
    if (role_ == role::server) apply_mask(part, rest_.key, rest_.phase);
    rest_.phase = static_cast<std::uint8_t>((rest_.phase + size) & 3);
    rest_.remaining -= size;
    in_frame_ = rest_.remaining > 0;

    if (is_control(header_code_)) {
      std::memcpy(assembly_->control.data() + assembly_->control_size, part.data(), size);
      assembly_->control_size = static_cast<std::uint8_t>(assembly_->control_size + size);
      if (in_frame_) return {};
      std::size_t const whole = std::exchange(assembly_->control_size, std::uint8_t{0});
      if (!in_message_) delivered_ = true;
      return control({assembly_->control.data(), whole});
    }

    in_message_ = true;
    assembly_->payload.append(part);
    if (text_ && !deflated_ && !utf8_.feed(part)) return fail(errc::invalid_utf8);
    if (in_frame_ || !header_fin_) return {};

    in_message_ = false;
    delivered_ = true;
    mutable_bytes const payload = assembly_->payload.mutable_view();
    if (deflated_) return {.what = type::deflated, .text = text_, .payload = payload};
    if (!text_) return {.what = type::binary, .payload = payload};
    if (!utf8_.complete()) return fail(errc::invalid_utf8);
    return {.what = type::text, .text = true, .payload = payload};
  }

  frame_event control(mutable_bytes payload) const noexcept {
    type const what = header_code_ == opcode::ping   ? type::ping
                      : header_code_ == opcode::pong ? type::pong
                                                     : type::close;
    return {.what = what, .payload = payload};
  }

  frame_event fail(errc error) noexcept {
    dead_ = error;
    return {.what = type::violation, .error = error};
  }

  // Of the payload that is still to come.
  struct frame_rest {
    std::uint64_t remaining = 0;
    mask_key key{};
    std::uint8_t phase = 0;
  };

  // Small, since every idle connection has one: flags that few frames ask for are bits.
  std::unique_ptr<assembly> assembly_;
  union {
    frame_rest rest_{};                        // of a frame under way,
    std::byte header_bytes_[max_header_size];  // or of a header cut by a read
  };
  errc dead_{};
  codec::utf8_validator utf8_;
  role role_;
  opcode header_code_ = opcode::continuation;
  std::uint8_t header_have_ = 0;
  bool in_frame_ = false;
  bool idle_ = true;  // not busy()
  bool deflate_agreed_ : 1;
  bool header_fin_ : 1 = false;
  bool in_message_ : 1 = false;
  bool text_ : 1 = false;
  bool deflated_ : 1 = false;
  bool delivered_ : 1 = false;  // the assembly's content has been handed out
};

}  // namespace hawser::inline HAWSER_ABI::ws
