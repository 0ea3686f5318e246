// A simulated connection: two ends, a link between them, and what can go wrong on it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/error.hpp>

#include <hawser/core/buffer.hpp>
#include <hawser/transport/memory_core.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// One connection; each end belongs to a `memory_stream`.
class memory_pipe {
 public:
  memory_pipe(std::shared_ptr<memory_core> core, std::string dialler, std::string acceptor)
      : core_(std::move(core)),
        link_(core_->link),
        number_(core_->dialled++),
        addresses_{std::move(dialler), std::move(acceptor)},
        ends_{side(*this), side(*this)} {
    core_->pipes.emplace(number_, this);
  }
  memory_pipe(memory_pipe const&) = delete;
  memory_pipe& operator=(memory_pipe const&) = delete;
  ~memory_pipe() { core_->pipes.erase(number_); }

  memory_core& core() const noexcept { return *core_; }
  std::uint64_t number() const noexcept { return number_; }
  memory_link& link() noexcept { return link_; }
  std::string const& address(memory_end end) const noexcept { return addresses_[index(end)]; }
  bool is_cut() const noexcept { return cut_; }

  /// An end begins to exist; `counted`: its operations have numbers and can be made to fail.
  void open(memory_end end, bool counted) noexcept {
    if (core_->down) return;
    auto& here = at(end);
    here.open = true;
    here.counted = counted;
    ++core_->live_ends;
  }

  std::error_code handshake(memory_end end) {
    if (auto const error = before(memory_operation::handshake, end)) return error;
    return at(end).open ? std::error_code{} : closed_error();
  }

  io_result read(memory_end end, mutable_bytes in) {
    auto& here = at(end);
    if (auto const error = before(memory_operation::read, end)) return {0, error};
    if (!here.open) return {0, closed_error()};
    std::size_t const most = std::max<std::size_t>(link_.max_read, 1);
    std::size_t const bytes = std::min({in.size(), here.arrived, most});
    if (bytes > 0) {
      std::memcpy(in.data(), here.bytes.data(), bytes);
      here.bytes.consume(bytes);
      here.arrived -= bytes;
      if (here.bytes.empty()) here.bytes.release();
      if (writable(at(other(end)))) at(other(end)).writers.complete(*core_, {});
      return {bytes, {}};
    }
    if (in.empty()) return {};
    if (here.reset) return {0, make_error_code(asio::error::connection_reset)};
    if (here.finished) return {0, make_error_code(asio::error::eof)};
    return {0, would_block()};
  }

  io_result write(memory_end end, std::span<bytes_view const> out) {
    auto& here = at(end);
    if (auto const error = before(memory_operation::write, end)) return {0, error};
    if (!here.open) return {0, closed_error()};
    if (here.shut) return {0, make_error_code(asio::error::broken_pipe)};
    if (here.reset) return {0, make_error_code(asio::error::connection_reset)};
    auto& there = at(other(end));
    std::size_t const most =
        std::min(std::max<std::size_t>(link_.max_write, 1), room_towards(there));
    std::size_t taken = 0;
    bool asked = false;
    for (auto const& part : out) {
      asked = asked || !part.empty();
      auto const bytes = part.first(std::min(part.size(), most - taken));
      if (!cut_) there.bytes.append(bytes);
      taken += bytes.size();
    }
    if (taken == 0) return {0, asked ? would_block() : std::error_code{}};
    if (cut_) {
      there.lost += taken;
    } else {
      transmit(there, taken);
    }
    return {taken, {}};
  }

  template <class Handler>
  void wait_readable(memory_end end, Handler handler) {
    auto& here = at(end);
    if (!here.open) return core_->post(std::move(handler), aborted());
    if (readable(here)) return core_->post(std::move(handler), {});
    if (core_->context()) here.readers.add(std::move(handler));
  }

