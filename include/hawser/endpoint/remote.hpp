// A server or client as other threads see it.
#pragma once

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/endpoint/socket.hpp>
#include <hawser/endpoint/websocket.hpp>

namespace hawser::inline HAWSER_ABI {

/// Sends from any thread. Messages are copied where they are sent from, wait in a bounded
/// mailbox, and reach the server's thread in order, with one wake-up for each batch. Copyable;
/// works for ever: once the server has gone every call answers `not_open`.
///
/// Errors of all calls: `mailbox_full`, `not_open`. Whether a message was taken by its peer is not
/// known here.
class websocket_remote {
 public:
  explicit websocket_remote(anchor* at) noexcept : anchor_(at) {}

  std::error_code send(websocket const& to, std::string_view text, send_options how = {}) const {
    return mail(to, message_kind::text, as_bytes(text), how);
  }
  std::error_code send(websocket const& to, bytes_view binary, send_options how = {}) const {
    return mail(to, message_kind::binary, binary, how);
  }
  /// To everybody in the room.
  std::error_code send(websocket_room const& to, std::string_view text,
                       send_options how = {}) const {
    return mail(to, message_kind::text, as_bytes(text), how);
  }
  std::error_code send(websocket_room const& to, bytes_view binary, send_options how = {}) const {
    return mail(to, message_kind::binary, binary, how);
  }
  std::error_code close(websocket const& which, close_code code = close_code::normal,
                        std::string_view reason = {}) const {
    if (auto const error = ws::check_close(code, reason)) return error;
    return post([which, code, why = std::string(reason)] { (void)which.close(code, why); },
                reason.size());
  }

  /// Runs anything on the server's thread. `bytes` is what it counts for in the mailbox.
  std::error_code post(callback<void()> task, std::size_t bytes = 0) const {
    auto* const at = anchor_.get();
    return at ? at->mail().push(std::move(task), bytes) : make_error_code(errc::not_open);
  }

 private:
  // The message is built here: the server's thread copies nothing but what it queues.
  template <class Target>
  std::error_code mail(Target const& to, message_kind kind, bytes_view data,
                       send_options how) const {
    std::unique_ptr<std::byte[]> copy(new std::byte[data.size()]);
    if (!data.empty()) std::memcpy(copy.get(), data.data(), data.size());
    return post([to, kind, bytes = std::move(copy), size = data.size(),
                 how] { (void)to.send(message{kind, {bytes.get(), size}}, how); },
                data.size());
  }

  anchor_ref anchor_;
};

/// What the two below have in common: events are encoded where they are emitted, wait in a bounded
/// mailbox, and reach the thread of their server or client in order, with one wake-up for each
/// batch. Copyable; works for ever: once that has gone every call answers `not_open`.
///
/// Errors of all calls: `mailbox_full`, `not_open`; of emits also `bad_event_name`. Whether an
/// event was taken by its peers is not known here.
class event_remote {
 public:
  explicit event_remote(anchor* at) noexcept : anchor_(at) {}

  /// Runs anything on the thread of the server or client. `bytes` is what it counts for in the
  /// mailbox.
  std::error_code post(callback<void()> task, std::size_t bytes = 0) const {
    auto* const at = anchor_.get();
    return at ? at->mail().push(std::move(task), bytes) : make_error_code(errc::not_open);
  }

 protected:
  template <class Target, class... Args>
  std::error_code mail(Target const& to, std::string_view name, Args const&... arguments) const {
    event_payload<Args...> const what(name, arguments...);
    if (what.source().is_reserved()) return make_error_code(errc::bad_event_name);
    byte_buffer bytes = pack_event(what.source());
    std::size_t const size = bytes.size();
    return post(
        [to, bytes = std::move(bytes)] {
          value_tape tape;
          if (!unpack_event(bytes.view(), tape)) return;
          value_payload const content(tape.root());
          to.emit_payload(content.source());
        },
        size);
  }

 private:
  anchor_ref anchor_;
};

/// A Socket.IO server as other threads see it: see `event_remote`.
class remote : public event_remote {
 public:
  using event_remote::event_remote;

  template <writable... Args>
  std::error_code emit(socket const& to, std::string_view name, Args const&... arguments) const {
    return mail(to, name, arguments...);
  }
  template <writable... Args>
  std::error_code emit(room const& to, std::string_view name, Args const&... arguments) const {
    return mail(to, name, arguments...);
  }
  template <writable... Args>
  std::error_code emit(broadcast_operator const& to, std::string_view name,
                       Args const&... arguments) const {
    return mail(to, name, arguments...);
  }
  std::error_code disconnect(socket const& which, bool close = false) const {
    return post([which, close] { (void)which.disconnect(close); });
  }
};

}  // namespace hawser::inline HAWSER_ABI
