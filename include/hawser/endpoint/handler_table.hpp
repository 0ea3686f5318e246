// The event handlers of a namespace, or of one socket, by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/codec/value/tape.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/core/error.hpp>
#include <hawser/endpoint/event_view.hpp>
#include <hawser/endpoint/event_host.hpp>

namespace hawser::inline HAWSER_ABI {

class socket;
class client_socket;

/// An event on its way through the handlers.
struct event_call {
  anchor& at;
  socket_id from;
  event_view what;
  std::optional<std::uint64_t> ack;  ///< its number, while an answer is wanted
  errc error{};                      ///< `argument_mismatch`: a handler couldn't be called
  std::uint32_t round = 0;           ///< of a client: its connection, the only one to answer on
};

using event_handler = callback<void(event_call&)>;

/// Handlers by event name, in the order in which they came. They may be added and removed by
/// handlers that run: one that was removed isn't called any more, one that was added only for the
/// next event. What can be prepared apart from a server can replace its table as a whole.
class handler_table {
 public:
  handler_table() = default;
  handler_table(handler_table const&) = delete;
  handler_table& operator=(handler_table const&) = delete;

  void add(std::string_view name, event_handler handler, bool once = false) {
    auto found = events_.find(name);
    if (found == events_.end()) found = events_.try_emplace(std::string(name)).first;
    found->second.push_back({std::move(handler), once, false});
  }

  /// False if there were none.
  bool remove(std::string_view name) {
    auto const found = events_.find(name);
    if (found == events_.end()) return false;
    bool any = false;
    for (entry& one : found->second) any = !std::exchange(one.dead, true) || any;
    dirty_ = dirty_ || any;
    sweep();
    return any;
  }
  void remove_all() {
    for (auto& [name, list] : events_) {
      for (entry& one : list) one.dead = true;
    }
    dirty_ = true;
    sweep();
  }

  bool empty() const noexcept { return events_.empty(); }

  /// Calls the handlers of the event, each by `run(handler)`. False if it has none.
  template <class Run>
  bool call(std::string_view name, Run&& run) {
    auto const found = events_.find(name);
    if (found == events_.end()) return false;
    std::deque<entry>& list = found->second;  // neither moves when others are added
    ++depth_;
    std::size_t const count = list.size();
    for (std::size_t i = 0; i < count; ++i) {
      entry& one = list[i];
      if (one.dead) continue;
      if (one.once) one.dead = dirty_ = true;
      run(one.handler);
    }
    --depth_;
    sweep();
    return true;
  }

  // Set before events flow; replaced like handlers.
  callback<void(event_call&)> on_any;
  callback<void(event_call&)> on_any_outgoing;
  callback<bool(event_call&)> guard;

 private:
  struct entry {
    event_handler handler;
    bool once;
    bool dead;
  };
  struct hasher {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  void sweep() {
    if (!dirty_ || depth_ > 0) return;
    dirty_ = false;
    std::deque<entry> gone;  // destroyed last: what they hold may have more to do
    for (auto at = events_.begin(); at != events_.end();) {
      std::deque<entry>& list = at->second;
      for (entry& one : list) {
        if (one.dead) gone.push_back(std::move(one));
      }
      std::erase_if(list, [](entry const& one) { return one.dead; });
      at = list.empty() ? events_.erase(at) : std::next(at);
    }
  }

  std::unordered_map<std::string, std::deque<entry>, hasher, std::equal_to<>> events_;
  int depth_ = 0;
  bool dirty_ = false;
};

}  // namespace hawser::inline HAWSER_ABI
