// What a Socket.IO client offers.
#pragma once

#include <concepts>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/endpoint/client_face.hpp>
#include <hawser/endpoint/client_socket.hpp>
#include <hawser/endpoint/client_remote.hpp>
#include <hawser/endpoint/socketio_client_core.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Base of `basic_client` with a framing of sessions: a manager, JavaScript would say, of one
/// connection and its namespaces. Itself it stands for "/" where it handles and emits.
template <class Policies>
class socketio_client_face : public client_face<socketio_client_core<Policies>>,
                             public has_client_handlers<socketio_client_face<Policies>> {
 public:
  // -- namespaces --------------------------------------------------------------------------------

  /// A namespace, made when it is named for the first time; it connects with the client, or now.
  /// "chat" is "/chat". A handle without use for a name of more than 128 bytes or with a comma, and
  /// beyond `max_namespaces`.
  client_socket socket(std::string_view nsp = "/");

  // -- connecting --------------------------------------------------------------------------------

  /// See `client_face`. All namespaces that were named are connected, or "/" if none was; then
  /// `async_connect` completes, or with `connect_refused` when the first of them is refused. A URL
  /// has no path: that of Engine.IO is an option, and namespaces are named by `socket`.
  using client_face<socketio_client_core<Policies>>::connect;
  using client_face<socketio_client_core<Policies>>::async_connect;
  using has_client_handlers<socketio_client_face>::connect;
  using has_client_handlers<socketio_client_face>::on_connect;

  /// Leaves all namespaces and closes the connection, behind what was sent. Nothing is connected
  /// again until `connect`.
  void close();
  /// Likewise. *Signature*: `void(std::error_code)`, when the connection is closed, or
  /// `close_timeout` is over. *Errors*: `not_open`, `operation_aborted`.
  template <class Token>
  auto async_close(Token&& token) {
    return initiate<std::error_code>(this->get_executor(), std::forward<Token>(token),
                                     [core = kept(*this->core_)](completion<std::error_code> done) {
                                       core->close(std::move(done));
                                     });
  }

  /// `void()`: an Engine.IO session is open; its namespaces are about to connect.
  template <std::invocable<> Handler>
  void on_open(Handler handler) {
    this->set(this->core_->on_open, std::move(handler));
  }
  /// `void(disconnect_reason, std::error_code)`: a session that was open is over.
  template <std::invocable<disconnect_reason, std::error_code> Handler>
  void on_close(Handler handler) {
    this->set(this->core_->on_close, std::move(handler));
  }
  /// `void()`: the server's ping has come, and was answered.
  template <std::invocable<> Handler>
  void on_ping(Handler handler) {
    this->set(this->core_->on_ping, std::move(handler));
  }
  /// `void()`: the session goes on by WebSocket.
  template <std::invocable<> Handler>
  void on_upgrade(Handler handler) {
    this->set(this->core_->on_upgrade, std::move(handler));
  }

  // -- state -------------------------------------------------------------------------------------

  /// Whether an Engine.IO session is open.
  bool is_open() const noexcept { return this->core_->is_session_open(); }
  /// "polling" or "websocket"; empty while no session is open.
  std::string_view transport() const noexcept { return this->core_->transport(); }
  /// What waits in a namespace, to look at: the state of a journal, say. Null for a namespace that
  /// wasn't named. Valid while the client is.
  typename Policies::offline_queue const* offline_queue(std::string_view nsp = "/") const {
    auto* const one = this->core_->find_nsp(nsp);
    return one ? &*one->queue : nullptr;
  }
  /// For other threads.
  hawser::client_remote remote() const { return hawser::client_remote(&this->core_->anchored()); }

  /// For the library: "/", made when it is used.
  client_socket reference() const;
  client_socket known_reference() const { return handle(this->core_->find_nsp("/")); }

 protected:
  using base = client_face<socketio_client_core<Policies>>;
  using base::base;

 private:
  client_socket handle(client_nsp const* one) const {
    return one ? client_socket(this->core_->anchored(), one->at) : client_socket();
  }
};

// Outside of the class, as in server_face.hpp.

template <class Policies>
client_socket socketio_client_face<Policies>::socket(std::string_view nsp) {
  return handle(this->core_->open_nsp(nsp));
}

template <class Policies>
client_socket socketio_client_face<Policies>::reference() const {
  return handle(this->core_->open_nsp("/"));
}

template <class Policies>
void socketio_client_face<Policies>::close() {
  this->core_->close();
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
