// All deadlines of a server in one hierarchical timing wheel.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// Time as hawser knows it: steady, never the wall clock. Pure code gets it as an argument.
using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// A deadline's place in a `timing_wheel`; a member of whatever has the deadline. `kind` tells the
/// wheel's owner what that is, where it has several.
class wheel_entry {
 public:
  explicit wheel_entry(std::uint8_t kind = 0) noexcept : kind_(kind) {}
  wheel_entry(wheel_entry const&) = delete;
  wheel_entry& operator=(wheel_entry const&) = delete;
  ~wheel_entry() { unlink(); }

  bool scheduled() const noexcept { return next_ != nullptr; }
  std::uint8_t kind() const noexcept { return static_cast<std::uint8_t>(kind_); }

 private:
  friend class timing_wheel;

  void unlink() noexcept {
    if (!next_) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

  wheel_entry* next_ = nullptr;
  wheel_entry* previous_ = nullptr;
  std::uint64_t tick_ : 56 = 0;
  std::uint64_t kind_ : 8;
};

/// Deadlines in ticks of 4 ms: four levels of 64 slots reach 18 hours, later ones wait in the
/// last slot and are placed again. Scheduling and cancelling cost a few instructions and no
/// allocation; a deadline is never early and at most one tick late.
class timing_wheel {
 public:
  static constexpr auto tick = std::chrono::milliseconds{4};

  explicit timing_wheel(time_point now) noexcept : origin_(now) {
    for (auto& level : slots_) {
      for (auto& slot : level) slot.next_ = slot.previous_ = &slot;
    }
  }

  /// Forgets what is still scheduled; the entries may outlive the wheel.
  ~timing_wheel() {
    for (auto& level : slots_) {
      for (auto& slot : level) {
        while (slot.next_ != &slot) slot.next_->unlink();
        slot.next_ = slot.previous_ = nullptr;
      }
    }
  }

  /// Sets or moves the entry's deadline.
  void schedule(wheel_entry& entry, time_point deadline) noexcept {
    entry.unlink();
    auto const since = deadline - origin_;
    std::uint64_t const at =
        since.count() <= 0 ? 0 : static_cast<std::uint64_t>((since + tick - duration{1}) / tick);
    entry.tick_ = (at > current_ ? at : current_ + 1) & last_tick;
    place(entry);
  }

  void cancel(wheel_entry& entry) noexcept { entry.unlink(); }

  /// When `advance` should next be called; empty when nothing is scheduled. May be early for
  /// far deadlines, whose slots are then only re-sorted.
  std::optional<time_point> next() const noexcept {
    std::uint64_t const earliest = next_work();
    if (earliest == never) return std::nullopt;
    return origin_ + tick * static_cast<std::int64_t>(earliest);
  }

  /// Calls `expired(entry)` for every entry whose deadline has come, in order of ticks. The
  /// callback may schedule, cancel and destroy any entry.
  template <class Expired>
  void advance(time_point now, Expired&& expired) {
    auto const since = now - origin_;
    if (since.count() < 0) return;
    auto const target = static_cast<std::uint64_t>(since / tick);
    while (current_ < target) {
      // Slots and cascades without entries are skipped: after a long silence this is one step.
      current_ = std::min(target, next_work());
      for (std::size_t level = levels - 1; level > 0; --level) {
        if ((current_ & ((std::uint64_t{1} << (level * bits)) - 1)) == 0) cascade(level);
      }
      auto& slot = slots_[0][current_ & (slots - 1)];
      while (slot.next_ != &slot) {
        wheel_entry& entry = *slot.next_;
        entry.unlink();
        expired(entry);
      }
    }
  }

 private:
  static constexpr std::size_t levels = 4;
  static constexpr std::size_t bits = 6;
  static constexpr std::size_t slots = std::size_t{1} << bits;
  static constexpr auto never = ~std::uint64_t{0};
  static constexpr auto last_tick = never >> 8;  // nine million years of them

  void place(wheel_entry& entry) noexcept {
    std::uint64_t const ahead = entry.tick_ - current_;
    std::size_t level = 0;
    while (level + 1 < levels && ahead >= (std::uint64_t{1} << ((level + 1) * bits))) ++level;
    std::uint64_t at = entry.tick_ >> (level * bits);
    std::uint64_t const position = current_ >> (level * bits);
    if (at - position > slots - 1 && level + 1 == levels) at = position + slots - 1;
    auto& slot = slots_[level][at & (slots - 1)];
    entry.next_ = &slot;
    entry.previous_ = slot.previous_;
    slot.previous_->next_ = &entry;
    slot.previous_ = &entry;
  }

  // Moves a coarse slot's entries to where they belong now that the time is near.
  void cascade(std::size_t level) noexcept {
    auto& slot = slots_[level][(current_ >> (level * bits)) & (slots - 1)];
    wheel_entry* entry = slot.next_;
    slot.next_ = slot.previous_ = &slot;
    while (entry != &slot) {
      wheel_entry* const following = entry->next_;
      if (entry->tick_ < current_) entry->tick_ = current_ & last_tick;
      place(*entry);
      entry = following;
    }
  }

  // The first tick ahead at which a used slot begins.
  std::uint64_t next_work() const noexcept {
    std::uint64_t earliest = never;
    for (std::size_t level = 0; level < levels; ++level) {
      // Slots of a level lie ahead of the level's own position, within one round. A coarse slot
      // may begin before the first used fine one, so every level is asked.
      std::uint64_t const position = current_ >> (level * bits);
      for (std::uint64_t ahead = 1; ahead <= slots; ++ahead) {
        auto const& slot = slots_[level][(position + ahead) & (slots - 1)];
        if (slot.next_ == &slot) continue;
        earliest = std::min(earliest, (position + ahead) << (level * bits));
        break;
      }
    }
    return earliest;
  }

  time_point origin_;
  std::uint64_t current_ = 0;
  std::array<std::array<wheel_entry, slots>, levels> slots_;
};

}  // namespace hawser::inline HAWSER_ABI
