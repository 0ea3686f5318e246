// A client's way from one connection to the next, as a state machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <hawser/policy/reconnect.hpp>

namespace hawser::inline HAWSER_ABI {

/// Where a client is.
enum class client_state : std::uint8_t {
  disconnected,  ///< and stays it until the user connects
  connecting,    ///< the user's attempt is under way
  connected,
  disconnecting,  ///< the user has closed; what was sent before still leaves
  reconnecting    ///< an attempt of its own is under way, or waits for its time
};

/// Numbers attempts and asks the policy about the next one. Its user dials, keeps the deadline, and
/// tells what came of it.
template <reconnect_policy Reconnect>
class redial {
 public:
  enum class step : std::uint8_t {
    nothing,
    dial,        ///< now
    dial_later,  ///< after `delay`, by calling `due`
    give_up      ///< there won't be another attempt
  };
  struct verdict {
    step what = step::nothing;
    std::chrono::milliseconds delay{0};
  };

  explicit redial(typename Reconnect::options const& numbers) : policy_(numbers) {}

  client_state state() const noexcept { return state_; }
  /// The number of the attempt under way or waited for, from 1; 0: the user's own.
  std::uint32_t attempt() const noexcept { return attempt_; }
  /// Whether the next attempt waits for its time.
  bool waits() const noexcept { return waits_; }

  /// The user connects. An attempt that waits for its time is made now; nothing if there is a
  /// connection, or an attempt under way.
  verdict begin() noexcept {
    if (state_ != client_state::disconnected) return due();
    state_ = client_state::connecting;
    return {step::dial};
  }

  /// The time of the next attempt has come.
  verdict due() noexcept {
    if (!std::exchange(waits_, false)) return {};
    return {step::dial};
  }

  /// An attempt has succeeded. Answers its number: 0 was the user's own.
  std::uint32_t opened() noexcept {
    policy_.reset();
    state_ = client_state::connected;
    return std::exchange(attempt_, 0u);
  }

  /// An attempt has failed, or the connection was lost. Not `wanted`: it was the server's refusal.
  verdict failed(attempt_failure const& why, bool wanted, std::uint64_t random) noexcept {
    if (state_ == client_state::disconnected || state_ == client_state::disconnecting) return {};
    auto const delay = wanted ? policy_.next(why, random) : std::nullopt;
    if (!delay) {
      bool const tried = state_ == client_state::reconnecting;
      end();
      return {tried ? step::give_up : step::nothing};
    }
    state_ = client_state::reconnecting;
    if (attempt_ < UINT32_MAX) ++attempt_;
    waits_ = true;
    return {step::dial_later, *delay};
  }

  /// The user closes. True if there is a connection to be closed first; call `end` behind it.
  bool close() noexcept {
    bool const connected = state_ == client_state::connected;
    if (connected) {
      state_ = client_state::disconnecting;
    } else if (state_ != client_state::disconnecting) {
      end();
    }
    return connected;
  }
  void end() noexcept {
    state_ = client_state::disconnected;
    attempt_ = 0;
    waits_ = false;
    policy_.reset();
  }

 private:
  Reconnect policy_;
  client_state state_ = client_state::disconnected;
  std::uint32_t attempt_ = 0;
  bool waits_ = false;
};

}  // namespace hawser::inline HAWSER_ABI
