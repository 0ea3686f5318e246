// Socket.IO as a framing: WebSocket messages (or polling) below, a packet parser above.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <hawser/codec/ws/extension.hpp>
#include <hawser/machine/msgpack_parser.hpp>
#include <hawser/machine/packet_parser.hpp>
#include <hawser/machine/text_parser.hpp>
#include <hawser/policy/websocket_framing.hpp>

namespace hawser::inline HAWSER_ABI {

/// Engine.IO 4 and Socket.IO 5, with packets read and written by `Parser`. On a WebSocket the
/// frames are those of `websocket_framing`.
template <packet_parser Parser>
class basic_socketio_framing {
 public:
  static constexpr bool opens_with_http = true;
  using parser = Parser;
  using peer = websocket_framing::peer;

  struct options {
    /// Bytes of one message or polling body; the client is told. Over it: 1009, or 413.
    std::size_t max_message_size = 1'000'000;
    std::uint32_t max_empty_fragments = 64;  ///< in one message. Over it: 1008
    ws::deflate_options deflate{};
    value_limits values{};             ///< of what a packet carries. Over them the session closes
    std::size_t max_attachments = 10;  ///< binary values of one packet
    std::size_t max_event_name = 256;  ///< bytes
    std::size_t max_packets = 10'000;  ///< in one polling body
    std::chrono::milliseconds attachments_timeout{10'000};  ///< for all of one packet
  };

  class shared : public websocket_framing::shared {
   public:
    shared(options const& numbers, random_source random)
        : websocket_framing::shared(
              {numbers.max_message_size, numbers.max_empty_fragments, numbers.deflate}, random) {}
  };

  static packet_limits packet_numbers(options const& numbers) noexcept {
    return {numbers.values, numbers.max_attachments, numbers.max_message_size,
            numbers.max_event_name};
  }
};

/// What every official client speaks.
struct socketio_framing : basic_socketio_framing<text_parser> {};

/// For clients with `socket.io-msgpack-parser`: all of them, as a server has one parser.
struct msgpack_framing : basic_socketio_framing<msgpack_parser> {};

}  // namespace hawser::inline HAWSER_ABI
