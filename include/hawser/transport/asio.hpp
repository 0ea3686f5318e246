// The Asio that this program uses, as part of the name of everything built on it.
#pragma once

#include <asio/detail/config.hpp>
#include <asio/version.hpp>

#include <hawser/core/config.hpp>

#if ASIO_VERSION < 102200
#error "hawser needs standalone Asio 1.22 or newer"
#endif

// Two translation units with different versions or configurations of Asio would lay the same class
// out differently. Here they become different classes, and passing one's server to the other
// fails at link time instead of at run time.
#if defined(ASIO_DISABLE_THREADS)
#define HAWSER_ASIO_THREADS _single
#else
#define HAWSER_ASIO_THREADS
#endif
#if defined(ASIO_ENABLE_HANDLER_TRACKING)
#define HAWSER_ASIO_TRACKING _tracking
#else
#define HAWSER_ASIO_TRACKING
#endif
#if defined(ASIO_HAS_IO_URING_AS_DEFAULT)
#define HAWSER_ASIO_BACKEND _uring
#else
#define HAWSER_ASIO_BACKEND
#endif
#define HAWSER_ASIO_JOIN_(v, t, h, b) asio_##v##t##h##b
#define HAWSER_ASIO_JOIN(v, t, h, b) HAWSER_ASIO_JOIN_(v, t, h, b)
#define HAWSER_ASIO_ABI \
  HAWSER_ASIO_JOIN(ASIO_VERSION, HAWSER_ASIO_THREADS, HAWSER_ASIO_TRACKING, HAWSER_ASIO_BACKEND)
