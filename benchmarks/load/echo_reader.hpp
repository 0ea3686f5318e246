// Counts and samples echoed messages in a byte stream, with as little work as possible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "traffic.hpp"

namespace load {

/// The receiving half of one connection. Checks order (by tag), length, and a sample of bytes.
class echo_reader {
 public:
  /// Returns how many messages were finished by these bytes. Look at `failure` afterwards.
  std::size_t read(traffic const& plan, bytes_view in) {
    return plan.raw() ? read_raw(plan, in) : read_frames(plan, in);
  }

  char const* failure = nullptr;     ///< what was wrong, once something was
  bool ping_arrived = false;         ///< the latest one's payload is in `control()`
  bool close_arrived = false;        ///< code and reason are in `control()`
  bool engine_ping_arrived = false;  ///< Engine.IO's, which asks for the packet `3`

  bytes_view control() const noexcept { return {control_.data(), control_size_}; }

 private:
  std::size_t read_raw(traffic const& plan, bytes_view in) {
    std::size_t const frame = plan.frame_size();
    std::byte const* const expected = plan.block() + next_tag_ * frame + message_at_;
    std::size_t const sample = in.size() < 8 ? in.size() : 8;
    if (in.size() <= plan.cycle_size() && std::memcmp(in.data(), expected, sample) != 0) {
      failure = "an echo differs from what was sent";
      return 0;
    }
    std::size_t const reached = message_at_ + in.size();
    std::size_t const messages = reached / frame;
    message_at_ = reached % frame;
    next_tag_ = (next_tag_ + messages) % plan.tags();
    return messages;
  }

  std::size_t read_frames(traffic const& plan, bytes_view in) {
    bytes_view const head = plan.echo_head();
    std::size_t const whole = head.size() + plan.size();
    std::size_t messages = 0;
    while (!in.empty() && !failure) {
      if (!plan.deflated() && !inside_frame_ && !inside_message_ && spill_size_ == 0 &&
          in.size() >= whole && std::memcmp(in.data(), head.data(), head.size()) == 0) {
        check_message(plan, in.data() + head.size());
        in = in.subspan(whole);
        ++messages;
      } else if (!inside_frame_) {
        in = in.subspan(read_head(plan, in));
        if (inside_frame_ && frame_left_ == 0) messages += end_frame(plan);
      } else {
        in = in.subspan(read_payload(plan, in));
        if (frame_left_ == 0) messages += end_frame(plan);
      }
    }
    return messages;
  }

  void check_message(traffic const& plan, std::byte const* payload) noexcept {
    if (!plan.same(next_tag_, 0, {payload, plan.size()})) {
      failure = "an echo differs from what was sent";
    }
    advance_tag(plan);
  }

  std::size_t read_head(traffic const& plan, bytes_view in) noexcept {
    std::size_t const had = spill_size_;
    std::size_t const taken = std::min(spill_.size() - had, in.size());
    std::memcpy(spill_.data() + had, in.data(), taken);
    auto const reading =
        ws::read_header({spill_.data(), had + taken}, ws::role::client, plan.deflated(), frame_);
    if (reading.error != hawser::errc{}) {
      failure = hawser::describe(reading.error);
      return 0;
    }
    if (reading.size == 0) {
      spill_size_ = had + taken;
      return taken;
    }
    spill_size_ = 0;
    inside_frame_ = true;
    frame_left_ = frame_.length;
    if (ws::is_control(frame_.code)) {
      control_size_ = 0;
    } else if (inside_message_ != (frame_.code == ws::opcode::continuation)) {
      failure = "a data frame out of order";
    } else if (!inside_message_ && frame_.code != plan.code()) {
      failure = "an echo of the other kind: text for binary, or binary for text";
    } else if (plan.socketio() && !inside_message_ && frame_.fin && frame_.length == 1) {
      inside_packet_ = true;
    } else if (plan.deflated()) {
      inside_message_ = true;
    } else if (frame_.length > plan.size() - message_at_) {
      failure = "an echo longer than what was sent";
    } else {
      inside_message_ = true;
    }
    return reading.size - had;
  }

  std::size_t read_payload(traffic const& plan, bytes_view in) noexcept {
    std::size_t const taken =
        frame_left_ < in.size() ? static_cast<std::size_t>(frame_left_) : in.size();
    if (ws::is_control(frame_.code)) {
      std::memcpy(control_.data() + control_size_, in.data(), taken);
      control_size_ += taken;
    } else if (inside_packet_) {
      engine_ping_arrived = in[0] == std::byte{'2'};
      if (!engine_ping_arrived) failure = "an Engine.IO packet other than a ping";
    } else if (!plan.deflated()) {
      if (!plan.same(next_tag_, message_at_, in.subspan(0, taken))) {
        failure = "an echo differs from what was sent";
      }
      message_at_ += taken;
    }
    frame_left_ -= taken;
    return taken;
  }

  /// 1 when the frame finished a message.
  std::size_t end_frame(traffic const& plan) noexcept {
    inside_frame_ = false;
    if (ws::is_control(frame_.code)) {
      if (frame_.code == ws::opcode::ping) ping_arrived = true;
      if (frame_.code == ws::opcode::close) close_arrived = true;
      return 0;
    }
    if (inside_packet_) inside_packet_ = frame_.fin = false;
    if (!frame_.fin) return 0;
    if (!plan.deflated() && message_at_ != plan.size())
      failure = "an echo shorter than what was sent";
    inside_message_ = false;
    message_at_ = 0;
    advance_tag(plan);
    return 1;
  }

  void advance_tag(traffic const& plan) noexcept {
    if (++next_tag_ == plan.tags()) next_tag_ = 0;
  }

  ws::frame_header frame_{};
  std::uint64_t frame_left_ = 0;
  std::size_t message_at_ = 0;  // payload bytes of the current message so far; raw: frame bytes
  std::size_t next_tag_ = 0;
  std::size_t spill_size_ = 0;
  std::size_t control_size_ = 0;
  bool inside_frame_ = false;
  bool inside_message_ = false;
  bool inside_packet_ = false;  // of Engine.IO, without an event in it
  std::array<std::byte, ws::max_header_size> spill_{};
  std::array<std::byte, ws::max_control_payload> control_{};
};

}  // namespace load
