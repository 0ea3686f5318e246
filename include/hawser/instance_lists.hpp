// The lists of classes behind a server or client, for instances.hpp.
#pragma once

/// Of a Socket.IO server.
#define HAWSER_SERVER_CLASSES(declare, P)                                                \
  declare class hawser::basic_server<P>;                                                 \
  declare class hawser::socketio_face<P>;                                                \
  declare class hawser::server_face<hawser::socketio_core<P>>;                           \
  declare class hawser::host<hawser::socketio_core<P>, P, hawser::socketio_host>;        \
  declare class hawser::http_front<hawser::socketio_core<P>, P, hawser::socketio_host>;  \
  declare class hawser::server_core<hawser::socketio_core<P>, P, hawser::socketio_host>; \
  declare class hawser::session_table<hawser::socketio_core<P>, P>;                      \
  declare class hawser::engine_front<hawser::socketio_core<P>, P>;                       \
  declare class hawser::namespaces<hawser::socketio_core<P>, P>;                         \
  declare class hawser::membership<hawser::socketio_core<P>, P>;                         \
  declare class hawser::targeting<hawser::socketio_core<P>, P>;                          \
  declare class hawser::emitting<hawser::socketio_core<P>, P>;                           \
  declare class hawser::connecting<hawser::socketio_core<P>, P>;                         \
  declare class hawser::clustering<hawser::socketio_core<P>, P>;                         \
  declare class hawser::socketio_core<P>;                                                \
  declare class hawser::sending<hawser::socketio_core<P>,                                \
                                hawser::connection<hawser::socketio_core<P>>>;           \
  declare class hawser::liveness<hawser::socketio_core<P>,                               \
                                 hawser::connection<hawser::socketio_core<P>>>;          \
  declare class hawser::connection<hawser::socketio_core<P>>;                            \
  declare class hawser::session<hawser::socketio_core<P>>

/// Of a Socket.IO client.
#define HAWSER_CLIENT_CLASSES(declare, P)                                                   \
  declare class hawser::basic_client<P>;                                                    \
  declare class hawser::socketio_client_face<P>;                                            \
  declare class hawser::client_face<hawser::socketio_client_core<P>>;                       \
  declare class hawser::host<hawser::socketio_client_core<P>, P, hawser::client_host>;      \
  declare class hawser::dialing<hawser::socketio_client_core<P>, P, hawser::client_host>;   \
  declare class hawser::redialing<hawser::socketio_client_core<P>, P, hawser::client_host>; \
  declare class hawser::engine_requests<hawser::socketio_client_core<P>, P>;                \
  declare class hawser::engine_client<hawser::socketio_client_core<P>, P>;                  \
  declare class hawser::client_emitting<hawser::socketio_client_core<P>, P>;                \
  declare class hawser::client_joining<hawser::socketio_client_core<P>, P>;                 \
  declare class hawser::socketio_client_core<P>;                                            \
  declare class hawser::sending<hawser::socketio_client_core<P>,                            \
                                hawser::connection<hawser::socketio_client_core<P>>>;       \
  declare class hawser::liveness<hawser::socketio_client_core<P>,                           \
                                 hawser::connection<hawser::socketio_client_core<P>>>;      \
  declare class hawser::connection<hawser::socketio_client_core<P>>

/// Of a server of raw WebSocket messages.
#define HAWSER_WEBSOCKET_SERVER_CLASSES(declare, P)                                        \
  declare class hawser::basic_server<P>;                                                   \
  declare class hawser::websocket_face<P>;                                                 \
  declare class hawser::server_face<hawser::websocket_core<P>>;                            \
  declare class hawser::host<hawser::websocket_core<P>, P, hawser::websocket_host>;        \
  declare class hawser::http_front<hawser::websocket_core<P>, P, hawser::websocket_host>;  \
  declare class hawser::server_core<hawser::websocket_core<P>, P, hawser::websocket_host>; \
  declare class hawser::websocket_core<P>;                                                 \
  declare class hawser::sending<hawser::websocket_core<P>,                                 \
                                hawser::connection<hawser::websocket_core<P>>>;            \
  declare class hawser::liveness<hawser::websocket_core<P>,                                \
                                 hawser::connection<hawser::websocket_core<P>>>;           \
  declare class hawser::connection<hawser::websocket_core<P>>

/// Of a client of raw WebSocket messages.
#define HAWSER_WEBSOCKET_CLIENT_CLASSES(declare, P)                                             \
  declare class hawser::basic_client<P>;                                                        \
  declare class hawser::websocket_client_face<P>;                                               \
  declare class hawser::client_face<hawser::websocket_client_core<P>>;                          \
  declare class hawser::host<hawser::websocket_client_core<P>, P, hawser::websocket_host>;      \
  declare class hawser::dialing<hawser::websocket_client_core<P>, P, hawser::websocket_host>;   \
  declare class hawser::redialing<hawser::websocket_client_core<P>, P, hawser::websocket_host>; \
  declare class hawser::websocket_client_core<P>;                                               \
  declare class hawser::sending<hawser::websocket_client_core<P>,                               \
                                hawser::connection<hawser::websocket_client_core<P>>>;          \
  declare class hawser::liveness<hawser::websocket_client_core<P>,                              \
                                 hawser::connection<hawser::websocket_client_core<P>>>;         \
  declare class hawser::connection<hawser::websocket_client_core<P>>
