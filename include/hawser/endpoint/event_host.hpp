// What handles of Socket.IO sockets ask of their server or client.
#pragma once

#include <chrono>
#include <cstdint>
#include <system_error>

#include <asio/any_io_executor.hpp>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/machine/ack_table.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/machine/packet_parser.hpp>

namespace hawser::inline HAWSER_ABI {

/// Names one socket of one server or client, for ever.
struct socket_id {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(socket_id const&) const noexcept = default;
  std::uint64_t number() const noexcept { return std::uint64_t{generation} << 32 | slot; }
};

/// How an event is sent.
struct emit_flags {
  bool droppable = false;  ///< not queued: dropped for a peer that isn't ready to take it now
  bool compress = true;    ///< false: never compressed, for secrets beside chosen text
  bool local = false;      ///< sockets of this server only
  message_key key{};       ///< with `latest_by_key`: takes the place of a queued one with this key
  std::chrono::milliseconds timeout{0};  ///< of what is acknowledged; 0: the `ack_timeout` option
};

/// What sockets of both sides do. Handles are one type whatever the policies are, so that handlers
/// need no templates: that is what these virtual calls, one per emit, are for.
class event_host : public endpoint_host {
 public:
  virtual std::error_code emit(socket_id to, payload_source what, emit_flags const& how) = 0;
  virtual void emit_with_ack(socket_id to, payload_source what, emit_flags const& how,
                             ack_callback told) = 0;
  virtual std::error_code answer(socket_id to, std::uint64_t ack, payload_source what) = 0;
  virtual backlog queued(socket_id id) = 0;

  virtual asio::any_io_executor any_executor() = 0;
  /// Keeps something that may be running until it certainly isn't.
  virtual void keep(callback<void()> old) = 0;

  /// Null once the server or client is gone.
  static event_host* of(anchor* at) noexcept {
    return at ? static_cast<event_host*>(at->host()) : nullptr;
  }

 protected:
  ~event_host() = default;
};

}  // namespace hawser::inline HAWSER_ABI
