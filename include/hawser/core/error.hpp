// Every error that hawser reports: one enumeration, one category, a few conditions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What went wrong. Zero is success and never appears here. Compare with `==` against a
/// `condition` to ask for the consequence instead of the cause.
enum class errc {
  // -- the peer broke RFC 6455 or RFC 7692: the connection is closed, nothing more is delivered --
  reserved_bits = 1,        ///< RSV1-3 set without an extension that gives them a meaning (1002)
  reserved_opcode,          ///< opcode 3-7 or 11-15 (1002)
  frame_not_masked,         ///< a client sent an unmasked frame (1002)
  frame_masked,             ///< a server sent a masked frame (1002)
  length_not_minimal,       ///< a length in more bytes than it needs (1002)
  length_overflow,          ///< a 64-bit length with its highest bit set (1002)
  control_fragmented,       ///< a control frame without FIN (1002)
  control_too_long,         ///< a control frame of more than 125 bytes (1002)
  unexpected_continuation,  ///< a continuation frame with nothing to continue (1002)
  continuation_expected,    ///< a data frame inside an unfinished message (1002)
  bad_close_payload,        ///< a Close body of one byte (1002)
  bad_close_code,           ///< a close code that may not appear on the wire (1002)
  invalid_utf8,             ///< text or a close reason that is not UTF-8 (1007)
  bad_deflate_data,         ///< a compressed message that does not inflate (1007)

  // -- the peer broke Engine.IO 4 or Socket.IO 5: its session is closed, nothing more delivered --
  bad_engine_packet,     ///< an empty Engine.IO packet, or one of an unknown type
  bad_base64,            ///< a binary packet in a polling payload that isn't strict base64
  unexpected_packet,     ///< a packet that has no place here: a ping from a client, a second probe
  bad_packet,            ///< a Socket.IO packet against the grammar, or with the wrong payload
  bad_event_name,        ///< an event without a name, or with a reserved or too long one
  bad_attachments,       ///< binary where none is due, text instead of it, or a bad placeholder
  bad_json,              ///< not JSON (RFC 8259), or a lone surrogate in it
  bad_msgpack,           ///< not MessagePack, or an extension that has no meaning here
  namespace_not_joined,  ///< a packet for a namespace that isn't connected, or CONNECT twice

  // -- a limit was reached: the option of the same name is the remedy --
  message_too_big = 40,     ///< `max_message_size` (1009)
  too_many_fragments,       ///< `max_fragments` or `max_empty_fragments` (1008)
  message_timeout,          ///< an unfinished message made too little progress (1008)
  partial_budget_exceeded,  ///< `partial_message_budget` of the whole server (1013)
  control_flood,            ///< `control_rate` (1008)
  message_flood,            ///< `message_rate` or `byte_rate` (1008)
  head_too_large,           ///< HTTP head over `max_head_size` (431)
  too_many_fields,          ///< HTTP head over `max_header_count` (431)
  field_too_large,          ///< one header over `max_field_size` (431)
  uri_too_long,             ///< request target over `max_uri_size` (414)
  body_too_large,           ///< request body over `max_body_size` (413)
  too_many_early_bytes,     ///< more bytes behind an upgrade than `max_early_bytes` (400)
  send_queue_full,          ///< the backpressure policy gave the peer up (1013)
  mailbox_full,             ///< `mailbox_limit`: try again after the server's thread caught up
  too_many_connections,     ///< `max_connections` (503)
  too_many_rooms,           ///< `max_rooms_per_member` or `max_room_name`
  too_many_packets,         ///< a polling payload of more than `max_packets`
  too_deep,                 ///< arguments nested deeper than `max_depth`
  too_many_values,          ///< arguments of more than `max_values` values
  number_too_long,          ///< a number of more than `max_number` characters
  too_many_attachments,     ///< more binary values in a packet than `max_attachments`
  attachments_timeout,      ///< announced attachments did not come in `attachments_timeout`
  too_many_namespaces,      ///< `max_namespaces` of one session
  too_many_acks,            ///< `max_acks` of one socket wait already
  unknown_acks,             ///< too many acknowledgements that nobody had asked for
  offline_queue_full,       ///< `max_messages` or `max_bytes` of the offline queue: not taken
  offline_overflow,         ///< dropped from the offline queue: newer messages needed the place
  offline_expired,          ///< dropped from the offline queue: older than `max_age`
  offline_replaced,         ///< dropped from the offline queue: a newer message has its key

