// The set of policies that a server or client is composed from.
#pragma once

#include <concepts>

#include <hawser/core/config.hpp>
#include <hawser/machine/socketio_framing.hpp>
#include <hawser/policy/adapter.hpp>
#include <hawser/policy/backpressure.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/policy/heartbeat.hpp>
#include <hawser/policy/rooms.hpp>
#include <hawser/policy/websocket_framing.hpp>
#include <hawser/transport/transport.hpp>
#if HAWSER_WITH_TLS
#include <hawser/transport/tls.hpp>
#else
#include <hawser/transport/tcp.hpp>
#endif

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

#if HAWSER_WITH_TLS
using default_transport = tcp_or_tls;
#else
using default_transport = tcp;
#endif

/// One type for each axis and nothing derived from another, so that replacing one replaces
/// exactly that. `with_x<>` checks its concept where it is written, and the order of several does
/// not matter: the same choice is the same type.
template <transport_policy Transport = default_transport, framing_policy Framing = socketio_framing,
          heartbeat_policy Heartbeat = server_ping, room_policy Rooms = hash_rooms,
          backpressure_policy Backpressure = disconnect_slow,
          adapter_policy Adapter = local_adapter>
struct policies {
  using transport = Transport;
  using framing = Framing;
  using heartbeat = Heartbeat;
  using rooms = Rooms;
  using backpressure = Backpressure;
  using adapter = Adapter;

  template <transport_policy X>
  using with_transport = policies<X, Framing, Heartbeat, Rooms, Backpressure, Adapter>;
  template <framing_policy X>
  using with_framing = policies<Transport, X, Heartbeat, Rooms, Backpressure, Adapter>;
  template <heartbeat_policy X>
  using with_heartbeat = policies<Transport, Framing, X, Rooms, Backpressure, Adapter>;
  template <room_policy X>
  using with_rooms = policies<Transport, Framing, Heartbeat, X, Backpressure, Adapter>;
  template <backpressure_policy X>
  using with_backpressure = policies<Transport, Framing, Heartbeat, Rooms, X, Adapter>;
  template <adapter_policy X>
  using with_adapter = policies<Transport, Framing, Heartbeat, Rooms, Backpressure, X>;
};

/// What a raw WebSocket server or client is composed from, unless told otherwise.
using websocket_policies =
    policies<>::with_framing<websocket_framing>::with_heartbeat<websocket_ping>;

/// `policies<...>`, or a struct derived from one for a shorter name in error messages and symbols.
template <class P>
concept policy_set =
    transport_policy<typename P::transport> && framing_policy<typename P::framing> &&
    heartbeat_policy<typename P::heartbeat> && room_policy<typename P::rooms> &&
    backpressure_policy<typename P::backpressure> && adapter_policy<typename P::adapter>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
