// Whom a Socket.IO broadcast reaches: operators as immutable values, and rooms that were looked up.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/emission.hpp>
#include <hawser/endpoint/socketio_host.hpp>

namespace hawser::inline HAWSER_ABI {

class socket;
template <class Self>
class has_handlers;

/// A namespace as handles hold it.
struct nsp_ref {
  anchor_ref at;
  std::uint64_t number = 0;

  socketio_host* host() const noexcept { return socketio_host::of(at.get()); }
  nsp_record* find() const {
    auto* const server = host();
    return server ? server->find_nsp(number) : nullptr;
  }
};

/// Room names in one piece of memory: up to 64 bytes of them cost no allocation.
class room_names {
 public:
  void add(std::string_view name) {
    text_.append(name);
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::size_t index) const noexcept {
    std::size_t const begin = index == 0 ? 0 : ends_.view()[index - 1];
    return std::string_view(text_).substr(begin, ends_.view()[index] - begin);
  }

 private:
  std::string text_;
  small_list<std::uint32_t, 4> ends_;
};

/// A socket as `fetch_sockets` describes it.
struct socket_description {
  std::string id;
  std::vector<std::string> rooms;
  json data;       ///< what another node told; null for sockets of this server: see `socket::data`
  json handshake;  ///< headers, address, xdomain, secure, issued, url, auth; named as in Node
};

/// Whom an event reaches, and how: a value that every call leaves as it is and answers another one.
/// Every socket gets an event once, in however many of the rooms it is. Threads as `socket`.
class broadcast_operator : public emits_events<broadcast_operator> {
 public:
  /// Adds the members of a room; the first one replaces "everybody in the namespace". A socket's
  /// id is a room with that socket in it.
  [[nodiscard]] broadcast_operator to(std::string_view room) const& {
    return broadcast_operator(*this).to(room);
  }
  [[nodiscard]] broadcast_operator to(std::string_view room) && {
    to_.add(room);
    return std::move(*this);
  }
  /// The same.
  [[nodiscard]] broadcast_operator in(std::string_view room) const& { return to(room); }
  [[nodiscard]] broadcast_operator in(std::string_view room) && {
    return std::move(*this).to(room);
  }
  /// Leaves the members of a room out.
  [[nodiscard]] broadcast_operator except(std::string_view room) const& {
    return broadcast_operator(*this).except(room);
  }
  [[nodiscard]] broadcast_operator except(std::string_view room) && {
    except_.add(room);
    return std::move(*this);
  }
  /// Leaves one socket out.
  [[nodiscard]] broadcast_operator except(socket const& one) const;

  /// Only sockets of this server, not of the cluster.
  [[nodiscard]] broadcast_operator local() const {
    return changed([](auto& f) { f.local = true; });
  }
  /// Dropped for sockets that can't take it now: JavaScript's `volatile`.
  [[nodiscard]] broadcast_operator unreliable() const {
    return changed([](auto& f) { f.droppable = true; });
  }
  [[nodiscard]] broadcast_operator compress(bool yes) const {
    return changed([yes](auto& f) { f.compress = yes; });
  }
  /// How long acknowledgements are awaited.
  [[nodiscard]] broadcast_operator timeout(std::chrono::milliseconds time) const {
    return changed([time](auto& f) { f.timeout = time; });
  }

  /// Lets all of them enter, or leave, these rooms.
  void sockets_join(std::initializer_list<std::string_view> rooms) const { move(rooms, false); }
  void sockets_leave(std::initializer_list<std::string_view> rooms) const { move(rooms, true); }
  void sockets_join(std::string_view room) const { move({room}, false); }
  void sockets_leave(std::string_view room) const { move({room}, true); }

  /// Disconnects them from the namespace; with `close`, their whole connections.
  void disconnect_sockets(bool close = false) const {
    with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& who) {
      at.disconnect_all(in, who, how_.local, close);
    });
  }

  /// Calls `void(socket)` for each of them that this server has.
  template <std::invocable<socket> Visit>
  void for_each(Visit visit) const;

  /// Describes all of them: `void(std::error_code, std::vector<socket_description>)`, called once;
  /// an error means that not all nodes of the cluster have answered.
  void fetch_sockets(callback<void(std::error_code, std::vector<socket_description>)> told) const {
    auto* const at = in_.host();
    auto* const nsp = at ? at->find_nsp(in_.number) : nullptr;
    if (!nsp) return told(make_error_code(errc::not_open), {});
    with_target([&](socketio_host& server, nsp_record& in, broadcast_target const& who) {
      server.fetch(in, who, how_, std::move(told));
    });
  }

  /// How many sockets of this server are meant.
  std::size_t size() const {
    std::size_t count = 0;
    with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& who) {
      at.visit(in, who, [&count](socket_record&) { ++count; });
    });
    return count;
  }

  /// For the library.
  explicit broadcast_operator(nsp_ref in, emit_flags how = {},
                              std::optional<socket_id> except = {}) noexcept
      : in_(std::move(in)), how_(how), except_socket_(except) {}
  emit_flags const& flags() const noexcept { return how_; }

 private:
  friend class emits_events<broadcast_operator>;
  friend class room;
  template <class>
  friend class has_handlers;

  template <class Change>
  broadcast_operator changed(Change&& change) const {
    broadcast_operator copy(*this);
    change(copy.how_);
    return copy;
  }

  template <class Call>
  void with_target(Call&& call) const {
    auto* const at = in_.host();
    auto* const nsp = at ? at->find_nsp(in_.number) : nullptr;
    if (!nsp) return;
    small_list<room_name, 4> to, except;
    for (std::size_t i = 0; i < to_.size(); ++i) to.push_back({to_[i]});
    for (std::size_t i = 0; i < except_.size(); ++i) except.push_back({except_[i]});
    call(*at, *nsp, broadcast_target{to.view(), except.view(), except_socket_});
  }

  std::size_t transmit(payload_source what, emit_flags const& how) const {
    std::size_t taken = 0;
    with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& to) {
      taken = at.broadcast(in, to, what, how);
    });
    return taken;
  }

  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    auto told = collect(std::forward<Handler>(handler));
    if (in_.host() && !in_.find()) return told(make_error_code(errc::not_open), nullptr);
    with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& to) {
      at.broadcast_with_ack(in, to, what, how, std::move(told));
    });
  }

  // Gathers what is answered, in the handler's own type.
  template <class Handler>
  static broadcast_ack_callback collect(Handler&& handler) {
    static_assert(list_ack_handler<Handler>,
                  "ack_handler: several may answer, so they are told as "
                  "void(std::error_code, std::vector<Result>)");
    using list =
        std::remove_cvref_t<std::tuple_element_t<1, typename call_signature<Handler>::parameters>>;
    return [handler = std::decay_t<Handler>(std::forward<Handler>(handler)), answers = list(),
            all_fit = true](std::error_code error, value const* one) mutable {
      if (one) {
        typename list::value_type read{};
        bool const fit = read_value((*one)[0], read);
        if (fit) answers.push_back(std::move(read));
        all_fit = all_fit && fit;  // a bad answer doesn't cost the others theirs
        return;
      }
      if (!error && !all_fit) error = make_error_code(errc::argument_mismatch);
      handler(error, std::move(answers));
    };
  }

  void move(std::initializer_list<std::string_view> rooms, bool leave) const {
    with_target([&](socketio_host& at, nsp_record& in, broadcast_target const& who) {
      at.join_all(in, who, how_.local, {rooms.begin(), rooms.size()}, leave);
    });
  }

  nsp_ref in_;
  room_names to_;
  room_names except_;
  emit_flags how_;
  std::optional<socket_id> except_socket_;
};

/// A room of a namespace by name, looked up once and again only after it was empty: what a game
/// loop holds on to. Copyable; threads as `socket`.
class room : public emits_events<room> {
 public:
  room() = default;

  std::string const& name() const noexcept { return name_; }

  /// Sockets of this server in it.
  std::size_t size() const {
    auto* const at = in_.host();
    auto* const nsp = at ? at->find_nsp(in_.number) : nullptr;
    return nsp ? at->room_size(*nsp, resolved(*at, *nsp)) : 0;
  }

  /// The same as an operator, for everything that is not a plain emit.
  broadcast_operator all() const { return broadcast_operator(in_).to(name_); }
  broadcast_operator except(socket const& one) const { return all().except(one); }

  /// For the library.
  room(nsp_ref in, std::string_view name) : in_(std::move(in)), name_(name) {}
  emit_flags flags() const noexcept { return {}; }

 private:
  friend class emits_events<room>;

  room_id resolved(socketio_host& at, nsp_record& in) const {
    if (!id_ || at.room_size(in, id_) == 0) id_ = at.find_room(in, name_);
    return id_;
  }

  std::size_t transmit(payload_source what, emit_flags const& how) const {
    auto* const at = in_.host();
    auto* const nsp = at ? at->find_nsp(in_.number) : nullptr;
    if (!nsp) return 0;
    room_name const here{name_, resolved(*at, *nsp)};
    return at->broadcast(*nsp, {{&here, 1}, {}, {}}, what, how);
  }
  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    all().transmit_with_ack(what, how, std::forward<Handler>(handler));
  }

  nsp_ref in_;
  std::string name_;
  mutable room_id id_;
};

}  // namespace hawser::inline HAWSER_ABI
