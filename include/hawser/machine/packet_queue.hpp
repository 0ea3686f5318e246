// What waits for a polling session's next poll, or for its upgrade to finish: whole packets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/payload.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/core/small_list.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/machine/packet_parser.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// A piece of a packet, as every transport can send it: text is an Engine.IO packet with its type
/// character, e.g. `42["a",1]`, binary is the bare attachment.
struct packet_part {
  message_kind kind = message_kind::text;
  payload bytes;
};

/// Bytes of a part in a polling payload, where an attachment is `b` and its base64.
inline std::size_t polling_size(packet_part const& part) noexcept {
  std::size_t const size = part.bytes.size();
  return part.kind == message_kind::text ? size : 1 + codec::base64_size(size);
}

/// Of all parts, without separators.
inline std::size_t polling_size(std::span<packet_part const> parts) noexcept {
  std::size_t size = 0;
  for (packet_part const& part : parts) size += polling_size(part);
  return size;
}

/// The messages that a packet is sent as by WebSocket.
inline small_list<outgoing, 4> parts_of(encoded_packet const& what, bool compress) {
  small_list<outgoing, 4> parts;
  parts.push_back({what.kind, what.main, compress});
  for (bytes_view const one : what.attachments) {
    parts.push_back({message_kind::binary, one, compress});
  }
  return parts;
}

/// Likewise, of one that was queued.
inline small_list<outgoing, 4> messages_of(std::span<packet_part const> parts,
                                           bool compress = true) {
  small_list<outgoing, 4> messages;
  for (packet_part const& part : parts) {
    messages.push_back({part.kind, part.bytes.view(), compress});
  }
  return messages;
}

/// Copies of them that can be queued.
inline std::vector<packet_part> copies(block_pool& pool, std::span<outgoing const> parts) {
  std::vector<packet_part> made;
  for (outgoing const& part : parts) {
    payload bytes = payload::make(part.data.size(), &pool);
    if (!part.data.empty()) std::memcpy(bytes.data(), part.data.data(), part.data.size());
    made.push_back({part.kind, std::move(bytes)});
  }
  return made;
}

/// The parts of one packet, kept. Most packets have one part, which needs no memory of its own.
/// After a move from it, only good to be assigned to.
class packet_parts {
 public:
  packet_parts() noexcept = default;
  explicit packet_parts(std::span<packet_part const> parts) : count_(parts.size()) {
    if (count_ == 1) {
      one_ = parts.front();
    } else if (count_ > 1) {
      several_ = std::make_unique<packet_part[]>(count_);
      std::copy(parts.begin(), parts.end(), several_.get());
    }
  }
  explicit packet_parts(packet_part only) noexcept : one_(std::move(only)), count_(1) {}

  std::span<packet_part const> view() const noexcept {
    return {count_ > 1 ? several_.get() : &one_, count_};
  }

 private:
  packet_part one_;
  std::unique_ptr<packet_part[]> several_;
  std::size_t count_ = 0;
};

