// Socket.IO connection state recovery: sessions that wait for their clients to come back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/timing_wheel.hpp>
#include <hawser/core/user_data.hpp>
#include <hawser/machine/recovery_log.hpp>

namespace hawser::inline HAWSER_ABI {

/// A session without its connection.
struct saved_session {
  std::string id;
  std::vector<std::string> rooms;
  user_data data;
  /// Everything up to this number of the log has reached the client: the number before its connect,
  /// or later the one before a ping that it answered. Moving it on with each answer is what makes a
  /// client recover that got no event for hours: what is gone from the log by then was not for it,
  /// or has arrived.
  std::uint64_t first = 0;

  /// After which number it goes on, given the offset that its client brings, if any. A client that
  /// never got an event has none, or that of a session before.
  std::uint64_t start(std::optional<std::uint64_t> offset) const noexcept {
    return std::max(first, offset.value_or(0));
  }
};

/// Sessions by their secret id, the oldest go first. Each is given back once.
class saved_sessions {
 public:
  explicit saved_sessions(recovery_options const& options) noexcept
      : age_(options.session_age()), max_sessions_(options.max_sessions) {}
  saved_sessions(saved_sessions const&) = delete;
  saved_sessions& operator=(saved_sessions const&) = delete;

  std::size_t size() const noexcept { return by_pid_.size(); }

  /// Takes the place of what was saved as `pid` before. `now` never goes back.
  void save(std::string pid, saved_session session, time_point now) {
    std::list<record> gone;  // destroyed last: the application's data may have more to do
    auto const found = by_pid_.find(pid);
    if (found != by_pid_.end()) remove(found->second, gone);
    if (max_sessions_ == 0) return;
    if (size() >= max_sessions_) remove(in_order_.begin(), gone);
    in_order_.push_back({std::move(pid), std::move(session), now});
    by_pid_.emplace(in_order_.back().pid, std::prev(in_order_.end()));
  }

  /// Nothing if there is none with this secret id, or if its time is over.
  std::optional<saved_session> take(std::string_view pid, time_point now) {
    auto const found = by_pid_.find(pid);
    if (found == by_pid_.end()) return std::nullopt;
    std::list<record> gone;
    remove(found->second, gone);
    if (is_over(gone.front(), now)) return std::nullopt;
    return std::move(gone.front().session);
  }

  /// Forgets the sessions whose time is over.
  void prune(time_point now) {
    std::list<record> gone;
    while (!in_order_.empty() && is_over(in_order_.front(), now)) remove(in_order_.begin(), gone);
  }

 private:
  struct record {
    std::string pid;
    saved_session session;
    time_point since;
  };
  using position = std::list<record>::iterator;

  bool is_over(record const& one, time_point now) const noexcept { return now - one.since > age_; }

  void remove(position at, std::list<record>& gone) noexcept {
    by_pid_.erase(by_pid_.find(at->pid));
    gone.splice(gone.end(), in_order_, at);
  }

  std::list<record> in_order_;                             // of saving
  std::unordered_map<std::string_view, position> by_pid_;  // keys are views of the records
  duration age_;
  std::size_t max_sessions_;
};

}  // namespace hawser::inline HAWSER_ABI
