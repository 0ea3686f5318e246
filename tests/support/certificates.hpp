// Certificates for tests: an authority (EC P-256) made on the spot, and what it signs.
#pragma once

#include <cctype>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace hawser_test {

struct certificate_options {
  /// Names and IP addresses.
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  /// From now on.
  std::chrono::seconds not_before = -std::chrono::hours(24);
  std::chrono::seconds not_after = std::chrono::hours(24);
};

/// PEM texts. `pin` is SHA-256 of the public key in base64.
struct certificates {
  std::string ca;
  std::string certificate;
  std::string key;
  std::string pin;
};

class certificate_authority {
 public:
  certificate_authority() : key_(EVP_EC_gen("P-256")) {
    certificate_ = make(key_.get(), "hawser test authority", {});
    extend(NID_basic_constraints, "critical,CA:TRUE");
    extend(NID_key_usage, "critical,keyCertSign,cRLSign");
    sign(certificate_.get());
    ca_ = certificate_;
  }

  certificates issue(certificate_options const& options = {}) {
    key const own(EVP_EC_gen("P-256"));
    certificate_ = make(own.get(), "hawser test", options);
    std::string names;
    for (auto const& host : options.hosts) {
      bool const number = host.find(':') != host.npos ||
                          (!host.empty() && std::isdigit(static_cast<unsigned char>(host[0])));
      names += (names.empty() ? "" : ",") + std::string(number ? "IP:" : "DNS:") + host;
    }
    if (!names.empty()) extend(NID_subject_alt_name, names.c_str());
    extend(NID_basic_constraints, "critical,CA:FALSE");
    extend(NID_ext_key_usage, "serverAuth,clientAuth");
    sign(certificate_.get());
    return {pem(ca_.get()), pem(certificate_.get()), pem(own.get()), pin(certificate_.get())};
  }

 private:
  struct release {
    void operator()(EVP_PKEY* it) const noexcept { EVP_PKEY_free(it); }
    void operator()(BIO* it) const noexcept { BIO_free(it); }
    void operator()(X509* it) const noexcept { X509_free(it); }
  };
  using key = std::unique_ptr<EVP_PKEY, release>;

  static void check(bool good) {
    if (!good) throw std::runtime_error("OpenSSL could not make a certificate");
  }

  std::shared_ptr<X509> make(EVP_PKEY* of, char const* name, certificate_options const& options) {
    std::shared_ptr<X509> made(X509_new(), release{});
    check(made && of);
    X509* const it = made.get();
    X509_set_version(it, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(it), static_cast<long>(options.not_before.count()));
    X509_gmtime_adj(X509_getm_notAfter(it), static_cast<long>(options.not_after.count()));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8,
                               reinterpret_cast<unsigned char const*>(name), -1, -1, 0);
    X509_set_issuer_name(it, X509_get_subject_name(ca_ ? ca_.get() : it));
    X509_set_pubkey(it, of);
    return made;
  }

  void extend(int what, char const* value) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    check(made != nullptr);
    X509_add_ext(certificate_.get(), made, -1);
    X509_EXTENSION_free(made);
  }

  void sign(X509* it) { check(X509_sign(it, key_.get(), EVP_sha256()) > 0); }

  static std::string text(BIO* bio) {
    char* data = nullptr;
    long const size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
  }
  static std::string pem(X509* it) {
    std::unique_ptr<BIO, release> const bio(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_X509(bio.get(), it) == 1);
    return text(bio.get());
  }
  static std::string pem(EVP_PKEY* it) {
    std::unique_ptr<BIO, release> const bio(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PrivateKey(bio.get(), it, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return text(bio.get());
  }

  static std::string pin(X509* it) {
    unsigned char* der = nullptr;
    int const size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(it), &der);
    check(size > 0);
    unsigned char digest[32];
    EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    unsigned char base64[48];
    EVP_EncodeBlock(base64, digest, sizeof digest);
    return reinterpret_cast<char const*>(base64);
  }

  key key_;
  long serial_ = 0;
  std::shared_ptr<X509> ca_;
  std::shared_ptr<X509> certificate_;  // the one in the making
};

/// From one authority for the whole program.
inline certificates make_certificates(certificate_options const& options = {}) {
  static certificate_authority authority;
  return authority.issue(options);
}

}  // namespace hawser_test
