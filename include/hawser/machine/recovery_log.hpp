// Socket.IO connection state recovery: the events that were sent, for those who missed some.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/small_list.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/machine/packet_queue.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a namespace keeps for clients that lose their connection and come back.
struct recovery_options {
  bool enabled = false;                       ///< for whoever makes the log: it works either way
  std::chrono::milliseconds window{120'000};  ///< how long after the loss a client may come back
  std::size_t max_packets = 1'000;            ///< missed by one session
  std::size_t max_packet_bytes = std::size_t{1} << 20;  ///< likewise, as `polling_size`
  std::size_t max_log_bytes = std::size_t{64} << 20;    ///< memory of one namespace's log
  std::size_t max_sessions = 10'000;                    ///< waiting for their clients at once
  /// How long a connection can be dead before that is noticed, i.e. ping interval and ping timeout.
  /// Packets are kept that much longer than sessions, as all that time they went nowhere.
  std::chrono::milliseconds unnoticed{45'000};

  /// Ages up to which sessions and packets are kept.
  duration session_age() const noexcept { return bounded(window, duration::max()); }
  duration packet_age() const noexcept {
    return session_age() + bounded(unnoticed, duration::max() - session_age());
  }

 private:
  static duration bounded(std::chrono::milliseconds time, duration longest) noexcept {
    using std::chrono::milliseconds;
    return std::clamp(time, milliseconds{0}, std::chrono::duration_cast<milliseconds>(longest));
  }
};

/// Events in the order in which they were sent, numbered from 1, with the rooms that they were for.
/// A client is told the number of each event as its offset, and of the last one before its connect;
/// coming back it names the last that it got.
///
/// The oldest go first, by age and by memory. What is gone is never guessed about: whoever may have
/// missed it gets nothing, and is a new session then. The pools of the payloads have to outlive the
/// log.
class recovery_log {
 public:
  static constexpr std::size_t max_offset_size = 40;

  /// `epoch` is random: an offset that another log gave out is not mistaken for one of this log.
  recovery_log(recovery_options const& options, std::uint64_t epoch)
      : options_(options), age_(options.packet_age()) {
    char* const end = std::to_chars(prefix_.data(), prefix_.data() + 13, epoch, 36).ptr;
    *end = '-';
    prefix_size_ = static_cast<std::size_t>(end + 1 - prefix_.data());
  }
  recovery_log(recovery_log const&) = delete;
  recovery_log& operator=(recovery_log const&) = delete;

  /// The number of the next event; the one before it is where a client that connects now starts.
  std::uint64_t next() const noexcept { return first_ + entries_.size(); }
  /// The number of the oldest event that is still here; `next()` if there is none.
  std::uint64_t oldest() const noexcept { return first_; }
  /// Roughly the memory that is held.
  std::size_t bytes() const noexcept { return bytes_; }

  /// Writes the offset of a number, `<epoch in base 36>-<number>`: letters, digits and a dash, at
  /// most `max_offset_size` characters. Returns how many.
  std::size_t write_offset(std::uint64_t number, char* out) const noexcept {
    char* const digits = std::copy_n(prefix_.data(), prefix_size_, out);
    return static_cast<std::size_t>(std::to_chars(digits, out + max_offset_size, number).ptr - out);
  }

  /// The number of an offset that this log may have written, exactly as it would write it. Whether
  /// the event is still here, or was ever, is for `missed` to say.
  std::optional<std::uint64_t> read_offset(std::string_view text) const noexcept {
    if (!text.starts_with(std::string_view(prefix_.data(), prefix_size_))) return std::nullopt;
    text.remove_prefix(prefix_size_);
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint64_t number = 0;
    char const* const end = text.data() + text.size();
    auto const [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
  }

  /// Keeps an event as number `next()`: one that was for the members of any of `rooms`, or for
  /// everybody if that is empty, less the members of `except`. `now` never goes back.
  void append(time_point now, std::span<packet_part const> parts,
              std::span<std::string_view const> rooms, std::span<std::string_view const> except) {
    entry& added = entries_.emplace_back();
    added.at = now;
    added.parts = packet_parts(parts);
    added.rooms = rooms.size();
    for (auto const name : rooms) added.names.push_back(keep(name));
    for (auto const name : except) added.names.push_back(keep(name));
    bytes_ += memory_of(added);
    prune(now);
    while (bytes_ > options_.max_log_bytes) pop_front();
  }

  /// The events after number `from` that a member of `rooms` (its own id is one of them, the order
  /// is of no matter) should have got, in order; good until the log changes. Nothing if an event
  /// after `from` is gone or too old by now, if `from` is of the future, or if it is more than a
  /// session may miss.
  std::optional<std::vector<std::span<packet_part const>>> missed(
      std::uint64_t from, std::span<std::string const> rooms, time_point now) const {
    if (from >= next() || from + 1 < first_) return std::nullopt;
    std::vector<std::span<packet_part const>> found;
    auto at = entries_.begin() + static_cast<std::ptrdiff_t>(from + 1 - first_);
    if (at == entries_.end()) return found;
    if (is_over(*at, now)) return std::nullopt;
    mark(rooms);
    std::size_t bytes_left = options_.max_packet_bytes;
    for (; at != entries_.end(); ++at) {
      if (!at->is_for(searches_)) continue;
      auto const parts = at->parts.view();
      std::size_t const size = polling_size(parts);
      if (found.size() >= options_.max_packets || size > bytes_left) return std::nullopt;
      bytes_left -= size;
      found.push_back(parts);
    }
    return found;
  }

  /// Forgets what is too old. `append` does it too.
  void prune(time_point now) noexcept {
    while (!entries_.empty() && is_over(entries_.front(), now)) pop_front();
  }

 private:
  struct in_log {
    std::size_t places = 0;            // of the log, in which it stands
    mutable std::uint64_t search = 0;  // the last one for somebody who is in it
  };
  // Names are chosen by clients at times, so they lie in a tree, where no choice makes a look-up
  // slow.
  using room_names = std::map<std::string, in_log, std::less<>>;
  using named_room = room_names::value_type;

  struct entry {
    time_point at{};
    packet_parts parts;
    std::size_t rooms = 0;               // how many of the names are rooms; the others are `except`
    small_list<named_room*, 2> names{};  // nodes of `names_`

    bool is_for(std::uint64_t search) const noexcept {
      bool addressed = rooms == 0;
      auto const all = names.view();
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i]->second.search != search) continue;
        if (i >= rooms) return false;
        addressed = true;
      }
      return addressed;
    }
  };

