// What travels: messages laid out once in one block that every connection sends from.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/ws/frame.hpp>

#include "options.hpp"
#include "socketio.hpp"

namespace load {

namespace ws = hawser::ws;
using hawser::bytes_view;
using hawser::mutable_bytes;

/// A cycle of `tags` masked frames, twice in a row: any run of up to `tags` frames that begins in
/// the first half is contiguous, so that a batch is one `send`. The first bytes of a payload are
/// its tag, which shows lost, doubled and reordered echoes; events of Socket.IO have theirs in the
/// first number. A bare TCP echo gets the same bytes.
class traffic {
 public:
  traffic(options const& chosen, bool raw)
      : size_(chosen.size),
        raw_(raw),
        deflated_(chosen.deflate && !raw),
        tags_(std::max(chosen.in_flight, size_ > 1024 ? std::size_t{4} : 16)),
        code_(chosen.text ? ws::opcode::text : ws::opcode::binary),
        frame_size_(ws::header_size(size_, ws::role::client) + size_) {
    for (std::size_t tag = 0; chosen.socketio && tag < tags_; ++tag) {
      events_ += socketio::event_packet(chosen.broadcast, tag);
    }
    block_.resize(2 * tags_ * frame_size_);
    std::mt19937 random(std::random_device{}());
    for (std::size_t tag = 0; tag < tags_; ++tag) write_frame(tag, random);
    auto const half = static_cast<std::ptrdiff_t>(tags_ * frame_size_);
    std::copy(block_.begin(), block_.begin() + half, block_.begin() + half);
    echo_head_size_ = ws::write_header(echo_head_.data(), code_, size_);
  }

  std::size_t size() const noexcept { return size_; }
  bool raw() const noexcept { return raw_; }
  /// What comes back is compressed, and only counted.
  bool deflated() const noexcept { return deflated_; }
  bool socketio() const noexcept { return !events_.empty(); }
  ws::opcode code() const noexcept { return code_; }
  std::size_t tags() const noexcept { return tags_; }
  std::size_t frame_size() const noexcept { return frame_size_; }
  std::size_t cycle_size() const noexcept { return tags_ * frame_size_; }
  std::byte const* block() const noexcept { return block_.data(); }

  /// An unfragmented echo begins with these bytes.
  bytes_view echo_head() const noexcept { return {echo_head_.data(), echo_head_size_}; }

  /// With Socket.IO: the packet with this tag.
  std::string_view event(std::size_t tag) const noexcept {
    return {events_.data() + tag * size_, size_};
  }

  /// Whether these bytes, at `position` of the message with this tag, are as sent: an event by
  /// all of them, of the rest a sample.
  bool same(std::size_t tag, std::size_t position, bytes_view part) const noexcept {
    if (socketio()) {
      return std::memcmp(part.data(), event(tag).data() + position, part.size()) == 0;
    }
    std::size_t const last = part.size() - 1;
    return part[0] == expected(tag, position) &&
           part[last / 2] == expected(tag, position + last / 2) &&
           part[last] == expected(tag, position + last);
  }

 private:
  /// The payload byte at `position` of the message with this tag.
  std::byte expected(std::size_t tag, std::size_t position) const noexcept {
    static constexpr char letters[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::size_t const digit = position == 0   ? tag % 62
                              : position == 1 ? tag / 62 % 62
                                              : position % 62;
    return static_cast<std::byte>(letters[digit]);
  }

  void write_frame(std::size_t tag, std::mt19937& random) {
    auto const word = static_cast<std::uint32_t>(random());
    ws::mask_key key;
    std::memcpy(key.data(), &word, key.size());
    std::byte* const frame = block_.data() + tag * frame_size_;
    std::size_t const head = ws::write_header(frame, code_, size_, key);
    if (socketio()) std::memcpy(frame + head, event(tag).data(), size_);
    for (std::size_t i = 0; !socketio() && i < size_; ++i) frame[head + i] = expected(tag, i);
    if (deflated_) write_json({frame + head, size_}, random);
    ws::apply_mask(mutable_bytes{frame + head, size_}, key);
  }

  /// What games say in JSON: the same keys again and again, and numbers that change.
  static void write_json(mutable_bytes to, std::mt19937& random) {
    std::string text = "[";
    while (text.size() + 60 < to.size()) {
      text += R"({"id":)" + std::to_string(random() % 1000) + R"(,"x":)" +
              std::to_string(random() % 100'000) + R"(,"y":)" + std::to_string(random() % 100'000) +
              R"(,"alive":true},)";
    }
    text += R"({"end":")";
    text.resize(std::max(text.size() + 3, to.size()) - 3, ' ');
    text += R"("}])";
    std::memcpy(to.data(), text.data(), to.size());
  }

  std::size_t size_;
  bool raw_;
  bool deflated_;
  std::size_t tags_;
  ws::opcode code_;
  std::size_t frame_size_;
  std::string events_;
  std::vector<std::byte> block_;
  std::array<std::byte, ws::max_header_size> echo_head_{};
  std::size_t echo_head_size_ = 0;
};

}  // namespace load
