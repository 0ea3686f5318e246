// Accepts connections, and survives running out of descriptors.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include <asio/error.hpp>

#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A descriptor kept in reserve, so that a connection can be taken and closed when there is none
/// left: else it would stay in the backlog and wake the server again and again.
class reserve_descriptor {
 public:
  reserve_descriptor() noexcept { acquire(); }
  ~reserve_descriptor() { release(); }
  reserve_descriptor(reserve_descriptor const&) = delete;
  reserve_descriptor& operator=(reserve_descriptor const&) = delete;

  bool held() const noexcept { return file_ != nullptr; }
  void acquire() noexcept {
    if (!file_) file_ = std::fopen("/dev/null", "r");
  }
  void release() noexcept {
    if (file_) std::fclose(std::exchange(file_, nullptr));
  }

 private:
  std::FILE* file_ = nullptr;
};

/// A wait for the next connection. Copyable, because one address may mean several sockets.
template <class Owner, class Listener>
class accept_wait {
 public:
  accept_wait(Owner& owner, Listener& at) : anchor_(&owner.anchored()), owner_(&owner), at_(&at) {}
  void operator()(std::error_code error) {
    if (anchor_.host()) owner_->on_acceptable(at_, error);
  }

 private:
  anchor_ref anchor_;
  Owner* owner_;
  Listener* at_;
};

/// One listening address. `Owner` takes the streams and tells when to try again.
template <class Owner>
class listener : public wheel_entry {
 public:
  using transport = typename Owner::policies::transport;

  listener(Owner& owner, typename transport::context& context)
      : owner_(owner), acceptor_(context) {}

  std::error_code open(listen_address const& where) {
    if (auto const error = acceptor_.open(where)) return error;
    wait();
    return {};
  }
  void close() noexcept {
    closed_ = true;
    acceptor_.close();
  }
  std::uint16_t port() const noexcept { return acceptor_.port(); }

  /// The wait for the next connection is over.
  void on_acceptable(std::error_code error) {
    if (closed_ || error == asio::error::operation_aborted) return;
    error ? pause(error) : accept();
  }

  /// The pause after a failure is over.
  void resume() { accept(); }

 private:
  static constexpr int batch = 64;  // fairness: others get their turn between batches
  static constexpr auto first_pause = std::chrono::milliseconds{50};
  static constexpr auto longest_pause = std::chrono::milliseconds{1'000};

  void wait() { acceptor_.wait(accept_wait<Owner, listener>(owner_, *this)); }

  void accept() {
    for (int i = 0; i < batch && !closed_; ++i) {
      auto taken = acceptor_.accept();
      if (taken) {
        pause_ = first_pause;
        reserve_.acquire();
        owner_.take(std::move(*taken));
        continue;
      }
      auto const error = taken.error();
      if (is_would_block(error)) break;
      // The client gave up while it waited: the next one may be fine.
      if (error == asio::error::connection_aborted || error == asio::error::connection_reset ||
          error == asio::error::interrupted) {
        continue;
      }
      return pause(error);
    }
    if (!closed_) wait();
  }

  // Out of descriptors or memory: one connection is shed, then a pause that doubles, so that this
  // neither spins nor stops accepting for good.
  void pause(std::error_code error) {
    owner_.accept_failed(error);
    if (closed_) return;
    if (reserve_.held()) {
      reserve_.release();
      (void)acceptor_.accept();
      reserve_.acquire();
    }
    owner_.schedule(*this, owner_.now() + pause_);
    pause_ = std::min(pause_ * 2, longest_pause);
  }

  Owner& owner_;
  typename transport::acceptor acceptor_;
  reserve_descriptor reserve_;
  std::chrono::milliseconds pause_ = first_pause;
  bool closed_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