  bool is_over(entry const& event, time_point now) const noexcept { return now - event.at > age_; }

  static std::size_t memory_of(entry const& event) noexcept {
    auto const parts = event.parts.view();
    std::size_t size = sizeof(entry) + parts.size_bytes() + event.names.view().size_bytes();
    for (packet_part const& part : parts) size += part.bytes.size();
    return size;
  }
  static std::size_t memory_of(named_room const& room) noexcept {
    return sizeof(named_room) + 4 * sizeof(void*) + room.first.size();
  }

  named_room* keep(std::string_view name) {
    auto found = names_.find(name);
    if (found == names_.end()) {
      found = names_.try_emplace(std::string(name)).first;
      bytes_ += memory_of(*found);
    }
    ++found->second.places;
    return &*found;
  }

  // Begins a search for somebody who is in these rooms.
  void mark(std::span<std::string const> rooms) const {
    ++searches_;
    for (std::string const& name : rooms) {
      auto const at = names_.find(name);
      if (at != names_.end()) at->second.search = searches_;
    }
  }

  void pop_front() noexcept {
    entry const& gone = entries_.front();
    bytes_ -= memory_of(gone);
    for (named_room* const room : gone.names.view()) {
      if (--room->second.places > 0) continue;
      bytes_ -= memory_of(*room);
      names_.erase(names_.find(room->first));
    }
    entries_.pop_front();
    ++first_;
  }

  recovery_options options_;
  duration age_;
  std::array<char, 14> prefix_{};  // of the offsets
  std::size_t prefix_size_ = 0;
  room_names names_;
  std::deque<entry> entries_;
  std::uint64_t first_ = 1;  // number of the first entry
  std::size_t bytes_ = 0;
  mutable std::uint64_t searches_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI
