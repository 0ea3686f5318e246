// Socket.IO packets between the wire and the server: what a parser takes and gives.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/policy/framing.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a packet carries, not encoded yet: a plain function and a pointer, so that everything
/// behind an emit is compiled once. Written once for each encoding that its recipients need.
///
/// *Semantics*: writes one value. `offset`, unless empty, becomes the last element of the array.
struct payload_source {
  void (*write)(void const* self, value_writer& out, std::string_view offset) = nullptr;
  void const* self = nullptr;
  std::string_view name{};  ///< of an event

  /// Whether peers would take it for an internal event, and drop the connection.
  bool is_reserved() const noexcept { return sio::is_reserved_event(name); }
};

/// A packet on its way out. Types are the plain ones: which are binary is seen when encoding.
struct outgoing_packet {
  sio::packet_type type = sio::packet_type::event;
  std::string_view nsp = "/";
  std::optional<std::uint64_t> id{};
  payload_source payload{};   ///< without a function: no payload
  std::string_view offset{};  ///< of connection state recovery
};

/// A packet as it leaves: one message and the binary ones behind it. Text begins with the type
/// character of Engine.IO. Valid until the next call on the same parser.
struct encoded_packet {
  message_kind kind = message_kind::text;
  bytes_view main{};
  std::span<bytes_view const> attachments{};
};

/// A packet that has come whole; its payload has been validated. Valid until the next call on the
/// same parser. Types are the plain ones.
struct incoming_packet {
  sio::packet_type type = sio::packet_type::event;
  std::string_view nsp = "/";
  std::optional<std::uint64_t> id{};
  value data{};
};

/// What `decode` made of a message.
enum class parse_status : std::uint8_t {
  packet,
  need_more,  ///< attachments are to come
  violation   ///< see `error`
};

/// Turns packets into messages and back. `P::peer` is the state of one session: keep it small.
///
/// *Semantics*: `decode` gets the content of one Engine.IO message, a text in UTF-8 or binary;
/// `padded` says that 64 bytes behind it may be read. After a violation it isn't called again for
/// that peer. Bad input is never an exception. *Models*: `text_parser`, `msgpack_parser`.
template <class P>
concept packet_parser =
    std::constructible_from<P, typename P::options const&> &&
    std::default_initializable<typename P::peer> && std::movable<typename P::peer> &&
    requires(P parser, typename P::peer peer, typename P::peer const waiting, message what,
             bool padded, incoming_packet& in, outgoing_packet const& out) {
      { P::format } -> std::convertible_to<value_format>;
      { parser.decode(peer, what, padded, in) } -> std::same_as<parse_status>;
      { parser.error() } noexcept -> std::same_as<errc>;
      { parser.encode(out) } -> std::same_as<encoded_packet>;
      { waiting.is_waiting() } noexcept -> std::same_as<bool>;
    };

/// What both parsers demand of a peer's packets. Beyond it the session is closed.
struct packet_limits {
  value_limits values{};
  std::size_t max_attachments = 10;
  std::size_t max_attachment_bytes = 1'000'000;  ///< of one packet, its text included
  std::size_t max_event_name = 256;              ///< bytes
};

/// A framing whose messages belong to sessions: `F::parser` reads and writes their packets, by the
/// numbers that `packet_numbers` takes from the framing's own.
/// *Models*: `socketio_framing`, `msgpack_framing`.
template <class F>
concept session_framing_policy = framing_policy<F> && packet_parser<typename F::parser> &&
                                 requires(typename F::options const& numbers) {
                                   {
                                     F::packet_numbers(numbers)
                                   } -> std::same_as<typename F::parser::options>;
                                   { numbers.max_message_size } -> std::convertible_to<std::size_t>;
                                   { numbers.max_packets } -> std::convertible_to<std::size_t>;
                                   {
                                     numbers.attachments_timeout
                                   } -> std::convertible_to<std::chrono::milliseconds>;
                                 };

}  // namespace hawser::inline HAWSER_ABI
