// The raw server and client of most simulations are compiled once, in raw_instances.cpp.
#pragma once

#include <hawser/testing/memory_network.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

namespace sim {

using plain = hawser::websocket_policies::with_transport<hawser::memory>;
using plain_server_core = hawser::websocket_core<plain>;
using plain_client_core = hawser::websocket_client_core<plain>;

}  // namespace sim

#define SIM_RAW_CLASSES(declare)                                                                 \
  declare class hawser::host<sim::plain_server_core, sim::plain, hawser::websocket_host>;        \
  declare class hawser::http_front<sim::plain_server_core, sim::plain, hawser::websocket_host>;  \
  declare class hawser::server_core<sim::plain_server_core, sim::plain, hawser::websocket_host>; \
  declare class hawser::websocket_core<sim::plain>;                                              \
  declare class hawser::sending<sim::plain_server_core,                                          \
                                hawser::connection<sim::plain_server_core>>;                     \
  declare class hawser::liveness<sim::plain_server_core,                                         \
                                 hawser::connection<sim::plain_server_core>>;                    \
  declare class hawser::connection<sim::plain_server_core>;                                      \
  declare class hawser::host<sim::plain_client_core, sim::plain, hawser::websocket_host>;        \
  declare class hawser::dialing<sim::plain_client_core, sim::plain, hawser::websocket_host>;     \
  declare class hawser::redialing<sim::plain_client_core, sim::plain, hawser::websocket_host>;   \
  declare class hawser::websocket_client_core<sim::plain>;                                       \
  declare class hawser::sending<sim::plain_client_core,                                          \
                                hawser::connection<sim::plain_client_core>>;                     \
  declare class hawser::liveness<sim::plain_client_core,                                         \
                                 hawser::connection<sim::plain_client_core>>;                    \
  declare class hawser::connection<sim::plain_client_core>
