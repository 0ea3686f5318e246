// The set of policies that a server or client is composed from.
#pragma once

#include <concepts>

#include <hawser/core/config.hpp>
#include <hawser/machine/socketio_framing.hpp>
#include <hawser/policy/adapter.hpp>
#include <hawser/policy/backpressure.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/policy/heartbeat.hpp>
#include <hawser/policy/offline_queue.hpp>
#include <hawser/policy/reconnect.hpp>
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
          adapter_policy Adapter = local_adapter, reconnect_policy Reconnect = exponential_backoff,
          offline_queue_policy OfflineQueue = bounded_queue>
struct policies {
  using transport = Transport;
  using framing = Framing;
  using heartbeat = Heartbeat;
  using rooms = Rooms;
  using backpressure = Backpressure;
  using adapter = Adapter;
  using reconnect = Reconnect;
  using offline_queue = OfflineQueue;

  template <transport_policy X>
  using with_transport =
      policies<X, Framing, Heartbeat, Rooms, Backpressure, Adapter, Reconnect, OfflineQueue>;
  template <framing_policy X>
  using with_framing =
      policies<Transport, X, Heartbeat, Rooms, Backpressure, Adapter, Reconnect, OfflineQueue>;
  template <heartbeat_policy X>
  using with_heartbeat =
      policies<Transport, Framing, X, Rooms, Backpressure, Adapter, Reconnect, OfflineQueue>;
  template <room_policy X>
  using with_rooms =
      policies<Transport, Framing, Heartbeat, X, Backpressure, Adapter, Reconnect, OfflineQueue>;
  template <backpressure_policy X>
  using with_backpressure =
      policies<Transport, Framing, Heartbeat, Rooms, X, Adapter, Reconnect, OfflineQueue>;
  template <adapter_policy X>
  using with_adapter =
      policies<Transport, Framing, Heartbeat, Rooms, Backpressure, X, Reconnect, OfflineQueue>;
  template <reconnect_policy X>
  using with_reconnect =
      policies<Transport, Framing, Heartbeat, Rooms, Backpressure, Adapter, X, OfflineQueue>;
  template <offline_queue_policy X>
  using with_offline_queue =
      policies<Transport, Framing, Heartbeat, Rooms, Backpressure, Adapter, Reconnect, X>;
};

/// What a raw WebSocket server or client is composed from, unless told otherwise. Such a client
/// stays disconnected when its connection ends, and keeps nothing back, until these are replaced.
using websocket_policies = policies<>::with_framing<websocket_framing>::with_heartbeat<
    websocket_ping>::with_reconnect<no_reconnect>::with_offline_queue<no_queue>;

/// `policies<...>`, or a struct derived from one for a shorter name in error messages and symbols.
template <class P>
concept policy_set =
    transport_policy<typename P::transport> && framing_policy<typename P::framing> &&
    heartbeat_policy<typename P::heartbeat> && room_policy<typename P::rooms> &&
    backpressure_policy<typename P::backpressure> && adapter_policy<typename P::adapter> &&
    reconnect_policy<typename P::reconnect> && offline_queue_policy<typename P::offline_queue>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
