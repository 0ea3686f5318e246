// Asks the backpressure policy about a message that has to wait.
#pragma once

#include <cstddef>
#include <span>
#include <system_error>

#include <hawser/core/error.hpp>
#include <hawser/endpoint/event_host.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/machine/packet_queue.hpp>
#include <hawser/policy/backpressure.hpp>

namespace hawser::inline HAWSER_ABI {

/// Goes on where the policy has said something else than `enqueue`.
template <class Queue, class Policy, class Peer>
[[gnu::noinline]] std::error_code make_room_after(verdict said, Queue& queue, Policy const& policy,
                                                  counters& counted, Peer& peer, std::size_t size) {
  while (said != verdict::enqueue) {
    if (said == verdict::pause_reading) {
      peer.on_backlog();
      return {};
    }
    ++counted.messages_dropped;
    bool const dropped = said == verdict::drop_oldest && queue.drop_oldest();
    if (!dropped && said != verdict::disconnect) return make_error_code(errc::dropped);
    if (!dropped) {
      peer.give_up_slow();
      return make_error_code(errc::send_queue_full);
    }
    if (!queue.holds_messages()) break;
    said = policy.admit(queue.queued(), size);
  }
  return {};
}

/// Makes room for one of `size` bytes in a peer's queue, or says why not: `dropped`,
/// `send_queue_full`. `Peer` has the queue, `on_backlog()` and `give_up_slow()`.
template <class Queue, class Policy, class Peer>
std::error_code make_room(Queue& queue, Policy const& policy, counters& counted, Peer& peer,
                          std::size_t size) {
  if (!queue.holds_messages()) return {};
  verdict const said = policy.admit(queue.queued(), size);
  if (said == verdict::enqueue) [[likely]]
    return {};
  return make_room_after(said, queue, policy, counted, peer, size);
}

/// Queues a packet for a peer that polls, as a connection queues a message. `Peer` has also
/// `hurry(size)`, to let leave what can before it is asked whether so much more fits.
template <class Policy, class Peer>
std::error_code queue_packet(packet_queue& queue, Policy const& policy, counters& counted,
                             Peer& peer, std::span<packet_part const> parts,
                             emit_flags const& how) {
  if (Policy::replaces_by_key && how.key && queue.replace(*how.key, parts)) {
    ++counted.messages_replaced;
    return {};
  }
  std::size_t const size = polling_size(parts);
  peer.hurry(size);
  if (auto const refused = make_room(queue, policy, counted, peer, size)) return refused;
  ++counted.messages_out;
  queue.push(parts, how.compress, how.key);
  return {};
}

}  // namespace hawser::inline HAWSER_ABI
