// Random bytes from the system, for keys, masks and hash seeds.
#pragma once

#include <cstdlib>

#include <hawser/core/config.hpp>
#include <hawser/core/random.hpp>

#if HAWSER_WITH_TLS
#include <openssl/rand.h>
#else
#include <random>
#endif

namespace hawser::inline HAWSER_ABI {

/// OpenSSL's generator, which survives a fork; without OpenSSL the system's own. A system that
/// has no random bytes can't be served safely: the program ends.
inline random_source system_random() noexcept {
  return {[](void*, mutable_bytes out) {
#if HAWSER_WITH_TLS
            if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()),
                           static_cast<int>(out.size())) != 1) {
              std::abort();
            }
#else
            std::random_device device;
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(device());
#endif
          },
          nullptr};
}

}  // namespace hawser::inline HAWSER_ABI
