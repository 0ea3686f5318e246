// Where random bytes come from: handed in, so that tests can seed them.
#pragma once

#include <cstdint>
#include <cstring>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// A source of random bytes. Outside of tests it has to be unpredictable: keys, masks and hash
/// seeds come from it.
struct random_source {
  void (*fill)(void* context, mutable_bytes out) = nullptr;
  void* context = nullptr;

  void operator()(mutable_bytes out) const { fill(context, out); }

  std::uint64_t next() const {
    std::byte raw[sizeof(std::uint64_t)];
    fill(context, {raw, sizeof raw});
    std::uint64_t value;
    std::memcpy(&value, raw, sizeof value);
    return value;
  }
};

}  // namespace hawser::inline HAWSER_ABI