  template <class Handler>
  void wait_writable(memory_end end, Handler handler) {
    auto& here = at(end);
    if (!here.open) return core_->post(std::move(handler), aborted());
    if (writable(here)) return core_->post(std::move(handler), {});
    if (core_->context()) here.writers.add(std::move(handler));
  }

  void shutdown(memory_end end) {
    auto& here = at(end);
    if (before(memory_operation::shutdown, end)) return;
    if (!here.open || here.shut || here.reset) return;
    here.shut = true;
    send(at(other(end)), segment::fin, core_->now() + link_.latency, 0);
  }

  /// As TCP does: with unread data the other end is reset, else it gets what is on the way, then
  /// the end of the stream.
  void close(memory_end end) {
    auto& here = at(end);
    if (!here.open) return;
    if (here.arrived > 0) return reset(end);
    bool const silent = here.shut || here.reset;
    retire(here);
    if (!silent) send(at(other(end)), segment::fin, core_->now() + link_.latency, 0);
  }

  /// Discards what is on the way in both directions, and resets the other end.
  void reset(memory_end end) {
    auto& here = at(end);
    if (!here.open) return;
    retire(here);
    if (!here.reset) send_reset(here);
  }

  /// From now on nothing arrives, and nobody is told. What the ends write fills their buffers.
  void cut() {
    cut_ = true;
    for (auto& one : ends_) {
      one.lost += one.bytes.size() - one.arrived;
      drop_in_flight(one);
    }
  }

  /// Holds back what is on the way, until called with false.
  void hold(bool held) {
    held_ = held;
    for (auto& one : ends_) deliver(one);
  }

  /// Both ends find the connection reset, as by a box in the middle.
  void break_both() {
    for (auto& one : ends_) {
      drop_in_flight(one);
      apply(one, segment::rst, 0);
    }
  }

  /// The network is gone.
  void end_everything() {
    for (auto& one : ends_) retire(one);
  }

  std::size_t unread(memory_end end) const noexcept { return at(end).arrived; }
  std::size_t in_flight_to(memory_end end) const noexcept {
    return at(end).bytes.size() - at(end).arrived;
  }
  std::size_t lost_to(memory_end end) const noexcept { return at(end).lost; }
  bool is_open(memory_end end) const noexcept { return at(end).open; }

  void abandon(std::vector<wait_list::handler>& out) {
    for (auto& one : ends_) {
      one.readers.move_to(out);
      one.writers.move_to(out);
    }
  }

  std::size_t waits() const noexcept {
    std::size_t count = 0;
    for (auto const& one : ends_) count += one.readers.size() + one.writers.size();
    return count;
  }

 private:
  struct segment {
    enum kind : std::uint8_t { data, fin, rst };
    time_point when;
    std::size_t bytes;
    kind what;
  };

  // What one end has received or is about to, and who waits there.
  struct side {
    explicit side(memory_pipe& owner)
        : pipe(&owner),
          delivery(
              [](void* at) {
                auto& self = *static_cast<side*>(at);
                self.pipe->deliver(self);
              },
              this) {}

    memory_pipe* pipe;
    byte_buffer bytes;  // what has arrived, then what is on the way
    std::size_t arrived = 0;
    std::size_t lost = 0;  // sent here after or before a cut: never arrives, fills the buffer
    std::list<segment> flight;
    virtual_event delivery;
    time_point line_free{};  // when the link towards here has sent what it was given
    wait_list readers;
    wait_list writers;
    bool open = false;
    bool counted = true;
    bool shut = false;      // this end has ended its sending direction
    bool finished = false;  // the other end's FIN has arrived
    bool reset = false;     // the other end's RST has arrived
  };

  static constexpr std::size_t index(memory_end end) noexcept {
    return static_cast<std::size_t>(end);
  }
  static constexpr memory_end other(memory_end end) noexcept {
    return end == memory_end::dialler ? memory_end::acceptor : memory_end::dialler;
  }
  static std::error_code closed_error() noexcept {
    return make_error_code(asio::error::bad_descriptor);
  }
  static std::error_code aborted() noexcept {
    return make_error_code(asio::error::operation_aborted);
  }

