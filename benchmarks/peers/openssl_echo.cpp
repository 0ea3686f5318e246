// The ceiling with TLS: OpenSSL on bare epoll, one read and one write per readiness, no frames.
//
//   openssl_echo --port 0 --tls certificate.pem key.pem
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "peer.hpp"

namespace {

struct line {
  int fd;
  SSL* tls;
};

void fail(char const* what) {
  std::perror(what);
  std::exit(1);
}

int listen_on(std::uint16_t port, unsigned& chosen) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int const on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, any, size) != 0 || ::listen(fd, 4096) != 0) fail("openssl_echo");
  ::getsockname(fd, any, &size);
  chosen = ntohs(address.sin_port);
  return fd;
}

// Echoes are small and few: a write that would block ends the connection.
bool echo(line& one, std::vector<char>& inbox) {
  if (!SSL_is_init_finished(one.tls)) {
    int const done = SSL_do_handshake(one.tls);
    if (done != 1) return SSL_get_error(one.tls, done) == SSL_ERROR_WANT_READ;
  }
  for (;;) {
    std::size_t got = 0;
    int const done = SSL_read_ex(one.tls, inbox.data(), inbox.size(), &got);
    if (done != 1) return SSL_get_error(one.tls, done) == SSL_ERROR_WANT_READ;
    std::size_t sent = 0;
    if (SSL_write_ex(one.tls, inbox.data(), got, &sent) != 1 || sent != got) return false;
    if (SSL_pending(one.tls) == 0) return true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  char const* certificate = nullptr;
  char const* key = nullptr;
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
      certificate = argv[++i];
      key = argv[++i];
    } else {
      argv[left++] = argv[i];
    }
  }
  peer::options const chosen = peer::parse_command_line(left, argv);
  peer::raise_file_limit();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (!certificate || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    std::fprintf(stderr, "openssl_echo: needs --tls CERTIFICATE KEY\n");
    return 1;
  }
  unsigned port = 0;
  int const listener = listen_on(chosen.port, port);
  int const set = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
  peer::announce(chosen, port);

  std::vector<char> inbox(64 * 1024);
  epoll_event events[1024];
  for (;;) {
    int const ready = ::epoll_wait(set, events, 1024, -1);
    for (int i = 0; i < ready; ++i) {
      if (auto* const one = static_cast<line*>(events[i].data.ptr)) {
        if (echo(*one, inbox)) continue;
        SSL_free(one->tls);
        ::close(one->fd);
        delete one;
        continue;
      }
      for (;;) {
        int const fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) break;
        int const on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto* const one = new line{fd, SSL_new(context)};
        SSL_set_fd(one->tls, fd);
        SSL_set_accept_state(one->tls);
        event.data.ptr = one;
        ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
      }
    }
  }
}
