// hawser: Socket.IO and WebSocket servers, and WebSocket clients, to embed. This header is the map
// of the house.
//
//   server.hpp    basic_server<policies>, server, websocket_server    accept, handlers, rooms, poll
//   client.hpp    basic_client<policies>, client, websocket_client    connect, emit, send, receive
//   policies.hpp  policies<...> and with_x<...>                       one type for each axis
//   fwd.hpp       names only; compiled.hpp, instances.hpp             for short compile times
//
//   testing/      a network and a clock to test your own handlers with; not included here
//   endpoint/     F5  connection, accept, HTTP routes, dial; static_files.hpp and journal_queue.hpp
//                     on request. What a user holds: socket, broadcast, nsp, event_handler;
//                     client_socket of a client; websocket for raw ones.
//                     A Socket.IO server's core, lowest layer first: session_table, engine_front,
//                     namespaces, membership, targeting, emitting, connecting, clustering,
//                     socketio_core. A client's: dialing, redialing, engine_requests,
//                     engine_client, client_emitting, client_joining, socketio_client_core
//   transport/    F4  byte streams: tcp, tls, unix_socket, memory; epoll_tcp.hpp on request
//   ------------- below: no socket, no clock, no thread, no random source; no Asio
//   machine/      F3  engine_session, client_engine, redial, packet parsers, acknowledgements,
//                     recovery, outbox, rates
//   policy/       F2  the concept of each axis, and its stock models
//   codec/        F1  http, ws, eio, sio, json, msgpack, values and their mapping to types
//   core/         F0  errors, bytes, buffers, payloads, the timing wheel
//
// A header includes its own floor or a lower one, and each compiles alone.
#pragma once

#include <hawser/client.hpp>
#include <hawser/policies.hpp>
#include <hawser/server.hpp>
