// Framing: how messages become bytes on a connection, and bytes messages.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/codec/ws/frame.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/random.hpp>

namespace hawser::inline HAWSER_ABI {

using ws::role;

/// A message on its way out.
struct outgoing {
  message_kind kind = message_kind::binary;
  bytes_view data{};
  bool compress = true;  ///< false keeps it uncompressed whatever was agreed
  bool at_once = false;  ///< to one peer: leaves with what is queued before the next flush
};

/// An encoded message: a head, and a body that is the message itself or lies in the shared state.
/// Valid until the next call on the same shared state.
struct encoded_message {
  std::array<std::byte, ws::max_header_size> head;
  std::uint8_t head_size = 0;
  bytes_view body{};

  std::size_t size() const noexcept { return head_size + body.size(); }
  bytes_view head_view() const noexcept { return {head.data(), head_size}; }
};

enum class control_kind : std::uint8_t { ping, pong, close };

/// Bytes that an encoded control message may have.
inline constexpr std::size_t max_control_size = ws::max_header_size + ws::max_control_payload;

/// Up to so many bytes a message is sent in the fewest steps there are.
inline constexpr std::size_t max_short_message = 125;

/// What came out of the received bytes. Payloads are valid until the next call of `decode`.
struct framing_event {
  enum class type : std::uint8_t { need_more, message, ping, pong, close, violation };
  type what = type::need_more;
  message_kind kind = message_kind::binary;
  close_code code = close_code::no_status;  ///< of `close`, and what answers a `violation`
  errc error{};                             ///< of `violation`
  bytes_view payload{};                     ///< of a message, ping or pong; a close's reason
};

/// A message that has begun and not ended.
struct unfinished_message {
  bool exists = false;
  std::size_t held = 0;  ///< bytes kept for it
};

/// Turns messages into bytes and back. `F::options` are its numbers, `F::shared` the state that
/// all connections of a thread share (scratch memory, pools), `F::peer` that of one connection:
/// keep it small.
///
/// *Semantics*: `decode` advances `in` past what it used, may rewrite those bytes, never fails by
/// exception on bad input, and answers `violation` for ever after the first one. `encode` gives a
/// message in one piece. `encode_control` writes at most `max_control_size` bytes, or none if the
/// framing knows no such thing. Two peers with the same `variant` for a message encode it to the
/// same bytes; `private_variant` means that nobody else's will do. `opens_with_http` says that a
/// connection begins with a WebSocket upgrade; without it messages flow from the first byte.
///
/// A peer may do what is most frequent in fewer steps: `take_plain(in, shared, self, out)`, asked
/// before `decode`, takes one whole message, or changes nothing and answers false (`self` is its
/// role, as a constant); `plain_head(message, out, shared)`, of a server's peer and a message of up
/// to `max_short_message` bytes, writes the head, at most `max_header_size` bytes, of one that goes
/// out as it is behind that, or answers 0.
/// *Exemplar*: the `line_framing` of examples/custom_policy.cpp. *Models*: `websocket_framing`.
template <class F>
concept framing_policy =
    requires {
      { F::opens_with_http } -> std::convertible_to<bool>;
    } && std::constructible_from<typename F::shared, typename F::options const&, random_source> &&
    std::constructible_from<typename F::peer, role> &&
    requires(typename F::peer p, typename F::peer const c, typename F::shared s, mutable_bytes& in,
             outgoing const& m, control_kind kind, bytes_view payload, std::byte* out) {
      { p.decode(in, s) } -> std::same_as<framing_event>;
      { p.encode(m, s) } -> std::same_as<encoded_message>;
      { p.encode_control(kind, payload, out, s) } -> std::same_as<std::size_t>;
      { c.variant(m, s) } noexcept -> std::same_as<unsigned>;
      { c.unfinished() } noexcept -> std::same_as<unfinished_message>;
      { p.release(s) } noexcept -> std::same_as<void>;
    };

/// What `variant` answers when a peer's encoding depends on what was sent to it before.
inline constexpr unsigned private_variant = ~0u;

}  // namespace hawser::inline HAWSER_ABI
