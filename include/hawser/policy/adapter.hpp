// The adapter: which other servers a broadcast reaches, and how they are asked.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What an operation is about. The wire formats of all of Socket.IO's adapters know these and no
/// others.
enum class cluster_verb : std::uint8_t {
  broadcast,           ///< an event to sockets
  broadcast_with_ack,  ///< likewise; every node tells how many it asked, and hands on the answers
  join,                ///< sockets enter `rooms`
  leave,               ///< sockets leave `rooms`
  disconnect,          ///< sockets are disconnected
  fetch,               ///< sockets are described
  server_side_emit     ///< an event to the servers themselves
};

/// One operation on the sockets of one namespace, local or from another node. Valid during the
/// call that has it: an adapter encodes or copies what it keeps.
struct cluster_operation {
  cluster_verb verb = cluster_verb::broadcast;
  std::string_view nsp{};
  std::span<std::string_view const> to{};      ///< rooms, socket ids among them; none: everybody
  std::span<std::string_view const> except{};  ///< rooms, socket ids among them
  std::span<std::string_view const> rooms{};   ///< of `join` and `leave`
  /// The array of event name and arguments, for the operations that have one. Writes it in either
  /// encoding, as often as asked.
  void (*write_event)(void const* self, value_writer& out, std::string_view offset) = nullptr;
  void const* event = nullptr;
  bool droppable = false;  ///< volatile
  bool compress = true;
  bool close = false;                    ///< of `disconnect`: the whole connection
  std::chrono::milliseconds timeout{0};  ///< of what is answered
  std::uint64_t request = 0;             ///< names the answers; 0: none are wanted
};

/// A socket of another node, as `fetch` describes it. Valid during the call.
struct cluster_socket {
  std::string_view id;
  value rooms;      ///< an array
  value data;       ///< whatever the other node keeps for it
  value handshake;  ///< an object
};

/// What an adapter tells its server, on the server's executor. A server never refuses to listen:
/// operations for namespaces it doesn't have are nothing to it.
class cluster_inbox {
 public:
  /// Another node's operation, to be carried out on the local sockets only. If `request` isn't 0
  /// the outcome goes to `A::answer`.
  virtual void perform(cluster_operation const& what) = 0;
  /// A node has asked so many of its sockets.
  virtual void asked(std::uint64_t request, std::size_t sockets) = 0;
  /// A socket of another node, or another server, has answered; the array of its arguments.
  virtual void answered(std::uint64_t request, value arguments) = 0;
  /// A socket that `fetch` found on another node.
  virtual void found(std::uint64_t request, cluster_socket const& one) = 0;
  /// No node owes anything any more; or the time is over, and the answers are a part.
  virtual void finished(std::uint64_t request, std::error_code error) = 0;

 protected:
  ~cluster_inbox() = default;
};

/// What one node answers to an operation that it performed.
struct cluster_answer {
  std::uint64_t request = 0;
  bool is_count = false;  ///< `count` sockets were asked; else one of them has answered
  std::size_t count = 0;
  value arguments{};
  cluster_socket const* socket = nullptr;
};

/// Carries operations to the other nodes of a cluster, and theirs here. One object per server.
///
/// *Semantics*: `open` and `close` tell that a namespace exists here. `publish` hands an operation
/// to all other nodes, which is performed here too; with a `request` the adapter calls
/// `finished` of the inbox once, at the latest after `timeout`. An operation of this node never
/// comes back to it. `others` is how many other nodes have the namespace, as far as is known.
/// `alone` says that there never are any: then nothing is asked, and it costs nothing.
/// *Exemplar*: `local_adapter`. *Models*: `local_adapter`.
template <class A>
concept adapter_policy = std::constructible_from<A, typename A::options const&, cluster_inbox&> &&
                         requires(A adapter, A const known, std::string_view nsp,
                                  cluster_operation const& what, cluster_answer const& reply) {
                           { A::alone } -> std::convertible_to<bool>;
                           { adapter.open(nsp) } -> std::same_as<std::error_code>;
                           { adapter.close(nsp) } -> std::same_as<void>;
                           { adapter.publish(what) } -> std::same_as<std::error_code>;
                           { adapter.answer(reply) } -> std::same_as<void>;
                           { known.others(nsp) } -> std::same_as<std::size_t>;
                         };

/// One server on its own.
class local_adapter {
 public:
  struct options {};
  static constexpr bool alone = true;
  local_adapter(options const&, cluster_inbox&) noexcept {}
  std::error_code open(std::string_view) noexcept { return {}; }
  void close(std::string_view) noexcept {}
  std::error_code publish(cluster_operation const&) noexcept { return {}; }
  void answer(cluster_answer const&) noexcept {}
  std::size_t others(std::string_view) const noexcept { return 0; }
};

}  // namespace hawser::inline HAWSER_ABI
