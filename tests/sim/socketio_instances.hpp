// Server and client of most Socket.IO simulations are compiled once, in socketio_instances.cpp: else
// each file would take half a minute. A program of yours with many files can do the same.
#pragma once

#include <hawser/testing/memory_network.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

namespace sim {

using io_plain = hawser::policies<>::with_transport<hawser::memory>;
using io_client_core = hawser::socketio_client_core<io_plain>;

}  // namespace sim

#define SIM_SERVER_CLASSES(declare)                                                         \
  declare class hawser::host<hawser::socketio_core<sim::io_plain>, sim::io_plain,           \
                             hawser::socketio_host>;                                        \
  declare class hawser::http_front<hawser::socketio_core<sim::io_plain>, sim::io_plain,     \
                                   hawser::socketio_host>;                                  \
  declare class hawser::server_core<hawser::socketio_core<sim::io_plain>, sim::io_plain,    \
                                    hawser::socketio_host>;                                 \
  declare class hawser::session_table<hawser::socketio_core<sim::io_plain>, sim::io_plain>; \
  declare class hawser::engine_front<hawser::socketio_core<sim::io_plain>, sim::io_plain>;  \
  declare class hawser::namespaces<hawser::socketio_core<sim::io_plain>, sim::io_plain>;    \
  declare class hawser::membership<hawser::socketio_core<sim::io_plain>, sim::io_plain>;    \
  declare class hawser::targeting<hawser::socketio_core<sim::io_plain>, sim::io_plain>;     \
  declare class hawser::emitting<hawser::socketio_core<sim::io_plain>, sim::io_plain>;      \
  declare class hawser::connecting<hawser::socketio_core<sim::io_plain>, sim::io_plain>;    \
  declare class hawser::clustering<hawser::socketio_core<sim::io_plain>, sim::io_plain>;    \
  declare class hawser::socketio_core<sim::io_plain>;                                       \
  declare class hawser::sending<hawser::socketio_core<sim::io_plain>,                       \
                                hawser::connection<hawser::socketio_core<sim::io_plain>>>;  \
  declare class hawser::liveness<hawser::socketio_core<sim::io_plain>,                      \
                                 hawser::connection<hawser::socketio_core<sim::io_plain>>>; \
  declare class hawser::connection<hawser::socketio_core<sim::io_plain>>;                   \
  declare class hawser::session<hawser::socketio_core<sim::io_plain>>

#define SIM_CLIENT_CLASSES(declare)                                                             \
  declare class hawser::host<sim::io_client_core, sim::io_plain, hawser::client_host>;          \
  declare class hawser::dialing<sim::io_client_core, sim::io_plain, hawser::client_host>;       \
  declare class hawser::redialing<sim::io_client_core, sim::io_plain, hawser::client_host>;     \
  declare class hawser::engine_requests<sim::io_client_core, sim::io_plain>;                    \
  declare class hawser::engine_client<sim::io_client_core, sim::io_plain>;                      \
  declare class hawser::client_emitting<sim::io_client_core, sim::io_plain>;                    \
  declare class hawser::client_joining<sim::io_client_core, sim::io_plain>;                     \
  declare class hawser::socketio_client_core<sim::io_plain>;                                    \
  declare class hawser::sending<sim::io_client_core, hawser::connection<sim::io_client_core>>;  \
  declare class hawser::liveness<sim::io_client_core, hawser::connection<sim::io_client_core>>; \
  declare class hawser::connection<sim::io_client_core>
