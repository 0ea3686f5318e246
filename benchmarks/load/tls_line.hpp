// The client's side of TLS on one connection, without any look at the certificate.
#pragma once

#include <fcntl.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstddef>
#include <memory>

#include "target.hpp"

namespace load {

/// One TLS connection over a socket. Reads and writes as the socket would: bytes, or -1 and `errno`.
class tls_line {
 public:
  /// Shakes hands, in the time that it takes: connections are opened one after the other.
  explicit tls_line(int fd) : ssl_(SSL_new(context())) {
    int const flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    SSL_set_fd(ssl_.get(), fd);
    bool const done = SSL_connect(ssl_.get()) == 1;
    ::fcntl(fd, F_SETFL, flags);
    if (!done) throw failure("the server does not speak TLS 1.3");
  }

  ssize_t send(void const* from, std::size_t size) noexcept {
    std::size_t sent = 0;
    int const done = SSL_write_ex(ssl_.get(), from, size, &sent);
    return done == 1 ? static_cast<ssize_t>(sent) : failed(done);
  }

  /// All that has come, as far as there is room.
  ssize_t receive(void* to, std::size_t size) noexcept {
    std::size_t all = 0;
    for (;;) {
      std::size_t got = 0;
      int const done = SSL_read_ex(ssl_.get(), static_cast<char*>(to) + all, size - all, &got);
      all += got;
      if (done != 1) return all > 0 ? static_cast<ssize_t>(all) : failed(done);
      if (all == size) return static_cast<ssize_t>(all);
    }
  }

 private:
  static SSL_CTX* context() {
    static SSL_CTX* const made = [] {
      SSL_CTX* const fresh = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_min_proto_version(fresh, TLS1_3_VERSION);
      SSL_CTX_set_mode(fresh, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      return fresh;
    }();
    return made;
  }

  ssize_t failed(int done) noexcept {
    int const why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      errno = EAGAIN;
    } else if (why == SSL_ERROR_ZERO_RETURN) {
      errno = 0;
      return 0;
    } else if (errno == 0 || errno == EAGAIN) {
      errno = EPROTO;
    }
    return -1;
  }

  struct deleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, deleter> ssl_;
};

}  // namespace load
