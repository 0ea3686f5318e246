// An answer that may come later, and from another thread: what decisions and replies are made of.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/codec/http/serialize.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/endpoint/anchor.hpp>

namespace hawser::inline HAWSER_ABI {

/// What was decided about a handshake, or replied to a request.
struct answer {
  bool accepted = false;
  int status = 0;
  std::string body{};
  std::string subprotocol{};
  std::vector<http::header> headers{};
  user_data data{};
  json details{};  ///< of a refused socket: what CONNECT_ERROR carries beside the text
};

/// Where the answer to one question is put, once. Whoever asked learns of it at once if it was
/// given before the asking call returned, else through the host's mailbox; no lock, and nobody
/// guesses which thread he is on.
class answer_slot {
 public:
  /// The asker: the call has returned. True if the answer is here already.
  bool stop_waiting_inline() noexcept {
    int expected = asked;
    return !stage_.compare_exchange_strong(expected, deferred, std::memory_order_acq_rel);
  }

  answer& value() noexcept { return value_; }

 private:
  friend class pending_answer;
  enum : int { asked, deferred, given };
  std::atomic<int> stage_{asked};
  answer value_;
};

/// The right to answer, exactly once. May be moved to another thread and answered there.
class pending_answer {
 public:
  pending_answer(anchor* at, answer_route to, std::shared_ptr<answer_slot> slot)
      : anchor_(at), to_(to), slot_(std::move(slot)) {}
  pending_answer(pending_answer&&) noexcept = default;
  pending_answer& operator=(pending_answer&&) noexcept = default;

  bool open() const noexcept { return slot_ != nullptr; }

  void give(answer value) {
    auto const slot = std::exchange(slot_, nullptr);
    if (!slot) return;
    slot->value_ = std::move(value);
    int const before = slot->stage_.exchange(answer_slot::given, std::memory_order_acq_rel);
    if (before != answer_slot::deferred) return;
    // An error means that the server is gone, and the connection with it.
    (void)anchor_.get()->mail().push(
        [at = anchor_, to = to_] {
          if (auto* const host = at.host()) host->answered(to);
        },
        0, true);
  }

 private:
  anchor_ref anchor_;
  answer_route to_;
  std::shared_ptr<answer_slot> slot_;
};

}  // namespace hawser::inline HAWSER_ABI