  // -- the opening handshake failed: no connection came to be --
  bad_request_line = 80,     ///< not METHOD SP target SP HTTP/1.1 (400)
  bad_status_line,           ///< not HTTP/1.1 SP 3DIGIT SP reason
  bad_field,                 ///< a malformed header line, a control byte, a bare CR or LF (400)
  bad_host,                  ///< Host missing, doubled, empty or not matching the target (400)
  bad_content_length,        ///< malformed, doubled or contradicting Content-Length (400)
  bad_transfer_encoding,     ///< anything but exactly `chunked`, or beside Content-Length (400)
  bad_chunk,                 ///< malformed chunk, extension or trailer (400)
  bad_target,                ///< a request target in a form that is not served (400)
  unsupported_http_version,  ///< not HTTP/1.1 where it is needed (400 or 505)
  not_an_upgrade,            ///< no websocket upgrade was asked for (426)
  bad_websocket_version,     ///< Sec-WebSocket-Version other than 13 (426)
  bad_websocket_key,         ///< Sec-WebSocket-Key missing, doubled or not 16 bytes (400)
  bad_websocket_accept,      ///< Sec-WebSocket-Accept missing or wrong
  bad_subprotocol,           ///< malformed offer (400), or an answer that was not offered
  bad_extension,             ///< malformed offer (400), or an answer that was not offered
  unexpected_status,         ///< the server answered something else than 101
  refused,                   ///< the accept step, or the origin rule, said no (403)
  handshake_timeout,         ///< `head_timeout`, `tls_handshake_timeout` or `connect_timeout`
  bad_url,                   ///< not ws://, wss://, http:// or https:// with a host
  no_tls,                    ///< wss:// or a certificate in a build or a transport without TLS
  bad_certificate,           ///< a certificate, key or CA file that can't be used
  bad_open_packet,           ///< an Engine.IO server that opens a session with something else
  connect_refused,           ///< the server said no to a namespace: connect again by hand
  proxy_refused,             ///< the proxy said no, or spoke something else
  proxy_auth_required,       ///< the proxy wants credentials, or other ones
  pin_mismatch,              ///< the server's key is none of those that were pinned
  redirect_refused,          ///< the server sent the client elsewhere, which isn't followed

  // -- the peer is gone: 1006 on this side --
  end_of_stream = 140,  ///< FIN without a Close frame
  stream_truncated,     ///< TLS ended without close_notify
  heartbeat_timeout,    ///< nothing came back in time
  write_stalled,        ///< `write_stall_timeout` without a byte taken
  close_timeout,        ///< `close_timeout`: the peer never answered the Close frame
  ack_timeout,          ///< no acknowledgement came in time
  disconnected,         ///< the socket went before it acknowledged

  // -- the caller: nothing was sent --
  not_open = 180,           ///< the connection is closed, closing, or not open yet
  bad_argument,             ///< a close code or reason that may not be sent, an unusable option
  nested_poll,              ///< `poll()` from inside a handler
  already_connected,        ///< `async_connect` on a client that has a connection
  dropped,                  ///< the backpressure policy dropped this message
  address_in_use_by_other,  ///< a unix path that exists and is not a dead socket
  argument_mismatch,        ///< arguments that don't fit the parameter types of a handler or an ack
  forbidden,                ///< a guard said no
  journal_corrupt,          ///< a file that is no journal, or a damaged one that can't be replaced
  journal_locked,           ///< the journal is in use by another queue
  journal_io                ///< the journal can't be opened, read or written
};

/// Groups of `errc` by consequence, to compare an `error_code` with.
enum class condition {
  protocol_violation = 1,  ///< the peer's bytes broke a protocol: report it, don't retry blindly
  limit_reached,           ///< a configured limit: retry later, or raise the option
  handshake_failed,        ///< no connection came to be: check URL, credentials, certificate
  peer_gone,               ///< the connection ended without a Close frame: reconnecting is sound
  misuse                   ///< the call could not be carried out; nothing was sent
};

