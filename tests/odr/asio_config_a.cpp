// Defines what asio_config_b.cpp calls, with one thread in Asio where the other has many.
#ifndef CORRECTED
#define ASIO_DISABLE_THREADS 1
#endif
#include <cstddef>

#include <hawser/server.hpp>

std::size_t connections(hawser::websocket_server& s);
std::size_t connections(hawser::websocket_server& s) { return s.size(); }
