// The ceiling: a TCP echo on bare epoll. Level-triggered, one recv and one send per readiness.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "peer.hpp"

namespace {

class echo_server {
 public:
  explicit echo_server(peer::options const& chosen)
      : broadcast_(chosen.broadcast),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        inbox_(512 * 1024) {
    int const on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(chosen.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 4096) != 0) {
      std::perror("epoll_echo");
      std::exit(1);
    }
    ::getsockname(listener_, any, &size);
    port_ = ntohs(address.sin_port);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  unsigned port() const noexcept { return port_; }

  [[noreturn]] void run() {
    epoll_event events[1024];
    for (;;) {
      int const ready = ::epoll_wait(epoll_, events, 1024, -1);
      for (int i = 0; i < ready; ++i) {
        int const fd = events[i].data.fd;
        if (fd == listener_) {
          accept_all();
        } else if ((events[i].events & EPOLLOUT) != 0) {
          send_rest(fd);
        } else {
          echo(fd);
        }
      }
    }
  }

 private:
  void watch(int operation, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    for (;;) {
      int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      int const on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
      if (broadcast_) members_.push_back(fd);
    }
  }

  void echo(int fd) {
    ssize_t const got = ::recv(fd, inbox_.data(), inbox_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return drop(fd);
    if (!broadcast_) return send(fd, static_cast<std::size_t>(got));
    for (int const member : members_) send(member, static_cast<std::size_t>(got));
  }

  void send(int fd, std::size_t size) {
    if (auto const held = held_.empty() ? held_.end() : held_.find(fd); held != held_.end()) {
      held->second.append(inbox_.data(), size);
      return;
    }
    ssize_t sent = ::send(fd, inbox_.data(), size, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(size)) return;
    if (sent < 0) sent = 0;  // what else it can be is seen by the next recv
    auto const done = static_cast<std::size_t>(sent);
    held_[fd].assign(inbox_.data() + done, size - done);
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);  // and nothing is read until it is gone
  }

  void send_rest(int fd) {
    std::string& rest = held_[fd];
    ssize_t const sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return drop(fd);
    if (sent > 0) rest.erase(0, static_cast<std::size_t>(sent));
    if (!rest.empty()) return;
    held_.erase(fd);
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  void drop(int fd) {
    held_.erase(fd);
    std::erase(members_, fd);
    ::close(fd);
  }

  bool broadcast_;
  int epoll_;
  int listener_;
  unsigned port_ = 0;
  std::vector<char> inbox_;
  std::unordered_map<int, std::string> held_;  // of sockets that took only a part
  std::vector<int> members_;
};

}  // namespace

int main(int argc, char** argv) {
  peer::options const chosen = peer::parse_command_line(argc, argv);
  peer::raise_file_limit();
  echo_server server(chosen);
  peer::announce(chosen, server.port());
  server.run();
}
