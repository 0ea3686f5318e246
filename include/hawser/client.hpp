// The client: composed from policies, living on the caller's loop.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <hawser/endpoint/socketio_client_face.hpp>
#include <hawser/endpoint/websocket_client_face.hpp>
#include <hawser/policies.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What a client of these policies offers: `socketio_client_face`, or `websocket_client_face` with
/// a framing of raw messages.
template <class Policies>
using client_face_of =
    typename std::conditional_t<session_framing_policy<typename Policies::framing>,
                                std::type_identity<socketio_client_face<Policies>>,
                                std::type_identity<websocket_client_face<Policies>>>::type;

/// A Socket.IO client, or with a framing of raw messages a WebSocket client. The URL says at run
/// time whether the connection is encrypted; certificates and host names are verified unless an
/// option named `insecure_...` says otherwise. Starts no thread and blocks nowhere; everything
/// happens while the caller runs the executor's loop, or in `poll`.
///
/// *Asynchronous operations* take any completion token (callback, future, awaitable, ...), complete
/// exactly once, posted and never inline; with `operation_aborted` if they are cancelled or the
/// client is destroyed.
/// *Threads*: one executor, so one thread at a time; other threads use `remote()`.
/// *Lifetime*: may be destroyed at any moment, from any handler, before or after the `io_context`;
/// no event handler runs after.
template <policy_set Policies = policies<>>
class basic_client : public client_face_of<Policies> {
 public:
  using policies = Policies;
  using executor_type = typename Policies::transport::executor_type;
  using options = client_options<Policies>;

  explicit basic_client(executor_type executor, options numbers = {})
      : client_face_of<Policies>(std::move(executor), std::move(numbers)) {}
  template <class Context>
    requires requires(Context& context) {
      { context.get_executor() } -> std::convertible_to<executor_type>;
    }
  explicit basic_client(Context& context, options numbers = {})
      : basic_client(executor_type(context.get_executor()), std::move(numbers)) {}
};

/// A Socket.IO client.
using client = basic_client<>;

/// A client of raw WebSocket messages.
using websocket_client = basic_client<websocket_policies>;

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI

#if HAWSER_COMPILED
#include <hawser/instance_lists.hpp>
HAWSER_CLIENT_CLASSES(extern template, hawser::policies<>);
HAWSER_WEBSOCKET_CLIENT_CLASSES(extern template, hawser::websocket_policies);
#endif
