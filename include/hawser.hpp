// hawser: WebSocket servers and clients to embed. This header is the map of the house.
//
//   server.hpp    basic_server<policies>, server         accept, handlers, rooms, poll and flush
//   client.hpp    basic_client<policies>, client         connect, send, receive
//   policies.hpp  policies<...> and with_x<...>          one type for each axis
//
//   testing/      a network and a clock to test your own handlers with; not included here
//   endpoint/     F5  connection, accept, HTTP routes, dial; static_files.hpp on request
//   transport/    F4  byte streams: tcp, tls, unix_socket, memory
//   ------------- below: no socket, no clock, no thread, no random source; no Asio
//   machine/      F3  outbox, rates
//   policy/       F2  the concept of each axis, and its stock models
//   codec/        F1  http, ws, utf8, base64, digests
//   core/         F0  errors, bytes, buffers, payloads, the timing wheel
//
// A header includes its own floor or a lower one, and each compiles alone.
#pragma once

#include <hawser/client.hpp>
#include <hawser/policies.hpp>
#include <hawser/server.hpp>
