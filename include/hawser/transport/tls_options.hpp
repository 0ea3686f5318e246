// What a TLS server or client can be told.
#pragma once

#include <string>
#include <vector>

#include <hawser/core/config.hpp>
#include <hawser/transport/tcp_options.hpp>

namespace hawser::inline HAWSER_ABI {

/// Options of the transports `tls` and `tcp_or_tls`, for a server and for a client. All texts are
/// PEM; where a file and a text are both set, the text counts.
///
/// Fixed, since nothing good comes from another choice: TLS 1.2 and 1.3 only; AEAD ciphers with
/// ephemeral keys; no compression, no renegotiation, no early data; one session ticket.
struct tls_options {
  /// This side's certificate, followed by the intermediate ones. A server's, without which `tls`
  /// can't listen and `tcp_or_tls` listens in the clear; for a client what it identifies itself by,
  /// if anything.
  std::string certificate_file{};
  std::string certificate_pem{};

  /// Its private key. Both empty: the key stands beside the certificate.
  std::string private_key_file{};
  std::string private_key_pem{};
  std::string private_key_password{};  ///< nobody is ever asked for one on the terminal

  /// The authorities to trust, instead of the system's. A server uses them for certificates of
  /// clients.
  std::string ca_file{};
  std::string ca_pem{};

  /// Server: refuse clients without a certificate from these authorities (which must be set).
  bool require_client_certificate = false;

  /// Client: accept any certificate for any host. Encrypted, but whoever sits in between can read
  /// and change everything; `pinned_keys` still count.
  bool insecure_skip_verify = false;

  /// Client: accept only a server with one of these keys, besides all else that is verified; else
  /// `errc::pin_mismatch`. Each is SHA-256 of the SubjectPublicKeyInfo of the server's own
  /// certificate in base64, as `curl --pinnedpubkey sha256//...` has it. Two make it possible to
  /// change the server's key. Empty: any key.
  std::vector<std::string> pinned_keys{};

  /// The protocols to offer and to accept, the best first (RFC 7301). A client that offers none of
  /// them is refused, so that bytes meant for another protocol can't be replayed here; one that
  /// doesn't use ALPN is not. Empty: no ALPN.
  std::vector<std::string> alpn{"http/1.1"};

  /// Client: what is below TLS. Through a proxy, TLS is between here and the URL's host.
  tcp_options tcp{};
};

}  // namespace hawser::inline HAWSER_ABI
