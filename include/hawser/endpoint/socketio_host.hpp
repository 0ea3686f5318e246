// What Socket.IO handles ask of their server, and what they find there.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/endpoint/event_host.hpp>
#include <hawser/endpoint/handshake.hpp>
#include <hawser/endpoint/kept.hpp>
#include <hawser/machine/ack_table.hpp>
#include <hawser/machine/engine_session.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/machine/packet_parser.hpp>
#include <hawser/policy/rooms.hpp>

namespace hawser::inline HAWSER_ABI {

/// A room by name; with its id where that is known already.
struct room_name {
  std::string_view name;
  room_id id{};
};

/// Whom a broadcast reaches: the members of any of `to`, or everybody, but the members of `except`.
struct broadcast_target {
  std::span<room_name const> to;
  std::span<room_name const> except;
  std::optional<socket_id> except_socket;
};

/// Told of every answer to a broadcast, the array of its arguments, and then once, with null, of
/// the end: `ack_timeout` or `disconnected` when some are missing.
using broadcast_ack_callback = callback<void(std::error_code, value const* one)>;

/// What the sockets of one session share about how it began: see `kept`.
struct session_handshake {
  http::request request;                 ///< its head
  std::string address;                   ///< "192.0.2.1:80", "[2001:db8::1]:80" or "unix"
  std::chrono::milliseconds issued{};    ///< wall clock, since 1970
  bool secure = false;                   ///< whether the transport is encrypted
  bool cross_domain = false;             ///< whether a browser came from another origin
  mutable std::uint32_t references = 0;  ///< how many keep it

  void retain() const noexcept { ++references; }
  void release() const noexcept {
    if (--references == 0) delete this;
  }
};

class handler_table;
struct nsp_record;
struct socket_description;

/// A socket: one session's part in one namespace. Handles look at it and keep no pointer to it.
struct socket_record {
  enum class stage : std::uint8_t { asking, connected, over };
  static constexpr std::uint32_t no_slot = 0xffffffff;

  std::array<char, 20> name{};  ///< its id, random
  socket_id at{};
  stage state = stage::asking;
  bool recovered = false;
  bool leaving = false;    ///< its disconnecting handler has been called
  bool announced = false;  ///< its connect event has been
  nsp_record* nsp = nullptr;
  kept<session_handshake const> handshake;
  user_data data;
  std::unique_ptr<json> auth;          ///< the payload of CONNECT, if there was one
  std::shared_ptr<handler_table> own;  ///< handlers of its own, if it has any

  std::string_view id() const noexcept { return {name.data(), name.size()}; }
  hawser::handshake asked() const {
    static std::vector<std::string> const none;
    return {handshake->request, none, handshake->address, handshake->secure, auth.get()};
  }
};

/// What handles ask of their server. Handles are one type whatever the policies are, so that
/// handlers need no templates: that is what these virtual calls, one per emit, are for.
class socketio_host : public event_host {
 public:
  /// Null when it is gone.
  virtual socket_record* find(socket_id id) = 0;
  virtual std::string_view transport_of(socket_id id) = 0;  ///< "polling", "websocket"; "": gone

  virtual std::error_code disconnect(socket_id which, bool close) = 0;
  virtual std::error_code close_connection(socket_id of) = 0;

  virtual void flush_one(socket_id to) = 0;

  virtual bool join(socket_id who, std::string_view room) = 0;
  virtual bool leave(socket_id who, std::string_view room) = 0;
  virtual std::vector<std::string> rooms_of(socket_id who) = 0;

  virtual std::size_t broadcast(nsp_record& in, broadcast_target const& to, payload_source what,
                                emit_flags const& how) = 0;
  virtual void broadcast_with_ack(nsp_record& in, broadcast_target const& to, payload_source what,
                                  emit_flags const& how, broadcast_ack_callback told) = 0;
  virtual void join_all(nsp_record& in, broadcast_target const& who, bool local,
                        std::span<std::string_view const> rooms, bool leave) = 0;
  virtual void disconnect_all(nsp_record& in, broadcast_target const& who, bool local,
                              bool close) = 0;
  /// The sockets of this server that are meant.
  virtual void visit(nsp_record& in, broadcast_target const& who,
                     callback<void(socket_record&)> each) = 0;
  /// Describes sockets, of the whole cluster unless `how.local`.
  virtual void fetch(nsp_record& in, broadcast_target const& who, emit_flags const& how,
                     callback<void(std::error_code, std::vector<socket_description>)> told) = 0;
  virtual room_id find_room(nsp_record& in, std::string_view name) = 0;
  virtual std::size_t room_size(nsp_record& in, room_id id) = 0;
  virtual std::error_code server_side_emit(nsp_record& in, payload_source what) = 0;

  /// Null when it is gone. Numbers of namespaces are never used again.
  virtual nsp_record* find_nsp(std::uint64_t number) = 0;

  static socketio_host* of(anchor* at) noexcept {
    return at ? static_cast<socketio_host*>(at->host()) : nullptr;
  }

 protected:
  ~socketio_host() = default;
};

}  // namespace hawser::inline HAWSER_ABI