/// A queue of packets, each with its attachments: they are never separated, and dropped or replaced
/// only together. Holds memory only while something is queued. The pools of the payloads have to
/// outlive what is queued.
class packet_queue {
 public:
  packet_queue() noexcept = default;
  packet_queue(packet_queue const&) = delete;
  packet_queue& operator=(packet_queue const&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  /// Whether anything but control packets waits.
  bool holds_messages() const noexcept { return messages_ > 0; }
  /// Packets, and the bytes that they take in a polling payload; control packets don't count.
  backlog queued() const noexcept { return {bytes_, messages_}; }
  /// Whether any of the queued packets allows it.
  bool wants_compression() const noexcept { return compressible_ > 0; }

  /// Bytes of memory besides the payloads; 0 while nothing is queued.
  std::size_t held() const noexcept { return capacity_ * sizeof(entry); }

  /// One packet: its text, then its attachments.
  void push(std::span<packet_part const> parts, bool compress, message_key key = {}) {
    append({packet_parts(parts), key.value_or(0), key ? kind::keyed : kind::plain, compress});
    count_in(at(count_ - 1));
  }

  /// An Engine.IO control packet, i.e. ping, pong, close or noop: never dropped, not a message to
  /// the policy.
  void push_control(payload text) {
    packet_part only{message_kind::text, std::move(text)};
    append({packet_parts(std::move(only)), 0, kind::control, false});
  }

  /// Puts the packet in the place of the queued one with this key; whether it may be compressed
  /// stays as it was. False: there is none.
  bool replace(std::uint64_t key, std::span<packet_part const> parts) {
    for (std::uint32_t i = count_; i-- > 0;) {
      entry& at = this->at(i);
      if (at.what != kind::keyed || at.key != key) continue;
      packet_parts fresh(parts);
      bytes_ -= polling_size(at.parts.view());
      at.parts = std::move(fresh);
      bytes_ += polling_size(at.parts.view());
      return true;
    }
    return false;
  }

  /// Drops the oldest packet that is not a control packet. False: there is none.
  bool drop_oldest() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (at(i).what == kind::control) continue;
      for (std::uint32_t j = i; j > 0; --j) std::swap(at(j), at(j - 1));
      pop_front();
      return true;
    }
    return false;
  }

  /// Appends everything in order as one polling payload, and is empty then. Nothing is written when
  /// nothing is queued, and an empty body is not a payload. With a limit only as many packets leave
  /// as fit into so many bytes, but at least one.
  void write_payload(byte_buffer& body, std::size_t max_size = SIZE_MAX) {
    std::uint32_t fitting = 0;
    std::size_t size = 0;  // with a separator behind each, of which the last is not written
    for (; fitting < count_; ++fitting) {
      auto const parts = at(fitting).parts.view();
      std::size_t const with_next = size + polling_size(parts) + parts.size();
      if (fitting > 0 && with_next - 1 > max_size) break;
      size = with_next;
    }
    body.prepare(size);  // so that it grows once
    eio::payload_writer writer(body);
    for (; fitting > 0; --fitting) {
      entry const taken = pop_front();
      for (packet_part const& part : taken.parts.view()) {
        bytes_view const bytes = part.bytes.view();
        part.kind == message_kind::text ? writer.add_text(as_text(bytes))
                                        : writer.add_binary(bytes);
      }
    }
  }

  /// Hands everything out in order, control packets too (without compression and key), as
  /// `each(std::span<packet_part const> parts, bool compress, message_key key)`, and is empty then.
  /// `each` may call anything here; what it pushes is handed out behind the rest.
  template <class Each>
  void take_all(Each&& each) {
    while (count_ > 0) {
      entry const taken = pop_front();
      message_key const key = taken.what == kind::keyed ? message_key(taken.key) : message_key();
      each(taken.parts.view(), taken.compress, key);
    }
  }

  /// Forgets everything and gives its memory back.
  void clear() noexcept {
    ring_.reset();
    bytes_ = 0;
    capacity_ = first_ = count_ = messages_ = compressible_ = 0;
  }

 private:
  enum class kind : std::uint8_t { plain, keyed, control };
  struct entry {
    packet_parts parts;
    std::uint64_t key = 0;
    kind what = kind::plain;
    bool compress = false;
  };

  entry& at(std::uint32_t index) noexcept { return ring_[(first_ + index) & (capacity_ - 1)]; }

  void append(entry added) {
    if (count_ == capacity_) grow();
    at(count_) = std::move(added);
    ++count_;
  }

  void count_in(entry const& message) noexcept {
    bytes_ += polling_size(message.parts.view());
    ++messages_;
    if (message.compress) ++compressible_;
  }

  entry pop_front() noexcept {
    entry taken = std::exchange(at(0), {});
    first_ = (first_ + 1) & (capacity_ - 1);
    --count_;
    if (taken.what != kind::control) {
      bytes_ -= polling_size(taken.parts.view());
      --messages_;
      if (taken.compress) --compressible_;
    }
    if (count_ == 0) clear();
    return taken;
  }

  void grow() {
    std::uint32_t const wider = capacity_ == 0 ? 4 : capacity_ * 2;
    auto ring = std::make_unique<entry[]>(wider);
    for (std::uint32_t i = 0; i < count_; ++i) ring[i] = std::move(at(i));
    ring_ = std::move(ring);
    capacity_ = wider;
    first_ = 0;
  }

  std::unique_ptr<entry[]> ring_;
  std::size_t bytes_ = 0;  // of messages
  std::uint32_t capacity_ = 0;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t messages_ = 0;
  std::uint32_t compressible_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
