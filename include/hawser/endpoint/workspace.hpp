// The memory that all connections of one server or client share.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/core/payload_run.hpp>
#include <hawser/core/random.hpp>
#include <hawser/policy/framing.hpp>

namespace hawser::inline HAWSER_ABI {

/// One receive buffer, one send buffer, one pool, and the framing's shared state: an idle
/// connection holds none of them. The buffers are taken at the first use.
template <class Framing>
class workspace {
 public:
  struct sizes {
    std::size_t receive_buffer = 64 * 1024;
    std::size_t send_buffer = 64 * 1024;
  };

  workspace(sizes const& wanted, typename Framing::options const& framing, random_source random)
      : sizes_(wanted), max_corked_(wanted.send_buffer / 4), framing_(framing, random) {}

  /// Where reads go. Behind it lie 64 bytes that parsers may read past the end.
  mutable_bytes receive_buffer() {
    if (!receive_) receive_.reset(new std::byte[sizes_.receive_buffer + padding]);
    return {receive_.get(), sizes_.receive_buffer};
  }

  block_pool& blocks() noexcept { return blocks_; }
  typename Framing::shared& framing() noexcept { return framing_; }

  /// Where the connection that is being read from gathers what it says meanwhile: it leaves in one
  /// write. To be opened before anything is corked.
  void open_cork() {
    if (!cork_) [[unlikely]]
      cork_.reset(new std::byte[sizes_.send_buffer]);
  }
  bytes_view corked() const noexcept { return {cork_.get(), cork_used_}; }
  void uncork() noexcept { cork_used_ = 0; }

  /// Only small messages are gathered: large ones go out from where they are.
  bool fits_cork(std::size_t size) const noexcept {
    return size <= max_corked_ && cork_used_ + size <= sizes_.send_buffer;
  }

  /// Precondition: `fits_cork(bytes.size())`.
  void cork(bytes_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(cork_.get() + cork_used_, bytes.data(), bytes.size());
    cork_used_ += bytes.size();
  }

  /// Where the head of a short message can be written; null when there is no room for both.
  [[gnu::always_inline]] std::byte* short_head() noexcept {
    constexpr std::size_t wanted = ws::max_header_size + max_short_message;
    return cork_used_ + wanted > sizes_.send_buffer ? nullptr : cork_.get() + cork_used_;
  }
  /// Corks the `head` bytes written there, and `body` behind them.
  [[gnu::always_inline]] void cork_short(std::size_t head, bytes_view body) noexcept {
    copy_short(cork_.get() + cork_used_ + head, body);
    cork_used_ += head + body.size();
  }

  /// Where the pieces of one write are listed.
  std::span<bytes_view> views() noexcept { return views_; }

  /// Frames of messages that belong together and leave as one, put here behind each other.
  byte_buffer& group() noexcept {
    constexpr std::size_t max_idle = 256 * 1024;  // a large packet must not pin its memory
    group_.capacity() > max_idle ? group_.release() : group_.clear();
    return group_;
  }

  /// A copy of one or two pieces that can be queued.
  payload pack(bytes_view head, bytes_view body = {}) {
    payload packed = payload::make(head.size() + body.size(), &blocks_);
    if (!head.empty()) std::memcpy(packed.data(), head.data(), head.size());
    if (!body.empty()) std::memcpy(packed.data() + head.size(), body.data(), body.size());
    return packed;
  }

  /// The same for what many get: `run` is 0 or 1, since what some get plain and others compressed
  /// would not lie behind each other for any of them.
  payload_slice share(std::size_t run, bytes_view head, bytes_view body = {}) {
    std::size_t const size = head.size() + body.size();
    if (size > payload_run::max_message || size == 0) return pack(head, body);
    return runs_[run].append(head, body, blocks_);
  }

 private:
  static constexpr std::size_t padding = 64;

  // Without a call, which would cost more than the bytes do: from both ends, which may overlap.
  [[gnu::always_inline]] static void copy_short(std::byte* to, bytes_view from) noexcept {
    if (from.size() > 64) return copy_ends<64>(to, from);
    if (from.size() > 32) return copy_ends<32>(to, from);
    if (from.size() >= 16) return copy_ends<16>(to, from);
    if (from.size() >= 8) return copy_ends<8>(to, from);
    if (from.size() >= 4) return copy_ends<4>(to, from);
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i];
  }
  template <std::size_t Size>
  [[gnu::always_inline]] static void copy_ends(std::byte* to, bytes_view from) noexcept {
    std::memcpy(to, from.data(), Size);
    std::memcpy(to + from.size() - Size, from.data() + from.size() - Size, Size);
  }

  sizes sizes_;
  std::size_t max_corked_;
  block_pool blocks_;  // outlives the framing's state and everything queued
  std::unique_ptr<std::byte[]> receive_;
  std::unique_ptr<std::byte[]> cork_;
  std::size_t cork_used_ = 0;
  std::array<bytes_view, 64> views_;  // here, since filling it with nothing costs more than a write
  byte_buffer group_;
  std::array<payload_run, 2> runs_;
  typename Framing::shared framing_;
};

}  // namespace hawser::inline HAWSER_ABI