  side& at(memory_end end) noexcept { return ends_[index(end)]; }
  side const& at(memory_end end) const noexcept { return ends_[index(end)]; }
  side& facing(side& one) noexcept { return &one == &ends_[0] ? ends_[1] : ends_[0]; }

  std::error_code before(memory_operation what, memory_end end) {
    return at(end).counted ? core_->before(what, number_, end) : std::error_code{};
  }

  std::size_t room_towards(side const& there) const noexcept {
    std::size_t const held = there.bytes.size() + there.lost;
    return link_.buffer > held ? link_.buffer - held : 0;
  }
  bool readable(side const& here) const noexcept {
    return here.arrived > 0 || here.finished || here.reset;
  }
  bool writable(side& here) noexcept {
    return here.reset || here.shut || room_towards(facing(here)) > 0;
  }

  // With limited bandwidth, bytes arrive packet by packet.
  void transmit(side& there, std::size_t bytes) {
    if (link_.bandwidth == 0) {
      return send(there, segment::data, core_->now() + link_.latency, bytes);
    }
    constexpr std::size_t packet = 1460;
    while (bytes > 0) {
      std::size_t const some = std::min(bytes, packet);
      auto const nanoseconds = (std::uint64_t{some} * 1'000'000'000 - 1) / link_.bandwidth + 1;
      there.line_free = std::max(there.line_free, core_->now()) +
                        std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
      send(there, segment::data, there.line_free + link_.latency, some);
      bytes -= some;
    }
  }

  void send(side& there, segment::kind what, time_point when, std::size_t bytes) {
    if (cut_) return;
    if (!there.flight.empty()) {
      auto& last = there.flight.back();
      when = std::max(when, last.when);  // nothing overtakes, also when the link got faster
      if (what == segment::data && last.what == segment::data && last.when == when) {
        last.bytes += bytes;
        return;
      }
    }
    there.flight.push_back({when, bytes, what});
    if (there.flight.size() == 1) deliver(there);
  }

  void send_reset(side& from) {
    auto& there = facing(from);
    drop_in_flight(there);
    drop_in_flight(from);
    from.bytes.release();
    from.arrived = 0;
    send(there, segment::rst, core_->now() + link_.latency, 0);
  }

  void deliver(side& here) {
    while (!here.flight.empty() && !held_) {
      auto const next = here.flight.front();
      if (next.when > core_->now()) return core_->schedule(here.delivery, next.when);
      here.flight.pop_front();
      apply(here, next.what, next.bytes);
    }
    here.delivery.cancel();
  }

  void apply(side& here, segment::kind what, std::size_t bytes) {
    if (what == segment::rst) {
      here.reset = true;
      here.bytes.release();
      here.arrived = 0;
      drop_in_flight(here);
      here.readers.complete(*core_, {});
      here.writers.complete(*core_, {});
    } else if (what == segment::fin) {
      here.finished = true;
      here.readers.complete(*core_, {});
    } else if (!here.open) {
      send_reset(here);  // data for an end that is closed
    } else {
      here.arrived += bytes;
      here.readers.complete(*core_, {});
    }
  }

  void drop_in_flight(side& here) {
    here.flight.clear();
    here.delivery.cancel();
    if (here.bytes.size() == here.arrived) return;
    byte_buffer kept;
    kept.append(here.bytes.view().first(here.arrived));
    here.bytes = std::move(kept);
  }

  void retire(side& here) {
    if (!here.open) return;
    here.open = false;
    --core_->live_ends;
    here.readers.complete(*core_, aborted());
    here.writers.complete(*core_, aborted());
  }

  std::shared_ptr<memory_core> core_;
  memory_link link_;
  std::uint64_t number_;
  std::array<std::string, 2> addresses_;
  std::array<side, 2> ends_;
  bool cut_ = false;
  bool held_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
