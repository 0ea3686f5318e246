// Raw WebSocket messages, text and binary: RFC 6455 with permessage-deflate (RFC 7692).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include <hawser/codec/utf8.hpp>
#include <hawser/codec/ws/assembly.hpp>
#include <hawser/codec/ws/close_code.hpp>
#include <hawser/codec/ws/extension.hpp>
#include <hawser/codec/ws/frame.hpp>
#include <hawser/codec/ws/message_reader.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/config.hpp>
#include <hawser/policy/framing.hpp>
#if HAWSER_WITH_DEFLATE
#include <hawser/codec/ws/deflate.hpp>
#endif

namespace hawser::inline HAWSER_ABI {

/// The framing of browsers' `WebSocket`. Messages are delivered whole, text is valid UTF-8.
class websocket_framing {
 public:
  static constexpr bool opens_with_http = true;

  struct options {
    /// Bytes of one message, on the wire and after inflating. Over it: 1009.
    std::size_t max_message_size = std::size_t{1} << 20;
    /// Empty frames in one message; frames in all: `max_message_size / 64 + 2`. Over it: 1008.
    std::uint32_t max_empty_fragments = 64;
    ws::deflate_options deflate{};
  };

  /// Scratch memory and compressors of one thread.
  class shared {
   public:
    shared(options const& numbers, random_source random)
        : limits_{numbers.max_message_size, numbers.max_empty_fragments},
          deflate_(numbers.deflate),
          random_(random) {}

    ws::message_limits const& limits() const noexcept { return limits_; }
    ws::deflate_options const& deflate_numbers() const noexcept { return deflate_; }
    ws::assembly_pool& assemblies() noexcept { return assemblies_; }

    /// A fresh masking key (RFC 6455 section 10.3).
    ws::mask_key next_key() {
      if (next_key_ == keys_.size()) {
        random_({keys_.front().data(), sizeof keys_});
        next_key_ = 0;
      }
      return keys_[next_key_++];
    }

    byte_buffer& masked() noexcept { return masked_; }
    byte_buffer& inflated() noexcept { return inflated_; }
    byte_buffer& deflated() noexcept { return deflated_; }

#if HAWSER_WITH_DEFLATE
    ws::inflater& inflater() noexcept { return inflater_; }

    /// The compressor for peers that agreed to this window and take no context over.
    ws::deflater& deflater(int window_bits) {
      auto& slot = deflaters_[static_cast<std::size_t>(window_bits - 9)];
      if (!slot) {
        slot = std::make_unique<ws::deflater>(window_bits, deflate_.level, deflate_.memory_level);
      }
      return *slot;
    }
#endif

    /// A large message must not pin its memory for good.
    static byte_buffer& emptied(byte_buffer& scratch) noexcept {
      scratch.capacity() > max_idle_scratch ? scratch.release() : scratch.clear();
      return scratch;
    }

   private:
    static constexpr std::size_t max_idle_scratch = 256 * 1024;
    ws::message_limits limits_;
    ws::deflate_options deflate_;
    random_source random_;
    ws::assembly_pool assemblies_;
    std::array<ws::mask_key, 64> keys_{};
    std::size_t next_key_ = 64;
    byte_buffer masked_;
    byte_buffer inflated_;
    byte_buffer deflated_;
#if HAWSER_WITH_DEFLATE
    ws::inflater inflater_;
    std::array<std::unique_ptr<ws::deflater>, 7> deflaters_;
#endif
  };

  /// One connection's side of the framing.
  class peer {
   public:
    explicit peer(role self) noexcept : reader_(self) {}

    /// Turns permessage-deflate on, as both sides agreed in the handshake.
    void agree(ws::deflate_agreement const& agreement) {
#if HAWSER_WITH_DEFLATE
      reader_ = ws::message_reader(reader_.self(), true);
      bool const server = reader_.self() == role::server;
      deflate_bits_ = server ? agreement.server_window_bits : agreement.client_window_bits;
      deflate_bits_ = deflate_bits_ < 9 ? std::uint8_t{9} : deflate_bits_;
      bool const keep_mine =
          !(server ? agreement.server_no_context_takeover : agreement.client_no_context_takeover);
      bool const keep_theirs =
          !(server ? agreement.client_no_context_takeover : agreement.server_no_context_takeover);
      if (keep_mine || keep_theirs) contexts_ = std::make_unique<contexts>();
      if (keep_mine) contexts_->keep_mine = true;
      if (keep_theirs) contexts_->keep_theirs = true;
#else
      (void)agreement;
#endif
    }

    // Inlined wherever frames are read, as is what it calls: together they are fifty instructions.
    [[gnu::always_inline]] bool take_plain(mutable_bytes& in, shared& state, role self,
                                           message& out) noexcept {
      ws::frame_event small;
      if (!reader_.take_small(in, state.limits(), self, small)) return false;
      out = {small.text ? message_kind::text : message_kind::binary, small.payload};
      return true;
    }

    framing_event decode(mutable_bytes& in, shared& state) {
      if (in.empty() && reader_.is_idle()) return {};
      return decode_any(in, state);
    }

    [[gnu::always_inline]] std::size_t plain_head(outgoing const& message, std::byte* out,
                                                  shared const& state) noexcept {
      if (compresses(message, state)) return 0;
      return ws::write_short_header(out, opcode_of(message), message.data.size());
    }

