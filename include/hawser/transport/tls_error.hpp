// Errors of TLS: what OpenSSL reports, and why a certificate was not accepted.
#pragma once

#include <hawser/core/error.hpp>

#if HAWSER_WITH_TLS

#include <string>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace hawser::inline HAWSER_ABI {

/// OpenSSL's packed error codes (library and reason).
inline std::error_category const& tls_category() noexcept {
  struct category final : std::error_category {
    char const* name() const noexcept override { return "hawser.tls"; }
    std::string message(int value) const override {
      char const* const text = ERR_reason_error_string(static_cast<unsigned long>(value));
      return text ? text : "TLS error " + std::to_string(value);
    }
    std::error_condition default_error_condition(int) const noexcept override {
      return make_error_condition(condition::handshake_failed);
    }
  };
  static constinit category const instance{};
  return instance;
}

/// Why the peer's certificate was not accepted: OpenSSL's `X509_V_ERR_` values.
inline std::error_category const& tls_verify_category() noexcept {
  struct category final : std::error_category {
    char const* name() const noexcept override { return "hawser.tls.verify"; }
    std::string message(int value) const override {
      return std::string("certificate not accepted: ") + X509_verify_cert_error_string(value);
    }
    std::error_condition default_error_condition(int) const noexcept override {
      return make_error_condition(condition::handshake_failed);
    }
  };
  static constinit category const instance{};
  return instance;
}

/// A code from OpenSSL's error queue. The packed value has 31 bits.
inline std::error_code tls_error(unsigned long packed) noexcept {
  if (packed == 0) packed = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_SSL_HANDSHAKE_FAILURE);
  if (ERR_SYSTEM_ERROR(packed)) return {ERR_GET_REASON(packed), std::system_category()};
  return {static_cast<int>(packed), tls_category()};
}

/// An error that OpenSSL has a name for, `SSL_R_...`.
inline std::error_code tls_reason(int reason) noexcept {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason)), tls_category()};
}

}  // namespace hawser::inline HAWSER_ABI

#endif
