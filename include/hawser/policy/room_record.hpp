// One room of `hash_rooms`: its name and the seats of its members.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// A room that is open, or one that waits for its next name. Most rooms are the own room of a
/// socket, with its id for a name and one member: names of up to 24 bytes and two seats are kept in
/// place, longer names and more seats on the heap.
class room_record {
 public:
  room_record() noexcept : near_name_{}, near_seats_{} {}
  room_record(room_record const&) = delete;
  room_record& operator=(room_record const&) = delete;
  ~room_record() { free_memory(); }

  /// Gives it a name, whose hash comes along. Precondition: it is not open.
  void open(std::string_view name, std::uint32_t hash) {
    if (name.size() > sizeof near_name_) {
      char* const text = new char[name.size()];
      std::copy(name.begin(), name.end(), text);
      far_name_ = {text, name.size()};
      name_size_ = far;
    } else {
      std::copy(name.begin(), name.end(), near_name_);
      name_size_ = static_cast<std::uint8_t>(name.size());
    }
    hash_ = hash;
  }

  /// Ends what ids mean it. Precondition: it has no members.
  void close() noexcept {
    free_memory();
    near_name_[0] = 0;  // the short forms are what the unions hold from here on
    near_seats_[0] = 0;
    name_size_ = 0;
    seat_bits_ = near_bits;
    ++generation_;
  }

  std::string_view name() const noexcept {
    if (name_size_ == far) return {far_name_.text, far_name_.size};
    return {near_name_, name_size_};
  }
  std::uint32_t hash() const noexcept { return hash_; }
  std::uint32_t generation() const noexcept { return generation_; }

  std::span<std::uint32_t const> seats() const noexcept {
    return {seat_bits_ == near_bits ? near_seats_ : far_seats_, count_};
  }
  std::uint32_t size() const noexcept { return count_; }

  void add(std::uint32_t seat) {
    if (count_ == std::size_t{1} << seat_bits_) grow();
    (seat_bits_ == near_bits ? near_seats_ : far_seats_)[count_++] = seat;
  }

  /// The last seat takes the place of the one that goes, and is what is returned.
  std::uint32_t remove_at(std::uint32_t position) noexcept {
    std::uint32_t* const all = seat_bits_ == near_bits ? near_seats_ : far_seats_;
    return all[position] = all[--count_];
  }

 private:
  static constexpr std::uint8_t far = 0xff;
  static constexpr std::uint8_t near_bits = 1;  // two seats
  struct far_name {
    char* text;
    std::size_t size;
  };

  void grow() {
    auto const current = seats();
    auto* const more = new std::uint32_t[current.size() * 2];
    std::copy(current.begin(), current.end(), more);
    if (seat_bits_ != near_bits) delete[] far_seats_;
    far_seats_ = more;
    ++seat_bits_;
  }

  void free_memory() noexcept {
    if (name_size_ == far) delete[] far_name_.text;
    if (seat_bits_ != near_bits) delete[] far_seats_;
  }

  union {
    char near_name_[24];
    far_name far_name_;
  };
  union {
    std::uint32_t near_seats_[2];
    std::uint32_t* far_seats_;
  };
  std::uint32_t count_ = 0;
  std::uint32_t generation_ = 0;
  std::uint32_t hash_ = 0;
  std::uint8_t name_size_ = 0;          // or `far`
  std::uint8_t seat_bits_ = near_bits;  // there is room for 1 << that many seats
};

}  // namespace hawser::inline HAWSER_ABI
