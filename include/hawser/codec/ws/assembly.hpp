// The one growing buffer of an unfinished message, and a bounded pool of spare ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <hawser/codec/ws/frame.hpp>
#include <hawser/core/buffer.hpp>

namespace hawser::inline HAWSER_ABI::ws {

/// What a connection holds only while a message or a control frame is unfinished. Contiguous, so
/// that a fragment costs nothing beyond its bytes.
struct assembly {
  byte_buffer payload;          ///< of the message so far, unmasked
  std::uint32_t fragments = 0;  ///< frames of the message so far, empty ones included
  std::uint32_t empty_fragments = 0;
  std::uint8_t control_size = 0;
  std::array<std::byte, max_control_payload> control;  ///< of a control frame cut by a read
};

/// Keeps a few spare assemblies, so that messages that are cut by reads cost no allocation in the
/// steady state. One per thread of connections.
class assembly_pool {
 public:
  std::unique_ptr<assembly> acquire() {
    if (spare_.empty()) return std::make_unique<assembly>();
    auto taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }

  void release(std::unique_ptr<assembly> used) noexcept {
    if (spare_.size() == max_spare) return;
    used->payload.capacity() > max_spare_bytes ? used->payload.release() : used->payload.clear();
    used->fragments = used->empty_fragments = 0;
    used->control_size = 0;
    spare_.push_back(std::move(used));  // reserved by the constructor: never allocates
  }

  assembly_pool() { spare_.reserve(max_spare); }

 private:
  static constexpr std::size_t max_spare = 64;
  static constexpr std::size_t max_spare_bytes = 64 * 1024;
  std::vector<std::unique_ptr<assembly>> spare_;
};

}  // namespace hawser::inline HAWSER_ABI::ws
