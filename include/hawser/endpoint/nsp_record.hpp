// A namespace as its server keeps it: handlers, middleware, guards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/handler_table.hpp>
#include <hawser/endpoint/handshake.hpp>
#include <hawser/endpoint/socketio_host.hpp>

namespace hawser::inline HAWSER_ABI {

/// What happened to a room.
struct room_event {
  enum class type : std::uint8_t { create, join, leave, remove };
  type what;
  std::string_view room;
  std::string_view id;  ///< of the socket; empty for `create` and `remove`
};

/// What the application wants of a namespace. The children of a dynamic one share their parent's.
struct nsp_rules {
  using middleware = callback<void(anchor&, socket_id, decision)>;

  std::unique_ptr<handler_table> handlers = std::make_unique<handler_table>();
  std::unique_ptr<handler_table> server_events = std::make_unique<handler_table>();
  callback<void(handshake const&, decision)> authenticate;
  std::vector<std::shared_ptr<middleware>> middlewares;  // shared with the sockets that ask
  callback<void(anchor&, socket_id)> on_connect;
  callback<void(anchor&, socket_id, disconnect_reason)> on_disconnecting;
  callback<void(anchor&, socket_id, disconnect_reason)> on_disconnect;
  callback<void(anchor&, socket_id, std::string_view, std::error_code)> on_bad_event;
  callback<void(room_event const&)> on_room;
  callback<bool(anchor&, socket_id, std::string_view room)> may_join;
  callback<bool(anchor&, socket_id, event_view const&)> may_send;
  callback<bool(anchor&, socket_id)> may_receive;
  /// Of a dynamic namespace: whether a name is one of its children's.
  callback<bool(std::string_view name, json const& auth)> matches;
  callback<void(anchor&, std::uint64_t)> on_child;
};

/// A namespace. Handles find it by its number, which is never used again.
struct nsp_record {
  nsp_record(std::string called, std::uint64_t numbered, std::shared_ptr<nsp_rules> by)
      : name(std::move(called)), number(numbered), rules(std::move(by)) {}
  virtual ~nsp_record() = default;

  std::string const name;
  std::uint64_t const number;
  std::shared_ptr<nsp_rules> rules;
  nsp_record* parent = nullptr;  ///< of a child of a dynamic namespace
  std::uint64_t next_ack = 0;
};

}  // namespace hawser::inline HAWSER_ABI
