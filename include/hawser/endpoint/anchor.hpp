// What handles hold on to: a small block that outlives the server or client that made it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/payload.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/mailbox.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/policy/rooms.hpp>

namespace hawser::inline HAWSER_ABI {

/// Names one connection of one server, for ever: a slot is used again, its generation is not.
struct connection_id {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(connection_id const&) const noexcept = default;
};

/// Who a broadcast reaches.
struct audience_view {
  bool everyone = false;
  std::span<room_id const> rooms;
  std::span<room_id const> except_rooms;
  std::span<connection_id const> except;
};

/// What handles ask of their server or client. Handles are one type whatever the policies are, so
/// that handlers need no templates: that is what these virtual calls, one per send, are for.
class socket_host {
 public:
  virtual std::error_code send(connection_id id, outgoing const& message, message_key key) = 0;
  virtual std::error_code close(connection_id id, close_code code, std::string_view reason) = 0;
  virtual std::error_code terminate(connection_id id) = 0;
  virtual bool is_open(connection_id id) = 0;
  virtual user_data* data(connection_id id) = 0;
  virtual std::string remote_address(connection_id id) = 0;
  virtual std::string_view subprotocol(connection_id id) = 0;
  virtual backlog queued(connection_id id) = 0;
  virtual bool join(connection_id id, std::string_view room) = 0;
  virtual bool leave(connection_id id, std::string_view room) = 0;
  virtual room_id find_room(std::string_view room) = 0;
  virtual std::size_t room_size(room_id id) = 0;
  virtual std::size_t broadcast(audience_view const& to, outgoing const& message,
                                message_key key) = 0;
  /// The pending answer of this connection, see `answer_slot`, has come.
  virtual void answered(connection_id id) = 0;

 protected:
  ~socket_host() = default;
};

/// Shared by a host and all handles to it. The count is atomic because handles travel in lambdas
/// to other threads; the pointer is used on the host's thread only.
class anchor {
 public:
  explicit anchor(socket_host& owner) noexcept : host_(&owner) {}

  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Null once the server or client is gone.
  socket_host* host() const noexcept { return host_; }
  mailbox& mail() noexcept { return mail_; }

  /// The host goes. Handles become no-ops.
  void detach() noexcept {
    host_ = nullptr;
    mail_.close();
  }

 private:
  ~anchor() = default;
  std::atomic<std::uint32_t> count_{1};
  socket_host* host_;
  mailbox mail_;
};

/// A counted pointer to an anchor.
class anchor_ref {
 public:
  anchor_ref() noexcept = default;
  explicit anchor_ref(anchor* at) noexcept : at_(at) {
    if (at_) at_->retain();
  }
  anchor_ref(anchor_ref const& other) noexcept : anchor_ref(other.at_) {}
  anchor_ref(anchor_ref&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  anchor_ref& operator=(anchor_ref other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~anchor_ref() {
    if (at_) at_->release();
  }

  anchor* get() const noexcept { return at_; }
  socket_host* host() const noexcept { return at_ ? at_->host() : nullptr; }

 private:
  anchor* at_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI
