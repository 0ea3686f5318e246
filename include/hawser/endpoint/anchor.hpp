// What handles hold on to: a small block that outlives the server or client that made it.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>

#include <hawser/endpoint/mailbox.hpp>

namespace hawser::inline HAWSER_ABI {

/// Names one connection of one server, for ever: a slot is used again, its generation is not.
struct connection_id {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  // As one number: this is asked for every message.
  friend bool operator==(connection_id const& a, connection_id const& b) noexcept {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  }
};

/// Whose answer it is: that of a connection's accept step or request, or of a socket's middleware.
struct answer_route {
  connection_id id;
  bool of_socket = false;
};

/// What an anchor points to.
class endpoint_host {
 public:
  /// A pending answer, see `answer_slot`, has come.
  virtual void answered(answer_route to) = 0;

 protected:
  ~endpoint_host() = default;
};

/// Shared by a host and all handles to it. The count is atomic because handles travel in lambdas
/// to other threads; the pointer is used on the host's thread only.
class anchor {
 public:
  explicit anchor(endpoint_host& owner) noexcept : host_(&owner) {}

  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Null once the server or client is gone.
  endpoint_host* host() const noexcept { return host_; }
  mailbox& mail() noexcept { return mail_; }

  /// The host goes. Handles become no-ops.
  void detach() noexcept {
    host_ = nullptr;
    mail_.close();
  }

 private:
  ~anchor() = default;
  std::atomic<std::uint32_t> count_{1};
  endpoint_host* host_;
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
  endpoint_host* host() const noexcept { return at_ ? at_->host() : nullptr; }

 private:
  anchor* at_ = nullptr;
};

/// What a handle of one thing is made of: an anchor and an id.
template <class Id>
class anchored_id {
 public:
  anchored_id() noexcept = default;
  anchored_id(anchored_id const& other) noexcept : anchor_(other.anchor_), id_(other.id_) {
    if (anchor_) anchor_->retain();
  }
  // A handler's own parameter borrows the anchor, which outlives the call: it costs no atomic
  // operation. Moving out of it, as copying, takes a count.
  anchored_id(anchored_id&& other) noexcept : anchor_(other.anchor_), id_(other.id_) {
    if (anchor_ && other.borrowed_) anchor_->retain();
    if (!other.borrowed_) other.anchor_ = nullptr;
  }
  anchored_id& operator=(anchored_id other) noexcept {
    std::swap(anchor_, other.anchor_);
    std::swap(id_, other.id_);
    std::swap(borrowed_, other.borrowed_);
    return *this;
  }
  ~anchored_id() {
    if (anchor_ && !borrowed_) anchor_->release();
  }

  // For the library: a handle that borrows the anchor, and one that counts.
  struct borrow {};
  anchored_id(anchor& at, Id id, borrow) noexcept : anchor_(&at), id_(id), borrowed_(true) {}
  anchored_id(anchor& at, Id id) noexcept : anchor_(&at), id_(id) { at.retain(); }
  anchor* anchored() const noexcept { return anchor_; }

  friend bool operator==(anchored_id const& a, anchored_id const& b) noexcept {
    return a.anchor_ == b.anchor_ && a.id_ == b.id_;
  }

 protected:
  anchor* anchor_ = nullptr;
  Id id_;

 private:
  bool borrowed_ = false;
};

}  // namespace hawser::inline HAWSER_ABI
