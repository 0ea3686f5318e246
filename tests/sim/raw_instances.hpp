// The raw server and client of most simulations are compiled once, in raw_instances.cpp.
#pragma once

#include <hawser/testing/memory_network.hpp>

#include <hawser/instances.hpp>

namespace sim {

using plain = hawser::websocket_policies::with_transport<hawser::memory>;

}  // namespace sim
