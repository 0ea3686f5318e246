// Where a connection is in its life.
#pragma once

#include <cstdint>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// It only ever moves down this list.
enum class phase : std::uint8_t {
  securing,   ///< the stream's own handshake
  opening,    ///< HTTP: the host reads
  open,       ///< messages flow
  closing,    ///< this side sent Close and waits for the peer's
  lingering,  ///< the close event was delivered; what is queued still leaves, input is discarded
  closed
};

}  // namespace hawser::inline HAWSER_ABI
