// Handles: one connection, a room, and whom a broadcast reaches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/core/small_list.hpp>
#include <hawser/endpoint/anchor.hpp>

namespace hawser::inline HAWSER_ABI {

/// How one message is sent.
struct send_options {
  message_key key{};     ///< with `latest_by_key`: takes the place of a queued one with this key
  bool compress = true;  ///< false: never compressed, for secrets beside chosen text (RFC 7692 8)
};

/// The three ways to say what is sent, for everything that sends. To one connection, `send` answers
/// an error: `not_open`; `dropped` or `send_queue_full` as the backpressure policy decides. To
/// several, it encodes once and answers how many peers took the message.
template <class Sender>
class sends_messages {
 public:
  /// Sends text, which must be valid UTF-8. Messages to one peer leave in the order of the calls.
  auto send(std::string_view text, send_options how = {}) const {
    return self().transmit({message_kind::text, as_bytes(text), how.compress}, how.key);
  }
  /// Sends binary.
  auto send(bytes_view binary, send_options how = {}) const {
    return self().transmit({message_kind::binary, binary, how.compress}, how.key);
  }
  /// Sends what was received, or something like it.
  auto send(message const& like, send_options how = {}) const {
    return self().transmit({like.kind, like.data, how.compress}, how.key);
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
class socket : public sends_messages<socket> {
 public:
  socket() noexcept = default;
  socket(socket const& other) noexcept : sends_messages(), anchor_(other.anchor_), id_(other.id_) {
    if (anchor_) anchor_->retain();
  }
  // A handler's own parameter borrows the anchor, which outlives the call: it costs no atomic
  // operation. Moving out of it, as copying, takes a count.
  socket(socket&& other) noexcept : sends_messages(), anchor_(other.anchor_), id_(other.id_) {
    if (anchor_ && other.borrowed_) anchor_->retain();
    if (!other.borrowed_) other.anchor_ = nullptr;
  }
  socket& operator=(socket other) noexcept {
    std::swap(anchor_, other.anchor_);
    std::swap(id_, other.id_);
    std::swap(borrowed_, other.borrowed_);
    return *this;
  }
  ~socket() {
    if (anchor_ && !borrowed_) anchor_->release();
  }

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
  class audience to(std::string_view room) const;
  /// Everybody but this one.
  class audience broadcast() const;

  /// A number that no other connection of the same server has or had.
  std::uint64_t id() const noexcept { return std::uint64_t{id_.generation} << 32 | id_.slot; }

  friend bool operator==(socket const& a, socket const& b) noexcept {
    return a.anchor_ == b.anchor_ && a.id_ == b.id_;
  }

  // For the library: a handle that borrows the anchor, and one that counts.
  struct borrow {};
  socket(anchor& at, connection_id id, borrow) noexcept : anchor_(&at), id_(id), borrowed_(true) {}
  socket(anchor& at, connection_id id) noexcept : anchor_(&at), id_(id) { at.retain(); }
  anchor* anchored() const noexcept { return anchor_; }
  connection_id connection() const noexcept { return id_; }

 private:
  friend class sends_messages<socket>;

  std::error_code transmit(outgoing const& what, message_key key) const {
    auto* const at = host();
    return at ? at->send(id_, what, key) : make_error_code(errc::not_open);
  }
  socket_host* host() const noexcept { return anchor_ ? anchor_->host() : nullptr; }

  anchor* anchor_ = nullptr;
  connection_id id_;
  bool borrowed_ = false;
};

/// Whom a broadcast reaches: a value that every call leaves as it is and answers a wider or
/// narrower one. Each peer gets a message once, in however many of the rooms it is. Rooms are
/// looked up when named: use it up in the same turn.
class audience : public sends_messages<audience> {
 public:
  /// Adds a room's members; the first one replaces "everybody".
  audience to(std::string_view room) const& { return audience(*this).to(room); }
  audience to(std::string_view room) && {
    everyone_ = false;
    add(rooms_, room);
    return std::move(*this);
  }
  /// Leaves a room's members out.
  audience except(std::string_view room) const& { return audience(*this).except(room); }
  audience except(std::string_view room) && {
    add(except_rooms_, room);
    return std::move(*this);
  }
  /// Leaves one connection out.
  audience except(socket const& one) const& { return audience(*this).except(one); }
  audience except(socket const& one) && {
    except_.push_back(one.connection());
    return std::move(*this);
  }

  /// For the library: everybody connected to this host.
  explicit audience(anchor* at) noexcept : anchor_(at) {}

 private:
  friend class sends_messages<audience>;
  using rooms = small_list<room_id, 4>;

  void add(rooms& list, std::string_view room) const {
    auto* const at = anchor_.host();
    room_id const id = at ? at->find_room(room) : room_id{};
    if (id) list.push_back(id);
  }
  std::size_t transmit(outgoing const& what, message_key key) const {
    auto* const at = anchor_.host();
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
class room : public sends_messages<room> {
 public:
  room() = default;

  std::string const& name() const noexcept { return name_; }

  /// Members at the moment.
  std::size_t size() const {
    auto* const at = anchor_.host();
    return at ? at->room_size(resolved(*at)) : 0;
  }

  /// The members but one.
  audience except(socket const& one) const { return audience(anchor_.get()).to(name_).except(one); }

  /// For the library.
  room(anchor* at, std::string_view name) : anchor_(at), name_(name) {}

 private:
  friend class sends_messages<room>;

  room_id resolved(socket_host& at) const {
    if (!id_ || at.room_size(id_) == 0) id_ = at.find_room(name_);
    return id_;
  }
  std::size_t transmit(outgoing const& what, message_key key) const {
    auto* const at = anchor_.host();
    if (!at) return 0;
    room_id const id = resolved(*at);
    return at->broadcast({false, {&id, 1}, {}, {}}, what, key);
  }

  anchor_ref anchor_;
  std::string name_;
  mutable room_id id_;
};

inline audience socket::to(std::string_view room) const {
  return audience(anchor_).to(room).except(*this);
}
inline audience socket::broadcast() const { return audience(anchor_).except(*this); }

}  // namespace hawser::inline HAWSER_ABI

template <>
struct std::hash<hawser::socket> {
  std::size_t operator()(hawser::socket const& one) const noexcept {
    return std::hash<std::uint64_t>()(one.id()) ^ std::hash<void*>()(one.anchored());
  }
};