/// The sentence behind `std::error_code::message`.
inline char const* describe(errc code) noexcept {
  switch (code) {
    case errc::reserved_bits: return "reserved bits set in a frame";
    case errc::reserved_opcode: return "reserved opcode";
    case errc::frame_not_masked: return "client frame is not masked";
    case errc::frame_masked: return "server frame is masked";
    case errc::length_not_minimal: return "frame length not in its shortest form";
    case errc::length_overflow: return "frame length over 2^63";
    case errc::control_fragmented: return "fragmented control frame";
    case errc::control_too_long: return "control frame over 125 bytes";
    case errc::unexpected_continuation: return "continuation frame without a message";
    case errc::continuation_expected: return "data frame inside an unfinished message";
    case errc::bad_close_payload: return "close frame with a one-byte body";
    case errc::bad_close_code: return "close code not allowed on the wire";
    case errc::invalid_utf8: return "text is not valid UTF-8";
    case errc::bad_deflate_data: return "compressed message does not inflate";
    case errc::bad_engine_packet: return "malformed Engine.IO packet";
    case errc::bad_base64: return "malformed base64";
    case errc::unexpected_packet: return "packet out of place";
    case errc::bad_packet: return "malformed Socket.IO packet";
    case errc::bad_event_name: return "event name missing, reserved or too long";
    case errc::bad_attachments: return "binary attachments do not match their packet";
    case errc::bad_json: return "malformed JSON";
    case errc::bad_msgpack: return "malformed MessagePack";
    case errc::namespace_not_joined: return "packet for a namespace that is not connected";
    case errc::message_too_big: return "message over max_message_size";
    case errc::too_many_fragments: return "message in too many fragments";
    case errc::message_timeout: return "unfinished message timed out";
    case errc::partial_budget_exceeded: return "unfinished messages over partial_message_budget";
    case errc::control_flood: return "too many control frames";
    case errc::message_flood: return "message or byte rate exceeded";
    case errc::head_too_large: return "HTTP head over max_head_size";
    case errc::too_many_fields: return "more header fields than max_header_count";
    case errc::field_too_large: return "header field over max_field_size";
    case errc::uri_too_long: return "request target over max_uri_size";
    case errc::body_too_large: return "request body over max_body_size";
    case errc::too_many_early_bytes: return "too many bytes before the upgrade was answered";
    case errc::send_queue_full: return "send queue full";
    case errc::mailbox_full: return "mailbox full";
    case errc::too_many_connections: return "too many connections";
    case errc::too_many_rooms: return "too many rooms, or a room name that is too long";
    case errc::too_many_packets: return "polling payload of more than max_packets packets";
    case errc::too_deep: return "values nested deeper than max_depth";
    case errc::too_many_values: return "more values than max_values";
    case errc::number_too_long: return "number of more than max_number characters";
    case errc::too_many_attachments: return "more attachments than max_attachments";
    case errc::attachments_timeout: return "announced attachments did not come in time";
    case errc::too_many_namespaces: return "more namespaces than max_namespaces";
    case errc::too_many_acks: return "more acknowledgements awaited than max_acks";
    case errc::unknown_acks: return "too many acknowledgements that nobody asked for";
    case errc::offline_queue_full: return "offline queue full";
    case errc::offline_overflow: return "message dropped from a full offline queue";
    case errc::offline_expired: return "message expired in the offline queue";
    case errc::offline_replaced: return "message replaced in the offline queue by a newer one";
    case errc::bad_request_line: return "malformed request line";
    case errc::bad_status_line: return "malformed status line";
    case errc::bad_field: return "malformed header field";
    case errc::bad_host: return "missing, doubled or malformed Host";
    case errc::bad_content_length: return "malformed Content-Length";
    case errc::bad_transfer_encoding: return "unsupported Transfer-Encoding";
    case errc::bad_chunk: return "malformed chunk";
    case errc::bad_target: return "unsupported form of request target";
    case errc::unsupported_http_version: return "unsupported HTTP version";
    case errc::not_an_upgrade: return "not a WebSocket upgrade";
    case errc::bad_websocket_version: return "unsupported Sec-WebSocket-Version";
    case errc::bad_websocket_key: return "bad Sec-WebSocket-Key";
    case errc::bad_websocket_accept: return "bad Sec-WebSocket-Accept";
    case errc::bad_subprotocol: return "bad Sec-WebSocket-Protocol";
    case errc::bad_extension: return "bad Sec-WebSocket-Extensions";
    case errc::unexpected_status: return "server did not switch protocols";
    case errc::refused: return "connection refused by the application";
    case errc::handshake_timeout: return "handshake timed out";
    case errc::bad_url: return "not a ws, wss, http or https URL";
    case errc::no_tls: return "TLS is not available here";
    case errc::bad_certificate: return "certificate, key or CA file can't be used";
    case errc::bad_open_packet: return "malformed Engine.IO handshake";
    case errc::connect_refused: return "server refused the namespace";
    case errc::proxy_refused: return "proxy refused the connection";
    case errc::proxy_auth_required: return "proxy wants other credentials";
    case errc::pin_mismatch: return "server key is not a pinned one";
    case errc::redirect_refused: return "redirect not followed";
    case errc::end_of_stream: return "peer closed the stream without a close frame";
    case errc::stream_truncated: return "TLS stream truncated";
    case errc::heartbeat_timeout: return "heartbeat timed out";
    case errc::write_stalled: return "peer took no data for too long";
    case errc::close_timeout: return "peer did not answer the close frame";
    case errc::not_open: return "connection is not open";
    case errc::bad_argument: return "argument not allowed";
    case errc::nested_poll: return "poll called from inside a handler";
    case errc::already_connected: return "client is already connected";
    case errc::dropped: return "message dropped by the backpressure policy";
    case errc::address_in_use_by_other: return "path exists and is not a dead socket";
    case errc::argument_mismatch: return "arguments do not fit the expected types";
    case errc::ack_timeout: return "operation has timed out";
    case errc::disconnected: return "socket has been disconnected";
    case errc::forbidden: return "not allowed";
    case errc::journal_corrupt: return "journal is corrupt";
    case errc::journal_locked: return "journal is in use by another queue";
    case errc::journal_io: return "journal can't be used";
  }
  return "unknown hawser error";
}

