// What handles of a Socket.IO client's sockets ask of their client, and what they find there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/value/json.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/event_host.hpp>
#include <hawser/endpoint/event_view.hpp>
#include <hawser/endpoint/handler_table.hpp>
#include <hawser/machine/engine_session.hpp>

namespace hawser::inline HAWSER_ABI {

struct received_event;

/// Why a namespace isn't connected.
struct connect_failure {
  std::error_code error{};     ///< `connect_refused`, `handshake_timeout`, or what the attempt met
  std::string_view message{};  ///< the server's, with `connect_refused`; valid until the handler
                               ///< returns, as `data` is
  value data{};                ///< likewise, what it had to add
  bool active = false;         ///< whether the client tries again by itself
};

/// The right to say what a CONNECT carries, once, on the client's thread. A client that is not told
/// goes on waiting, for `connect_timeout`.
class auth_reply {
 public:
  auth_reply(anchor& at, socket_id of, std::uint32_t round) : at_(&at), of_(of), round_(round) {}
  /// `payload` is an object. No-op once the connection has gone.
  inline void operator()(json payload) const;

 private:
  anchor_ref at_;
  socket_id of_;
  std::uint32_t round_;
};

/// A client's part in one namespace. Handles look at it and keep no pointer to it.
struct client_nsp {
  enum class stage : std::uint8_t {
    idle,
    joining,  ///< asked for auth, or sent CONNECT
    connected
  };

  std::string name;
  socket_id at{};
  stage is = stage::idle;
  bool wanted = true;  ///< whether it connects with the next connection
  bool recovered = false;
  std::string id{};      ///< of the connected socket
  std::string pid{};     ///< of recovery: the session's secret
  std::string offset{};  ///< of recovery: the last event that came
  json auth{};           ///< sent with CONNECT

  std::shared_ptr<handler_table> handlers = std::make_shared<handler_table>();
  callback<void(auth_reply)> authenticate;
  callback<void(anchor&, socket_id)> on_connect;
  callback<void(connect_failure const&)> on_connect_error;
  callback<void(disconnect_reason)> on_disconnect;
  callback<void(std::string_view, std::error_code)> on_bad_event;
  callback<void(event_view const&, std::error_code)> on_dropped;
};

/// What handles ask of their client.
class client_host : public event_host {
 public:
  /// Null when there is no such namespace.
  virtual client_nsp* find(socket_id id) = 0;
  virtual std::error_code connect_nsp(socket_id which) = 0;
  virtual void connect_nsp(socket_id which, completion<std::error_code> done) = 0;
  virtual std::error_code disconnect(socket_id which) = 0;
  virtual void authenticated(socket_id which, std::uint32_t round, json payload) = 0;
  virtual void receive(socket_id which, completion<std::error_code, received_event> done) = 0;
  virtual backlog waiting(socket_id which) = 0;
  virtual bool is_active(socket_id which) = 0;
  virtual std::string_view transport() const noexcept = 0;

  static client_host* of(anchor* at) noexcept {
    return at ? static_cast<client_host*>(at->host()) : nullptr;
  }

 protected:
  ~client_host() = default;
};

inline void auth_reply::operator()(json payload) const {
  if (auto* const at = client_host::of(at_.get())) {
    at->authenticated(of_, round_, std::move(payload));
  }
}

}  // namespace hawser::inline HAWSER_ABI
