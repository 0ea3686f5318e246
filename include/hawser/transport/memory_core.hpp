// What all parts of a memory network share: its link, its faults, its registers.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/transport/virtual_loop.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// The properties of a simulated connection, the same in both directions.
struct memory_link {
  duration latency{};         ///< one way
  std::size_t bandwidth = 0;  ///< bytes per second; 0: unlimited
  /// Bytes written and not yet read, on the way or waiting; then writes would block. Room that a
  /// read makes is known to the other end at once.
  std::size_t buffer = 64 * 1024;
  std::size_t max_read = std::numeric_limits<std::size_t>::max();   ///< of one read, at least 1
  std::size_t max_write = std::numeric_limits<std::size_t>::max();  ///< of one write, at least 1
};

enum class memory_end : std::uint8_t { dialler, acceptor };

/// The operations that are counted, and can be made to fail.
enum class memory_operation : std::uint8_t { connect, accept, handshake, read, write, shutdown };

/// An operation about to begin.
struct memory_call {
  memory_operation what;
  std::uint64_t number;      ///< 1 for the network's first operation
  std::uint64_t connection;  ///< as for `memory_network::connection`; 0 for `accept`
  memory_end end;
};

class memory_pipe;
class memory_listener;
struct memory_dial;

/// What all parts of a network share, so that any of them may die first.
class memory_core final : public virtual_loop, public std::enable_shared_from_this<memory_core> {
 public:
  using hook = callback<std::error_code(memory_call const&)>;
  struct listener_name {
    std::string path;
    std::uint16_t port;
    std::string host;
    auto operator<=>(listener_name const&) const = default;
  };

  using virtual_loop::virtual_loop;

  /// Counts an operation; the error that it has to fail with.
  std::error_code before(memory_operation what, std::uint64_t connection, memory_end end) {
    memory_call const call{what, ++operations, connection, end};
    auto const error = fault ? fault(call) : std::error_code{};
    auto const planned = failures.extract(call.number);
    return planned ? planned.mapped() : error;
  }

  bool listens_on(std::uint16_t port) const noexcept {
    auto const at = listeners.lower_bound({{}, port, {}});
    return at != listeners.end() && at->first.path.empty() && at->first.port == port;
  }

  /// The network is gone: every wait ends, every end is closed.
  void shut();

  memory_link link;
  hook fault;
  std::map<std::uint64_t, std::error_code> failures;
  std::uint64_t operations = 0;
  std::uint64_t dialled = 0;
  std::size_t live_ends = 0;
  std::uint16_t next_port = 49152;
  bool down = false;
  std::map<std::uint64_t, memory_pipe*> pipes;
  std::map<listener_name, memory_listener*> listeners;
  std::map<std::uint64_t, std::shared_ptr<memory_dial>> dials;
  std::map<std::uint64_t, wait_list*> timers;
  std::uint64_t next_timer = 0;
  std::set<std::uint16_t> silent;

 private:
  void abandon(std::vector<wait_list::handler>& out) override;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