    encoded_message encode(outgoing const& message, shared& state) {
      bytes_view body = message.data;
      bool const rsv1 = compresses(message, state) && deflate(body, state);
      auto const code = opcode_of(message);
      encoded_message out;
      if (reader_.self() == role::server) {
        out.head_size = static_cast<std::uint8_t>(
            ws::write_header(out.head.data(), code, body.size(), true, rsv1));
        out.body = body;
        return out;
      }
      auto const key = state.next_key();
      out.head_size = static_cast<std::uint8_t>(
          ws::write_header(out.head.data(), code, body.size(), key, true, rsv1));
      auto& masked = shared::emptied(state.masked());
      masked.append(body);
      ws::apply_mask(masked.mutable_view(), key);
      out.body = masked.view();
      return out;
    }

    std::size_t encode_control(control_kind kind, bytes_view payload, std::byte* out,
                               shared& state) {
      payload = payload.first(std::min(payload.size(), ws::max_control_payload));
      auto const code = kind == control_kind::ping   ? ws::opcode::ping
                        : kind == control_kind::pong ? ws::opcode::pong
                                                     : ws::opcode::close;
      bool const masks = reader_.self() == role::client;
      auto const key = masks ? state.next_key() : ws::mask_key{};
      std::size_t const head = masks ? ws::write_header(out, code, payload.size(), key)
                                     : ws::write_header(out, code, payload.size());
      if (!payload.empty()) std::memcpy(out + head, payload.data(), payload.size());
      if (masks) ws::apply_mask({out + head, payload.size()}, key);
      return head + payload.size();
    }

    [[gnu::always_inline]] unsigned variant(outgoing const& message,
                                            shared const& state) const noexcept {
      if (reader_.self() == role::client) return private_variant;  // every frame has its own mask
      if (!compresses(message, state)) return 0;
      return keeps_mine() ? private_variant : deflate_bits_;
    }

    unfinished_message unfinished() const noexcept {
      return {reader_.unfinished(), reader_.held()};
    }

    void release(shared& state) noexcept { reader_.release(state.assemblies()); }

   private:
    static ws::opcode opcode_of(outgoing const& message) noexcept {
      return message.kind == message_kind::text ? ws::opcode::text : ws::opcode::binary;
    }

    // Out of line: what `take_plain` leaves over for it is rare.
    [[gnu::noinline]] framing_event decode_any(mutable_bytes& in, shared& state) {
      using type = ws::frame_event::type;
      auto const event = reader_.next(in, state.limits(), state.assemblies());
      switch (event.what) {
        case type::binary: return {.what = framing_event::type::message, .payload = event.payload};
        case type::text:
          return {.what = framing_event::type::message,
                  .kind = message_kind::text,
                  .payload = event.payload};
        case type::need_more: return {};
        case type::deflated: return inflate(event, state);
        case type::ping: return {.what = framing_event::type::ping, .payload = event.payload};
        case type::pong: return {.what = framing_event::type::pong, .payload = event.payload};
        case type::close: {
          auto const body = ws::read_close(event.payload);
          if (body.error != errc{}) return violation(body.error);
          return {.what = framing_event::type::close,
                  .code = body.code,
                  .payload = as_bytes(body.reason)};
        }
        case type::violation: return violation(event.error);
      }
      return {};
    }

    static framing_event violation(errc error) noexcept {
      return {.what = framing_event::type::violation,
              .code = ws::close_code_for(error),
              .error = error};
    }

    bool compresses(outgoing const& message, shared const& state) const noexcept {
      return deflate_bits_ != 0 && message.compress &&
             message.data.size() >= state.deflate_numbers().threshold;
    }

#if HAWSER_WITH_DEFLATE
    // Contexts that outlive a message, for peers that agreed to them.
    struct contexts {
      ws::inflater inflater;
      std::unique_ptr<ws::deflater> deflater;
      bool keep_mine = false;
      bool keep_theirs = false;
    };
    bool keeps_mine() const noexcept { return contexts_ && contexts_->keep_mine; }

    framing_event inflate(ws::frame_event const& event, shared& state) {
      bool const keep = contexts_ && contexts_->keep_theirs;
      auto& inflater = keep ? contexts_->inflater : state.inflater();
      auto& out = shared::emptied(state.inflated());
      std::size_t const limit = state.limits().max_message_size;
      auto error = inflater.append(event.payload, out, limit);
      if (!error) error = inflater.finish(out, limit);
      if (!keep) inflater.reset();
      if (error) {
        return violation(error == errc::message_too_big ? errc::message_too_big
                                                        : errc::bad_deflate_data);
      }
      if (event.text && !codec::is_utf8(out.view())) return violation(errc::invalid_utf8);
      return {.what = framing_event::type::message,
              .kind = event.text ? message_kind::text : message_kind::binary,
              .payload = out.view()};
    }

    bool deflate(bytes_view& body, shared& state) {
      auto& out = shared::emptied(state.deflated());
      bool const keep = keeps_mine();
      if (keep && !contexts_->deflater) {
        contexts_->deflater = std::make_unique<ws::deflater>(
            deflate_bits_, state.deflate_numbers().level, state.deflate_numbers().memory_level);
      }
      auto& deflater = keep ? *contexts_->deflater : state.deflater(deflate_bits_);
      if (deflater.compress(body, out, keep)) return false;
      // Without a context to keep in step, what doesn't shrink goes as it is.
      if (!keep && out.size() >= body.size()) return false;
      body = out.view();
      return true;
    }

    std::unique_ptr<contexts> contexts_;
#else
    bool keeps_mine() const noexcept { return false; }
    framing_event inflate(ws::frame_event const&, shared&) {
      return violation(errc::reserved_bits);
    }
    bool deflate(bytes_view&, shared&) { return false; }
#endif

    [[no_unique_address]] ws::message_reader reader_;
    std::uint8_t deflate_bits_ = 0;  // window of this side's compressor; 0: no deflate
  };
};

static_assert(framing_policy<websocket_framing>);

}  // namespace hawser::inline HAWSER_ABI
