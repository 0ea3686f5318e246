// Compression of whole messages and bounded decompression (RFC 7692 7.2), on zlib.
#pragma once

#include <hawser/core/config.hpp>

#if HAWSER_WITH_DEFLATE

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include <zlib.h>

#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace ws {

/// Owns a stream of zlib, which remembers its address. `End` is what zlib ends it with.
template <int (*End)(z_stream*)>
class zlib_stream {
 public:
  zlib_stream() noexcept = default;
  zlib_stream(zlib_stream&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  zlib_stream& operator=(zlib_stream&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~zlib_stream() { end(); }

  /// Makes one, by `init(stream)`. There must be none yet. Success, or why zlib can't.
  template <class Init>
  std::error_code begin(Init&& init) {
    auto* const made = new z_stream();
    int const status = init(made);
    if (status == Z_OK) {
      at_ = made;
      return {};
    }
    delete made;
    return status == Z_MEM_ERROR ? make_error_code(std::errc::not_enough_memory)
                                 : make_error_code(errc::bad_argument);
  }
  void end() noexcept {
    if (!at_) return;
    End(at_);
    delete std::exchange(at_, nullptr);
  }
  z_stream* get() const noexcept { return at_; }
  z_stream* operator->() const noexcept { return at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }

 private:
  z_stream* at_ = nullptr;
};

/// Inflates the messages of one peer, or, when contexts are not taken over, of any number of peers
/// one message after the other.
///
/// Flow: `append` for each piece of a message as it comes, `finish` at its end, and then `reset`
/// if the sender takes no context over. An error resets by itself. zlib's memory (about 7 KiB and
/// the window) is taken at the first use and kept until `release`. Growing `out` may throw
/// `std::bad_alloc`.
class inflater {
 public:
  /// `window_bits`: the largest window that the sender uses, 8 to 15. A larger one inflates too.
  /// What a sender refers to beyond its window may inflate or be refused, depending on how its
  /// message was cut; nothing lies beyond 15.
  explicit inflater(int window_bits = 15) noexcept
      // Senders that are told 8 have been seen to use 9: zlib itself once did.
      : window_bits_(window_bits < 9 ? 15 : window_bits) {}

  /// Inflates the next piece of a message and appends the text to `out`, which never grows beyond
  /// `limit` bytes of content, whatever the input; `out` asks for at most 16 KiB more at a time.
  ///
  /// Errors: `errc::message_too_big` beyond `limit`, `errc::bad_deflate_data`,
  /// `std::errc::not_enough_memory`. `out` then holds what came before.
  std::error_code append(bytes_view compressed, byte_buffer& out, std::size_t limit) {
    if (compressed.empty()) return {};
    return guarded_run(compressed, out, limit);
  }

  /// Ends the message: appends what is left of its text. Errors as in `append`; a message that
  /// stops inside a block is `errc::bad_deflate_data`.
  ///
  /// Two deviations of deployed senders are let pass, both without ambiguity: a message of no bytes
  /// at all is empty, and one may end with a final block (BFINAL) alone.
  std::error_code finish(byte_buffer& out, std::size_t limit) {
    if (between_blocks_) return {};
    static constexpr std::array tail{std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};
    if (auto const error = guarded_run(tail, out, limit)) return error;
    // 128: the last block is over and was not a final one, and no bits of another have been read.
    if (stream_->data_type != 128) {
      reset();
      return errc::bad_deflate_data;
    }
    between_blocks_ = true;
    return {};
  }

  /// Forgets context and unfinished message; keeps the memory. Cheap.
  void reset() noexcept {
    if (stream_) ::inflateReset(stream_.get());
    between_blocks_ = true;
  }

  /// `reset`, and gives the memory back.
  void release() noexcept {
    stream_.end();
    between_blocks_ = true;
  }

 private:
  std::error_code open() {
    return stream_.begin([this](z_stream* made) { return ::inflateInit2(made, -window_bits_); });
  }

  /// Leaves no half-read message behind, whatever happens.
  std::error_code guarded_run(bytes_view in, byte_buffer& out, std::size_t limit) {
    try {
      std::error_code const error = run(in, out, limit);
      if (error) reset();
      return error;
    } catch (...) {
      reset();
      throw;
    }
  }

  std::error_code run(bytes_view in, byte_buffer& out, std::size_t limit) {
    static constexpr std::size_t step = 16 * 1024;
    if (!stream_) {
      if (auto const error = open()) return error;
    }
    between_blocks_ = false;
    for (;;) {
      // At the limit, a byte of room elsewhere tells whether there is more text to come.
      std::byte beyond[1];
      bool const full = out.size() >= limit;
      mutable_bytes room(beyond);
      if (!full) {
        std::size_t const most = std::min(step, limit - out.size());
        std::size_t const guess = std::clamp(in.size(), std::size_t{16}, step / 4) * 4;
        room = out.prepare(std::min(most, guess));
        room = room.first(std::min(most, room.size()));
      }
      std::size_t const offered = std::min(in.size(), std::size_t{1} << 30);
      auto const* const next = reinterpret_cast<Bytef const*>(in.data());
      stream_->next_in = const_cast<Bytef*>(next);
      stream_->avail_in = static_cast<uInt>(offered);
      stream_->next_out = reinterpret_cast<Bytef*>(room.data());
      stream_->avail_out = static_cast<uInt>(room.size());
      int const status = ::inflate(stream_.get(), Z_SYNC_FLUSH);
      in = in.subspan(offered - stream_->avail_in);
      std::size_t const produced = room.size() - stream_->avail_out;
      if (!full) {
        out.commit(produced);
      } else if (produced > 0) {
        return errc::message_too_big;
      }
      if (status == Z_STREAM_END) {
        // What follows a final block is a new stream without the old context (7.2.3.4).
        ::inflateReset(stream_.get());
        if (in.empty()) {
          between_blocks_ = true;
          return {};
        }
        continue;
      }
      if (status == Z_MEM_ERROR) return make_error_code(std::errc::not_enough_memory);
      if (status != Z_OK && status != Z_BUF_ERROR) return errc::bad_deflate_data;
      if (in.empty() && stream_->avail_out > 0) return {};
    }
  }

  zlib_stream<::inflateEnd> stream_;
  int window_bits_;
  bool between_blocks_ = true;  // nothing of the current message is unfinished
};

/// Deflates whole messages, for one peer, or, when contexts are not taken over, for all peers whose
/// agreed window is at least this one. zlib's memory is taken at the first use, kept until
/// `release`; no message allocates after the first if `out` has room for it.
class deflater {
 public:
  /// `window_bits` 9 to 15, `level` 1 to 9, `memory_level` 1 to 9, as in `deflate_options`.
  explicit deflater(int window_bits = 15, int level = 3, int memory_level = 5) noexcept
      : window_bits_(window_bits), level_(level), memory_level_(memory_level) {}

  /// Appends to `out` the payload of a compressed message: raw deflate up to a byte boundary,
  /// without the closing 00 00 FF FF (7.2.1). Unless `keep_context`, the next message will not
  /// refer back to this one.
  ///
  /// Errors, with nothing appended: `errc::bad_argument` for an unusable construction,
  /// `std::errc::not_enough_memory`.
  std::error_code compress(bytes_view message, byte_buffer& out, bool keep_context) {
    if (message.empty()) {
      // Flushing without input yields nothing; this is an empty stored block (7.2.3.6).
      out.append(std::array{std::byte{0}});
      if (!keep_context) reset();
      return {};
    }
    if (!stream_) {
      if (auto const error = open()) return error;
    }
    fresh_ = false;
    try {
      run(message, out);
    } catch (...) {  // out of memory half-way: the rest must not surface in another message
      reset();
      throw;
    }
    if (!keep_context) reset();
    return {};
  }

  /// Forgets the context; keeps the memory.
  void reset() noexcept {
    if (!fresh_) ::deflateReset(stream_.get());
    fresh_ = true;
  }

  /// `reset`, and gives the memory back.
  void release() noexcept {
    stream_.end();
    fresh_ = true;
  }

 private:
  std::error_code open() {
    return stream_.begin([this](z_stream* made) {
      return ::deflateInit2(made, level_, Z_DEFLATED, -window_bits_, memory_level_,
                            Z_DEFAULT_STRATEGY);
    });
  }

  void run(bytes_view in, byte_buffer& out) {
    // The last bytes so far are not committed until more follow: at the end they are the flush
    // marker. The room asked for is small, so that what `out` has is used up before it grows.
    std::array<std::byte, 4> tail;
    std::size_t held = 0;
    do {
      mutable_bytes room = out.prepare(held + 64);
      room = room.first(std::min(room.size(), std::size_t{1} << 30));
      std::memcpy(room.data(), tail.data(), held);
      std::size_t const offered = std::min(in.size(), std::size_t{1} << 30);
      auto const* const next = reinterpret_cast<Bytef const*>(in.data());
      stream_->next_in = const_cast<Bytef*>(next);
      stream_->avail_in = static_cast<uInt>(offered);
      stream_->next_out = reinterpret_cast<Bytef*>(room.data() + held);
      stream_->avail_out = static_cast<uInt>(room.size() - held);
      ::deflate(stream_.get(), offered == in.size() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      in = in.subspan(offered - stream_->avail_in);
      std::size_t const have = room.size() - stream_->avail_out;
      held = std::min(have, tail.size());
      out.commit(have - held);
      std::memcpy(tail.data(), room.data() + (have - held), held);
    } while (!in.empty() || stream_->avail_out == 0);
  }

  zlib_stream<::deflateEnd> stream_;
  int window_bits_;
  int level_;
  int memory_level_;
  bool fresh_ = true;
};

}  // namespace ws
}  // namespace hawser::inline HAWSER_ABI

#endif
