// Reads a message body by Content-Length or in strict chunks (RFC 9112 6 and 7.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Reads one body in whatever pieces it arrives. Chunk sizes are 1 to 16 hexadecimal digits and
/// CRLF; chunk extensions and trailers are refused. A message with neither Content-Length nor
/// Transfer-Encoding has no body, which is right for requests; a response that ends with the
/// connection is not for this reader.
///
/// Errors, which stay: `errc::body_too_large` as soon as a length says so and before its bytes are
/// read, or after `max_chunks` chunks; `errc::bad_chunk`.
class body_reader {
 public:
  using progress = http::progress;

  /// Chunks with data in one body.
  static constexpr std::size_t max_chunks = 65536;

  /// `max_body_size` in bytes, as decoded.
  body_reader(message const& head, std::uint64_t max_body_size) noexcept {
    if (head.chunked()) {
      state_ = state::size;
      left_ = max_body_size;
      return;
    }
    piece_ = head.content_length().value_or(0);
    state_ = piece_ == 0 ? state::done : state::fixed;
    if (piece_ > max_body_size) fail(errc::body_too_large);
  }

  /// Whether the body has been read, an absent or empty one from the start.
  bool done() const noexcept { return state_ == state::done; }

  /// Appends decoded bytes to `body`; takes nothing behind the end of the message.
  progress parse(std::string_view bytes, byte_buffer& body) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ != state::done && state_ != state::failed) {
      if (state_ == state::fixed || state_ == state::data) {
        at += copy(bytes.substr(at), body);
      } else if (step(bytes[at])) {
        ++at;
      }
    }
    return {at, done(), error_};
  }

 private:
  enum class state : unsigned char {
    fixed,
    size,
    size_lf,
    data,
    data_cr,
    data_lf,
    last_cr,
    last_lf,
    done,
    failed
  };

  bool fail(errc error) noexcept {
    state_ = state::failed;
    error_ = error;
    return false;
  }

  std::size_t copy(std::string_view bytes, byte_buffer& body) {
    auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), piece_));
    body.append(as_bytes(bytes.substr(0, count)));
    piece_ -= count;
    if (piece_ == 0) state_ = state_ == state::fixed ? state::done : state::data_cr;
    return count;
  }

  bool expect(char c, char wanted, state next) noexcept {
    if (c != wanted) return fail(errc::bad_chunk);
    state_ = next;
    return true;
  }

  /// One byte that is not data; false when it is refused.
  bool step(char c) noexcept {
    switch (state_) {
      case state::size: return read_size(c);
      case state::size_lf:
        if (c != '\n') return fail(errc::bad_chunk);
        return start_chunk();
      case state::data_cr: return expect(c, '\r', state::data_lf);
      case state::data_lf: return expect(c, '\n', state::size);
      case state::last_cr: return expect(c, '\r', state::last_lf);
      case state::last_lf: return expect(c, '\n', state::done);
      default: return false;
    }
  }

  bool read_size(char c) noexcept {
    if (c == '\r' && digits_ > 0) {
      state_ = state::size_lf;
      return true;
    }
    int const digit = hex_value(c);
    if (digit < 0 || digits_ == 16) return fail(errc::bad_chunk);
    piece_ = piece_ * 16 + static_cast<unsigned>(digit);
    ++digits_;
    return true;
  }

  bool start_chunk() noexcept {
    digits_ = 0;
    if (piece_ == 0) {
      state_ = state::last_cr;
      return true;
    }
    if (piece_ > left_ || ++chunks_ > max_chunks) return fail(errc::body_too_large);
    left_ -= piece_;
    state_ = state::data;
    return true;
  }

  std::error_code error_;
  std::uint64_t piece_ = 0;  // what is to come of the body, or of the present chunk
  std::uint64_t left_ = 0;   // what later chunks may still bring
  std::size_t chunks_ = 0;
  int digits_ = 0;
  state state_ = state::done;
};

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
