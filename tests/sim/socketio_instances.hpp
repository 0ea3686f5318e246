// The server of most Socket.IO simulations is compiled once, in socketio_instances.cpp: else each file
// would take half a minute. A program of yours with many files can do the same.
#pragma once

#include <hawser/testing/memory_network.hpp>

#include <hawser/server.hpp>

namespace sim {

using io_plain = hawser::policies<>::with_transport<hawser::memory>;

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
