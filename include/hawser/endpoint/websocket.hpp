// Handles of raw WebSocket servers: one connection, a room, and whom a broadcast reaches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/core/small_list.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/policy/rooms.hpp>

namespace hawser::inline HAWSER_ABI {

/// Who a broadcast reaches.
struct audience_view {
  bool everyone = false;
  std::span<room_id const> rooms;
  std::span<room_id const> except_rooms;
  std::span<connection_id const> except;
};

/// What handles ask of their server or client. Handles are one type whatever the policies are, so
/// that handlers need no templates: that is what these virtual calls, one per send, are for.
class websocket_host : public endpoint_host {
 public:
  virtual std::error_code send(connection_id id, outgoing const& message,
                               message_key const& key) = 0;
  virtual std::error_code close(connection_id id, close_code code, std::string_view reason) = 0;
  virtual std::error_code terminate(connection_id id) = 0;
  virtual bool is_open(connection_id id) = 0;
  virtual user_data* data(connection_id id) = 0;
  virtual std::string remote_address(connection_id id) = 0;
  virtual std::string_view subprotocol(connection_id id) = 0;
  virtual backlog queued(connection_id id) = 0;
  virtual void flush_one(connection_id id) = 0;
  virtual bool join(connection_id id, std::string_view room) = 0;
  virtual bool leave(connection_id id, std::string_view room) = 0;
  virtual room_id find_room(std::string_view room) = 0;
  virtual std::size_t room_size(room_id id) = 0;
  virtual std::size_t broadcast(audience_view const& to, outgoing const& message,
                                message_key const& key) = 0;

  /// Null once the server or client is gone.
  static websocket_host* of(anchor* at) noexcept {
    return at ? static_cast<websocket_host*>(at->host()) : nullptr;
  }

 protected:
  ~websocket_host() = default;
};

/// How one message is sent.
struct send_options {
  message_key key{};     ///< with `latest_by_key`: takes the place of a queued one with this key
  bool compress = true;  ///< false: never compressed, for secrets beside chosen text (RFC 7692 8)
  bool at_once = false;  ///< to one peer: not with the next flush, but now, with all that is queued
};

/// The three ways to say what is sent, for everything that sends. To one connection, `send` answers
/// an error: `not_open`; `dropped` or `send_queue_full` as the backpressure policy decides. To
/// several, it encodes once and answers how many peers took the message.
template <class Sender>
class sends_messages {
 public:
  /// Sends text, which must be valid UTF-8. Messages to one peer leave in the order of the calls.
  auto send(std::string_view text, send_options how = {}) const {
    return self().transmit({message_kind::text, as_bytes(text), how.compress, how.at_once},
                           how.key);
  }
  /// Sends binary.
  auto send(bytes_view binary, send_options how = {}) const {
    return self().transmit({message_kind::binary, binary, how.compress, how.at_once}, how.key);
  }
  /// Sends what was received, or something like it.
  auto send(message const& like, send_options how = {}) const {
    return self().transmit({like.kind, like.data, how.compress, how.at_once}, how.key);
  }

 private:
  Sender const& self() const noexcept { return static_cast<Sender const&>(*this); }
};

/// One connection of a server, or the connection of a client. Copyable, safe to keep for ever: on
/// a connection that has ended, and after the server has gone, every call is a no-op with
/// `errc::not_open`.
///
/// *Threads*: copies may be made and destroyed anywhere, compared and hashed too; everything else
/// on the server's thread only, from handlers or between polls. Other threads use `remote`.
class websocket : public anchored_id<connection_id>, public sends_messages<websocket> {
 public:
  using anchored_id::anchored_id;

  /// Starts the closing handshake behind what is queued (RFC 6455 section 7.1.2); no message is
  /// delivered after it. The close event comes when the peer has answered, or after
  /// `close_timeout`. Errors: `not_open`; `bad_argument` for a code or reason that may not be sent.
  std::error_code close(close_code code = close_code::normal, std::string_view reason = {}) const {
    auto* const at = host();
    return at ? at->close(id_, code, reason) : make_error_code(errc::not_open);
  }

  /// Ends the connection at once, without a closing handshake; the peer sees a reset.
  std::error_code terminate() const {
    auto* const at = host();
    return at ? at->terminate(id_) : make_error_code(errc::not_open);
  }

  /// Whether messages can be sent.
  bool is_open() const {
    auto* const at = host();
    return at && at->is_open(id_);
  }
  explicit operator bool() const { return is_open(); }

  /// The value given to `decision::accept`, while the connection exists, its close event included.
  /// Null if there is none or it is of another type.
  template <class T>
  T* data() const {
    auto* const at = host();
    auto* const box = at ? at->data(id_) : nullptr;
    return box ? box->template get<T>() : nullptr;
  }
  /// Replaces the connection's value. False if the connection is gone.
  template <class T>
  bool set_data(T value) const {
    auto* const at = host();
    auto* const box = at ? at->data(id_) : nullptr;
    if (box) *box = user_data(std::move(value));
    return box != nullptr;
  }

