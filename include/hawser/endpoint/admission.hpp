// Asks the backpressure policy about a message that has to wait.
#pragma once

#include <cstddef>
#include <system_error>

#include <hawser/core/error.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// Makes room for one of `size` bytes in a peer's queue, or says why not: `dropped`,
/// `send_queue_full`. `Peer` has the queue, `on_backlog()` and `give_up_slow()`.
template <class Queue, class Policy, class Peer>
std::error_code make_room(Queue& queue, Policy const& policy, counters& counted, Peer& peer,
                          std::size_t size) {
  while (queue.holds_messages()) {
    verdict const said = policy.admit(queue.queued(), size);
    if (said == verdict::enqueue) return {};
    if (said == verdict::pause_reading) {
      peer.on_backlog();
      return {};
    }
    ++counted.messages_dropped;
    if (said == verdict::drop_oldest && queue.drop_oldest()) continue;
    if (said != verdict::disconnect) return make_error_code(errc::dropped);
    peer.give_up_slow();
    return make_error_code(errc::send_queue_full);
  }
  return {};
}

}  // namespace hawser::inline HAWSER_ABI
