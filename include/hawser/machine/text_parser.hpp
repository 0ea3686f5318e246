// Socket.IO's own encoding: a head, JSON, and binary messages behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/sio/payload.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/view_of.hpp>
#include <hawser/machine/packet_parser.hpp>

namespace hawser::inline HAWSER_ABI {

/// The parser of every Socket.IO client that is told nothing else: `2["move",1,2]`.
class text_parser {
 public:
  using options = packet_limits;
  static constexpr value_format format = value_format::json;

  /// A packet whose attachments are to come.
  class peer {
   public:
    bool is_waiting() const noexcept { return partial_ != nullptr; }

   private:
    friend class text_parser;
    struct partial {
      std::string text;
      std::size_t expected = 0;
      std::size_t bytes = 0;
      std::vector<std::vector<std::byte>> attachments;
    };
    std::unique_ptr<partial> partial_;
  };

  explicit text_parser(options const& limits) : limits_(limits) {}

  errc error() const noexcept { return error_; }

  parse_status decode(peer& of, message const& what, bool padded, incoming_packet& out) {
    if (!what.is_text()) return take_attachment(of, what.data, out);
    if (of.partial_) return fail(errc::bad_attachments);
    sio::packet_head head;
    errc const bad = sio::read_head(what.text(), limits_.max_attachments, head);
    if (bad != errc{}) return fail(bad);
    if (head.attachments > 0) return begin_partial(of, what.text(), head);
    return finish(head, padded, {}, out);
  }

  encoded_packet encode(outgoing_packet const& what) {
    // The head tells how many attachments there are, which is known behind the payload: it is
    // written into the gap before it.
    auto& text = scratch(text_);
    (void)text.prepare(head_gap);
    text.commit(head_gap);
    attachments_.clear();
    if (what.payload.write) {
      value_writer writer(text, format);
      what.payload.write(what.payload.self, writer, what.offset);
      auto const found = writer.attachments();
      if (!found.empty()) attachments_.assign(found.begin(), found.end());
    }
    auto type = what.type;
    if (!attachments_.empty()) {
      type = type == sio::packet_type::ack ? sio::packet_type::binary_ack
                                           : sio::packet_type::binary_event;
    }
    char head[head_gap];
    head[0] = eio::type_character(eio::packet_type::message);
    char const* const end = sio::write_head(
        head + 1, type, static_cast<std::uint32_t>(attachments_.size()), what.nsp, what.id);
    auto const size = static_cast<std::size_t>(end - head);
    std::memcpy(text.data() + head_gap - size, head, size);
    return {message_kind::text, text.view().subspan(head_gap - size), view_of(attachments_)};
  }

 private:
  static constexpr std::size_t max_idle_scratch = 256 * 1024;
  // Type characters, attachments and id of up to 20 digits, the namespace with its comma.
  static constexpr std::size_t head_gap = 2 * sio::max_namespace_size;
  static_assert(head_gap > sio::max_head_size + sio::max_namespace_size);

  // A large packet must not pin its memory for good.
  static byte_buffer& scratch(byte_buffer& used) noexcept {
    used.capacity() > max_idle_scratch ? used.release() : used.clear();
    return used;
  }

  parse_status fail(errc why) noexcept {
    error_ = why;
    return parse_status::violation;
  }

  static sio::packet_type plain(sio::packet_type type) noexcept {
    if (type == sio::packet_type::binary_event) return sio::packet_type::event;
    return type == sio::packet_type::binary_ack ? sio::packet_type::ack : type;
  }

  // Whether it will do is looked at now, so that nothing is kept for a packet that is none.
  parse_status begin_partial(peer& of, std::string_view text, sio::packet_head const& head) {
    std::vector<bytes_view> const announced(head.attachments);
    incoming_packet checked;
    if (finish(head, false, view_of(announced), checked) == parse_status::violation) {
      return parse_status::violation;
    }
    if (text.size() > limits_.max_attachment_bytes) return fail(errc::message_too_big);
    of.partial_ = std::make_unique<peer::partial>();
    of.partial_->text = text;
    of.partial_->expected = head.attachments;
    of.partial_->bytes = text.size();
    return parse_status::need_more;
  }

  parse_status take_attachment(peer& of, bytes_view data, incoming_packet& out) {
    if (!of.partial_) return fail(errc::bad_attachments);
    auto& partial = *of.partial_;
    if (data.size() > limits_.max_attachment_bytes - partial.bytes) {
      of.partial_.reset();
      return fail(errc::message_too_big);
    }
    partial.bytes += data.size();
    partial.attachments.emplace_back(data.begin(), data.end());
    if (partial.attachments.size() < partial.expected) return parse_status::need_more;
    complete_ = std::move(of.partial_);
    std::vector<bytes_view> views;
    views.reserve(complete_->attachments.size());
    for (auto const& one : complete_->attachments) views.push_back(view_of(one));
    sio::packet_head head;
    errc const bad = sio::read_head(complete_->text, limits_.max_attachments, head);
    return bad == errc{} ? finish(head, false, view_of(views), out) : fail(bad);
  }

  parse_status finish(sio::packet_head const& head, bool padded,
                      std::span<bytes_view const> attachments, incoming_packet& out) {
    value data;
    if (!head.data.empty()) {
      errc const bad = sio::is_binary(head.type)
                           ? json_.parse(head.data, attachments, limits_.values, tape_, padded)
                           : json_.parse(head.data, limits_.values, tape_, padded);
      if (bad != errc{}) return fail(bad);
      data = tape_.root();
    }
    errc const bad = sio::check_payload(head.type, data, limits_.max_event_name);
    if (bad != errc{}) return fail(bad);
    out = {plain(head.type), head.nsp, head.id, data};
    return parse_status::packet;
  }

  packet_limits limits_;
  json_parser json_;
  value_tape tape_;
  std::unique_ptr<peer::partial> complete_;  // what the values of the last packet are views of
  byte_buffer text_;
  std::vector<bytes_view> attachments_;
  errc error_{};
};

}  // namespace hawser::inline HAWSER_ABI