  /// "192.0.2.1:80", "[2001:db8::1]:80" or "unix"; empty if gone.
  std::string remote_address() const {
    auto* const at = host();
    return at ? at->remote_address(id_) : std::string();
  }
  /// The agreed subprotocol, or empty; valid while the connection is.
  std::string_view subprotocol() const {
    auto* const at = host();
    return at ? at->subprotocol(id_) : std::string_view();
  }
  /// What waits to be sent, in bytes and messages.
  backlog queued() const {
    auto* const at = host();
    return at ? at->queued(id_) : backlog{};
  }

  /// Sends at once what has been queued for this one, where the rest waits for the server's flush:
  /// behind the last message of a tick, while its bytes are still in the processor's caches.
  void flush() const {
    if (auto* const at = host()) at->flush_one(id_);
  }

  /// Enters a room. False if already in it, over a limit, or closed.
  bool join(std::string_view room) const {
    auto* const at = host();
    return at && at->join(id_, room);
  }
  /// Leaves a room. False if it wasn't in it. A connection that ends leaves all of its rooms.
  bool leave(std::string_view room) const {
    auto* const at = host();
    return at && at->leave(id_, room);
  }

  /// Everybody in the room but this one.
  class websocket_audience to(std::string_view room) const;
  /// Everybody but this one.
  class websocket_audience broadcast() const;

  /// A number that no other connection of the same server has or had.
  std::uint64_t id() const noexcept { return std::uint64_t{id_.generation} << 32 | id_.slot; }

  // For the library.
  connection_id connection() const noexcept { return id_; }

 private:
  friend class sends_messages<websocket>;

  std::error_code transmit(outgoing const& what, message_key const& key) const {
    auto* const at = host();
    return at ? at->send(id_, what, key) : make_error_code(errc::not_open);
  }
  websocket_host* host() const noexcept { return websocket_host::of(anchor_); }
};

/// Whom a broadcast reaches: a value that every call leaves as it is and answers a wider or
/// narrower one. Each peer gets a message once, in however many of the rooms it is. Rooms are
/// looked up when named: use it up in the same turn.
class websocket_audience : public sends_messages<websocket_audience> {
 public:
  /// Adds a room's members; the first one replaces "everybody".
  websocket_audience to(std::string_view room) const& { return websocket_audience(*this).to(room); }
  websocket_audience to(std::string_view room) && {
    everyone_ = false;
    add(rooms_, room);
    return std::move(*this);
  }
  /// Leaves a room's members out.
  websocket_audience except(std::string_view room) const& {
    return websocket_audience(*this).except(room);
  }
  websocket_audience except(std::string_view room) && {
    add(except_rooms_, room);
    return std::move(*this);
  }
  /// Leaves one connection out.
  websocket_audience except(websocket const& one) const& {
    return websocket_audience(*this).except(one);
  }
  websocket_audience except(websocket const& one) && {
    except_.push_back(one.connection());
    return std::move(*this);
  }

  /// For the library: everybody connected to this host.
  explicit websocket_audience(anchor* at) noexcept : anchor_(at) {}

 private:
  friend class sends_messages<websocket_audience>;
  using rooms = small_list<room_id, 4>;

  void add(rooms& list, std::string_view room) const {
    auto* const at = websocket_host::of(anchor_.get());
    room_id const id = at ? at->find_room(room) : room_id{};
    if (id) list.push_back(id);
  }
  std::size_t transmit(outgoing const& what, message_key const& key) const {
    auto* const at = websocket_host::of(anchor_.get());
    if (!at) return 0;
    return at->broadcast({everyone_, rooms_.view(), except_rooms_.view(), except_.view()}, what,
                         key);
  }

  anchor_ref anchor_;
  bool everyone_ = true;
  rooms rooms_;
  rooms except_rooms_;
  small_list<connection_id, 2> except_;
};

/// A room by name, looked up once and again only after it was empty. Copyable; threads as `socket`.
class websocket_room : public sends_messages<websocket_room> {
 public:
  websocket_room() = default;

  std::string const& name() const noexcept { return name_; }

  /// Members at the moment.
  std::size_t size() const {
    auto* const at = websocket_host::of(anchor_.get());
    return at ? at->room_size(resolved(*at)) : 0;
  }

  /// The members but one.
  websocket_audience except(websocket const& one) const {
    return websocket_audience(anchor_.get()).to(name_).except(one);
  }

  /// For the library.
  websocket_room(anchor* at, std::string_view name) : anchor_(at), name_(name) {}

 private:
  friend class sends_messages<websocket_room>;

  room_id resolved(websocket_host& at) const {
    if (!id_ || at.room_size(id_) == 0) id_ = at.find_room(name_);
    return id_;
  }
  std::size_t transmit(outgoing const& what, message_key const& key) const {
    auto* const at = websocket_host::of(anchor_.get());
    if (!at) return 0;
    room_id const id = resolved(*at);
    return at->broadcast({false, {&id, 1}, {}, {}}, what, key);
  }

  anchor_ref anchor_;
  std::string name_;
  mutable room_id id_;
};

inline websocket_audience websocket::to(std::string_view room) const {
  return websocket_audience(anchor_).to(room).except(*this);
}
inline websocket_audience websocket::broadcast() const {
  return websocket_audience(anchor_).except(*this);
}

}  // namespace hawser::inline HAWSER_ABI

template <>
struct std::hash<hawser::websocket> {
  std::size_t operator()(hawser::websocket const& one) const noexcept {
    return std::hash<std::uint64_t>()(one.id()) ^ std::hash<void*>()(one.anchored());
  }
};
