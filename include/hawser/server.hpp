// The server: composed from policies, living on the caller's loop.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <hawser/endpoint/socketio_face.hpp>
#include <hawser/endpoint/websocket_face.hpp>
#include <hawser/policies.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What a server of these policies offers beside listening: `socketio_face`, or `websocket_face`
/// with a framing of raw messages.
template <class Policies>
using server_face_of =
    typename std::conditional_t<session_framing_policy<typename Policies::framing>,
                                std::type_identity<socketio_face<Policies>>,
                                std::type_identity<websocket_face<Policies>>>::type;

/// A Socket.IO server, or with a framing of raw messages a WebSocket server. Starts no thread and
/// blocks nowhere (looking up a host name in `listen` aside); everything happens while the caller
/// runs the executor's loop, or in `poll`.
///
/// *Threads*: one executor, so one thread at a time; other threads use `remote()`.
/// *Lifetime*: may be destroyed at any moment, from any handler, and before or after the
/// `io_context`; no handler runs after.
template <policy_set Policies = policies<>>
class basic_server : public server_face_of<Policies> {
 public:
  using executor_type = typename Policies::transport::executor_type;
  using options = server_options<Policies>;

  explicit basic_server(executor_type executor, options numbers = {})
      : server_face_of<Policies>(std::move(executor), std::move(numbers)) {}
  template <class Context>
    requires requires(Context& context) {
      { context.get_executor() } -> std::convertible_to<executor_type>;
    }
  explicit basic_server(Context& context, options numbers = {})
      : basic_server(executor_type(context.get_executor()), std::move(numbers)) {}
};

/// A Socket.IO server.
using server = basic_server<>;

/// A server of raw WebSocket messages.
using websocket_server = basic_server<websocket_policies>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI

#if HAWSER_COMPILED
#include <hawser/instance_lists.hpp>
HAWSER_SERVER_CLASSES(extern template, hawser::policies<>);
HAWSER_WEBSOCKET_SERVER_CLASSES(extern template, hawser::websocket_policies);
#endif
