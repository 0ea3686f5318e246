// The simulated network for tests, and peers on it that speak bytes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <asio/io_context.hpp>

#include <hawser/testing/raw_peer.hpp>
#include <hawser/transport/memory.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A raw client on a memory network. Its own operations are neither counted nor made to fail.
class memory_peer : public raw_peer<memory> {
 public:
  memory_peer(memory_network& network, std::uint16_t port, std::string address = "127.0.0.1")
      : raw_peer(network.core()->context()->get_executor(),
                 {.network = &network, .address = std::move(address), .counted = false},
                 to_port(port)),
        connection_(network.last_connection()) {}

  /// For faults, and to see what is on the way.
  memory_connection connection() const { return connection_; }

 private:
  static http::url to_port(std::uint16_t port) {
    http::url where;
    where.scheme = "ws";
    where.host = "localhost";
    where.port = port;
    where.target = "/";
    return where;
  }

  memory_connection connection_;
};

/// A raw server on a memory network; port 0: the network chooses.
class memory_host : public raw_host<memory> {
 public:
  explicit memory_host(memory_network& network, std::uint16_t port = 0)
      : raw_host(network.core()->context()->get_executor(), {.network = &network, .counted = false},
                 {.port = port}) {}
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