inline std::error_category const& condition_category() noexcept {
  struct category final : std::error_category {
    char const* name() const noexcept override { return "hawser.condition"; }
    std::string message(int value) const override {
      switch (static_cast<condition>(value)) {
        case condition::protocol_violation: return "protocol violation";
        case condition::limit_reached: return "limit reached";
        case condition::handshake_failed: return "handshake failed";
        case condition::peer_gone: return "peer gone";
        case condition::misuse: return "misuse";
      }
      return "unknown";
    }
  };
  static constinit category const instance{};
  return instance;
}

inline std::error_condition make_error_condition(condition value) noexcept {
  return {static_cast<int>(value), condition_category()};
}

inline std::error_category const& error_category() noexcept {
  struct category final : std::error_category {
    char const* name() const noexcept override { return "hawser"; }
    std::string message(int value) const override { return describe(static_cast<errc>(value)); }
    std::error_condition default_error_condition(int value) const noexcept override {
      if (value >= 180) return make_error_condition(condition::misuse);
      if (value >= 140) return make_error_condition(condition::peer_gone);
      if (value >= 80) return make_error_condition(condition::handshake_failed);
      if (value >= 40) return make_error_condition(condition::limit_reached);
      return make_error_condition(condition::protocol_violation);
    }
  };
  static constinit category const instance{};
  return instance;
}

inline std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// Success. A copy is two loads; `std::error_code()` is a call into the standard library, which
/// makes whoever answers every message save its registers.
inline std::error_code const no_error;

/// A value, or the reason why there is none.
template <class T>
class result {
 public:
  result(T value) : value_(std::in_place, std::move(value)) {}
  result(std::error_code error) : error_(error) {}
  result(errc error) : error_(make_error_code(error)) {}

  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// Precondition: `has_value()`.
  T& operator*() noexcept { return *value_; }
  T const& operator*() const noexcept { return *value_; }
  T* operator->() noexcept { return &*value_; }
  T const* operator->() const noexcept { return &*value_; }

  /// Success (a zero code) when there is a value.
  std::error_code error() const noexcept { return error_; }

 private:
  std::optional<T> value_;  // compiles in a fraction of the time that a std::variant of both takes
  std::error_code error_;
};

}  // namespace hawser::inline HAWSER_ABI

template <>
struct std::is_error_code_enum<hawser::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<hawser::condition> : std::true_type {};
