// Names without their definitions: for headers that only mention what handlers get.
//
//     #include <hawser/fwd.hpp>
//     void on_move(hawser::socket const& who, float x, float y);
//
// Servers and clients are templates whose defaults need their policies: name those where
// <hawser/server.hpp> or <hawser/client.hpp> is included.
#pragma once

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

// Socket.IO
class socket;
class client_socket;
class nsp;
class room;
class broadcast_operator;
class event_view;
class json;
class value;

// raw WebSocket
class websocket;
class websocket_room;
class websocket_audience;
struct message;
struct close_event;

// both
class handshake;
class decision;
struct counters;

}  // namespace hawser::inline HAWSER_ABI
