// A client's namespace with what waits in it: events, acknowledgements, whoever receives.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/buffer.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/client_opening.hpp>
#include <hawser/endpoint/client_socket.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/machine/ack_table.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Who is told what becomes of a queued event.
struct event_owner {
  ack_callback told;
  std::chrono::milliseconds timeout;  ///< of each try; 0: `ack_timeout`
};

/// A namespace, with what waits in it.
template <class Queue>
struct waiting_nsp : client_nsp, wheel_entry {
  waiting_nsp(std::string_view called, socket_id where, typename Queue::options const& numbers)
      : wheel_entry(static_cast<std::uint8_t>(client_deadline::nsp)),
        queue(std::in_place, numbers, called) {
    name = called;
    at = where;
  }
  std::uint64_t owner() const noexcept { return at.number(); }

  std::optional<Queue> queue;  ///< gone with the façade, and its file then free
  std::uint64_t next_ack = 0;
  /// Of events in the queue: the acknowledgement that is wanted, or who is told of it.
  std::unordered_map<std::uint64_t, std::uint64_t> queued_acks;
  std::unordered_map<std::uint64_t, event_owner> owners;
  std::optional<std::uint64_t> in_flight;  ///< the number of its event in the queue
  std::uint64_t flight_ack = 0;
  std::uint32_t tries = 0;
  std::string delivery{};  ///< what delivery ids begin with
  std::uint32_t round = 0;
  bool announced = false;  ///< its connect event was told, and the disconnect event wasn't
  std::vector<std::pair<byte_buffer, std::optional<std::uint64_t>>> early;
  std::size_t early_bytes = 0;
  std::vector<completion<std::error_code>> connect_done;
  std::deque<received_event> received;
  std::deque<completion<std::error_code, received_event>> receive_done;
  bool keeps_received = false;
  bool lost_received = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
