// Numbers that bound a connection, and what is counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <hawser/codec/ws/close_code.hpp>
#include <hawser/machine/rate_guard.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// What hosts keep with a connection that keep nothing.
struct no_guest {};

/// How a connection ended.
struct close_event {
  close_code code = close_code::abnormal;  ///< 1006 when there was no Close frame
  std::string_view reason{};               ///< valid until the handler returns
  std::error_code error{};                 ///< zero after a closing handshake
  bool by_peer = false;                    ///< whether the peer's Close frame came first
};

/// Times and rates of one connection.
struct connection_limits {
  std::chrono::milliseconds message_timeout{30'000};  ///< an unfinished message; more at 8 KiB/s
  std::chrono::milliseconds close_timeout{5'000};     ///< for the peer's Close, or its FIN
  std::chrono::milliseconds linger_timeout{1'000};    ///< for what is queued when it is over
  std::chrono::milliseconds write_stall_timeout{10'000};        ///< without a byte taken
  std::size_t partial_message_budget = std::size_t{256} << 20;  ///< bytes, all connections
  rate_limits rates{};
};

/// What has happened so far. Plain numbers: read them on the server's thread.
struct counters {
  std::uint64_t accepted = 0;  ///< connections taken in
  std::uint64_t opened = 0;    ///< open events
  std::uint64_t closed = 0;    ///< close events
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;  ///< taken for sending, one for each recipient
  std::uint64_t bytes_in = 0;      ///< as the transport delivers them
  std::uint64_t bytes_out = 0;
  std::uint64_t messages_dropped = 0;   ///< by the backpressure policy
  std::uint64_t messages_replaced = 0;  ///< by a newer one with the same key
  std::uint64_t pings_in = 0;
  std::uint64_t pings_out = 0;
  std::uint64_t http_requests = 0;       ///< answered by routes
  std::uint64_t rejected_full = 0;       ///< 503: `max_connections`, or draining
  std::uint64_t rejected_malformed = 0;  ///< 4xx: HTTP or WebSocket handshake
  std::uint64_t rejected_origin = 0;     ///< 403: the origin rule
  std::uint64_t rejected_refused = 0;    ///< by the accept step
  std::uint64_t handshake_timeouts = 0;  ///< TLS or HTTP
  std::uint64_t transport_failures = 0;  ///< before the connection was open, TLS included
  std::uint64_t accept_failures = 0;     ///< out of descriptors or memory
  std::uint64_t violations = 0;          ///< protocol violations
  std::uint64_t limit_hits = 0;          ///< per-connection limits
  std::uint64_t heartbeat_timeouts = 0;
  std::uint64_t write_stalls = 0;
  std::uint64_t slow_closed = 0;        ///< given up by the backpressure policy
  std::uint64_t handler_failures = 0;   ///< exceptions out of handlers
  std::uint64_t calls_on_closed = 0;    ///< handles used after their connection ended
  std::uint64_t sockets_connected = 0;  ///< Socket.IO: connect events
  std::uint64_t sockets_refused = 0;    ///< CONNECT_ERROR, unknown namespaces among them
  std::uint64_t sockets_recovered = 0;
  std::uint64_t events_in = 0;
  std::uint64_t events_refused = 0;       ///< by guards, for sending and for receiving
  std::uint64_t events_unhandled = 0;     ///< that nobody listens to
  std::uint64_t argument_mismatches = 0;  ///< events that didn't fit their handler
  std::uint64_t joins_refused = 0;
  std::uint64_t ack_timeouts = 0;
  std::uint64_t unknown_acks = 0;     ///< acknowledgements that nobody awaits
  std::size_t queued_bytes_peak = 0;  ///< of one connection
  std::size_t queued_messages_peak = 0;
  std::size_t partial_bytes = 0;  ///< held for unfinished messages now
  std::size_t objects = 0;        ///< connection objects alive now

  /// For the library: a message was taken for sending, and so much waits for its peer now.
  void count_queued(backlog now) noexcept {
    ++messages_out;
    if (now.bytes > queued_bytes_peak) queued_bytes_peak = now.bytes;
    if (now.messages > queued_messages_peak) queued_messages_peak = now.messages;
  }
};

}  // namespace hawser::inline HAWSER_ABI
