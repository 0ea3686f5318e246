// Server and client of most Socket.IO simulations are compiled once, in socketio_instances.cpp: else
// each file would take half a minute. A program of yours with many files can do the same.
#pragma once

#include <hawser/testing/memory_network.hpp>

#include <hawser/instances.hpp>

namespace sim {

using io_plain = hawser::policies<>::with_transport<hawser::memory>;

}  // namespace sim
