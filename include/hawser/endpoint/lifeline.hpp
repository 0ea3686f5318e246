// Lets an execution context go before the servers and clients that live on it.
#pragma once

#include <utility>

#include <asio/execution_context.hpp>

#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Somebody who holds sockets and timers of an execution context.
class context_guest {
 public:
  /// The context is about to go: give back everything that belongs to it.
  virtual void context_gone() noexcept = 0;

 protected:
  ~context_guest() = default;

 private:
  friend class lifeline;
  context_guest* next_ = nullptr;
  context_guest** link_ = nullptr;
};

/// The context's list of guests. Asio destroys sockets safely only while their services exist,
/// and calls `shutdown` in time.
class lifeline : public asio::execution_context::service {
 public:
  using key_type = lifeline;
  inline static asio::execution_context::id id;

  explicit lifeline(asio::execution_context& owner) : asio::execution_context::service(owner) {}

  void enter(context_guest& guest) noexcept {
    guest.next_ = first_;
    guest.link_ = &first_;
    if (first_) first_->link_ = &guest.next_;
    first_ = &guest;
  }

  static void leave(context_guest& guest) noexcept {
    if (!guest.link_) return;
    *guest.link_ = guest.next_;
    if (guest.next_) guest.next_->link_ = guest.link_;
    guest.link_ = nullptr;
    guest.next_ = nullptr;
  }

 private:
  void shutdown() override {
    while (first_) {
      context_guest& guest = *first_;
      leave(guest);
      guest.context_gone();
    }
  }

  context_guest* first_ = nullptr;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
