// The accept step: what a client asked for, and the decision about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/endpoint/answer.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a client asks for, before it is a connection. Valid until the accept step returns: copy
/// what the decision needs later.
class handshake {
 public:
  handshake(http::request const& request, std::vector<std::string> const& subprotocols,
            std::string remote_address, bool secure, json const* auth = nullptr)
      : request_(&request),
        subprotocols_(&subprotocols),
        auth_(auth),
        remote_address_(std::move(remote_address)),
        secure_(secure) {}

  /// The request target up to `?`, as it was sent: neither decoded nor normalised.
  std::string_view path() const noexcept { return request_->path(); }
  /// A decoded query parameter, the first of that name.
  std::optional<std::string> query(std::string_view name) const {
    return http::query_value(request_->query(), name);
  }
  /// A header's value, the first of that name, compared without regard to case.
  std::optional<std::string_view> header(std::string_view name) const {
    return request_->get(name);
  }
  /// What a Socket.IO client sent with CONNECT; null for other peers, and without a payload.
  json const& auth() const noexcept {
    static json const none;
    return auth_ ? *auth_ : none;
  }
  /// The `token` of that payload, else that of `Authorization: Bearer`, or empty.
  std::string_view token() const {
    if (auto const given = auth()["token"].string()) return *given;
    auto const value = header("Authorization").value_or(std::string_view{});
    constexpr std::string_view scheme = "Bearer ";
    return value.starts_with(scheme) ? value.substr(scheme.size()) : std::string_view{};
  }
  /// The subprotocols offered, best first.
  std::vector<std::string> const& subprotocols() const noexcept { return *subprotocols_; }
  /// "192.0.2.1:80", "[2001:db8::1]:80" or "unix".
  std::string const& remote_address() const noexcept { return remote_address_; }
  /// Whether the transport is encrypted.
  bool secure() const noexcept { return secure_; }
  http::request const& request() const noexcept { return *request_; }

 private:
  http::request const* request_;
  std::vector<std::string> const* subprotocols_;
  json const* auth_;
  std::string remote_address_;
  bool secure_;
};

/// Lets one client or Socket.IO socket in or not. Answer at once or later, on any thread; a
/// decision that is dropped refuses with 403, one that takes longer than `upgrade_timeout` with
/// 503; sockets get CONNECT_ERROR, and have `decision_timeout`.
class decision {
 public:
  explicit decision(pending_answer pending) : pending_(std::move(pending)) {}
  decision(decision&&) noexcept = default;
  decision& operator=(decision&& other) noexcept {
    drop();
    pending_ = std::move(other.pending_);
    return *this;
  }
  ~decision() { drop(); }

  /// Names the subprotocol to use; it must be one of those offered. Without it the first offered
  /// one that `server_options::subprotocols` lists is taken.
  decision& use_subprotocol(std::string name) {
    subprotocol_ = std::move(name);
    return *this;
  }

  void accept() { give(user_data()); }

  /// The value can be had from the connection by `socket::data<T>()`.
  template <class T>
  void accept(T value) {
    give(user_data(std::move(value)));
  }

  /// Refuses with an HTTP status; the text is for the client's developer to read.
  void reject(int status = 403, std::string text = {}) {
    pending_.give({.status = status, .body = std::move(text)});
  }
  void reject(std::string text) { reject(403, std::move(text)); }

  /// Refuses a Socket.IO socket: CONNECT_ERROR with this message and these data.
  void reject(std::string text, json details) {
    pending_.give({.status = 403, .body = std::move(text), .details = std::move(details)});
  }

 private:
  void give(user_data data) {
    pending_.give(
        {.accepted = true, .subprotocol = std::move(subprotocol_), .data = std::move(data)});
  }
  void drop() {
    if (pending_.open()) reject();
  }

  pending_answer pending_;
  std::string subprotocol_;
};

}  // namespace hawser::inline HAWSER_ABI
