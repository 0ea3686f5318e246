// A server whose work is counted: `hawser_counts CASE MESSAGES` serves so many messages to a peer in
// a process of its own, and says how many system calls that took. counts.py runs it twice with
// different numbers, under callgrind, and divides the difference: what is left is one message.
//
// The peer sends a batch in one write and waits for all answers before the next, so that the server
// does the same on every machine.
#include <hawser/server.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <simdjson.h>
#include <valgrind/callgrind.h>

#include <asio/io_context.hpp>

#include <hawser/codec/ws/frame.hpp>
#include <hawser/transport/epoll_tcp.hpp>

namespace {

constinit unsigned long system_calls = 0;

// libc's function of this name, behind the one that counts.
template <class Function>
Function* original(char const* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

auto* const libc_recv = original<decltype(::recv)>("recv");
auto* const libc_recvmsg = original<decltype(::recvmsg)>("recvmsg");
auto* const libc_send = original<decltype(::send)>("send");
auto* const libc_sendmsg = original<decltype(::sendmsg)>("sendmsg");
auto* const libc_epoll_wait = original<decltype(::epoll_wait)>("epoll_wait");
auto* const libc_epoll_ctl = original<decltype(::epoll_ctl)>("epoll_ctl");
auto* const libc_timerfd_settime = original<decltype(::timerfd_settime)>("timerfd_settime");

}  // namespace

// In place of libc's, for all that this program calls: what a server does while messages flow.
extern "C" {
ssize_t recv(int fd, void* to, std::size_t size, int flags) {
  return ++system_calls, libc_recv(fd, to, size, flags);
}
ssize_t recvmsg(int fd, msghdr* what, int flags) {
  return ++system_calls, libc_recvmsg(fd, what, flags);
}
ssize_t send(int fd, void const* from, std::size_t size, int flags) {
  return ++system_calls, libc_send(fd, from, size, flags);
}
ssize_t sendmsg(int fd, msghdr const* what, int flags) {
  return ++system_calls, libc_sendmsg(fd, what, flags);
}
int epoll_wait(int fd, epoll_event* events, int most, int timeout) {
  return ++system_calls, libc_epoll_wait(fd, events, most, timeout);
}
int epoll_ctl(int fd, int operation, int of, epoll_event* event) noexcept {
  return ++system_calls, libc_epoll_ctl(fd, operation, of, event);
}
int timerfd_settime(int fd, int flags, itimerspec const* when, itimerspec* before) noexcept {
  return ++system_calls, libc_timerfd_settime(fd, flags, when, before);
}
}

namespace {

namespace ws = hawser::ws;

/// What is asked of the server, and by how many.
struct work {
  std::string_view name;
  bool socketio;
  bool broadcast;  ///< the first connection sends, all receive; messages are deliveries
  bool own_epoll;  ///< by the transport with an epoll set of its own
  int connections;
  int batch;  ///< messages in one write
};

constexpr std::array cases{
    work{"echo", false, false, false, 1, 1},
    work{"echo-16", false, false, false, 1, 16},
    work{"broadcast", false, true, false, 200, 1},
    work{"broadcast-8", false, true, false, 200, 8},
    work{"epoll-echo", false, false, true, 1, 1},
    work{"epoll-echo-16", false, false, true, 1, 16},
    work{"epoll-broadcast", false, true, true, 200, 1},
    work{"epoll-broadcast-8", false, true, true, 200, 8},
    work{"event", true, false, false, 1, 1},
    work{"event-16", true, false, false, 1, 16},
    work{"event-broadcast", true, true, false, 200, 1},
    work{"event-broadcast-8", true, true, false, 200, 8},
};

[[noreturn]] void fail(char const* what) {
  std::perror(what);
  std::_Exit(3);
}

/// The other process: nothing of it is counted, so it is as plain as can be.
class peer {
 public:
  peer(work const& what, std::uint16_t port) : what_(what) {
    for (int i = 0; i < what.connections; ++i) sockets_.push_back(connect(port));
    std::string const event =
        what.broadcast ? R"(42["all",100001,20.25])" : R"(42["m",100001,20.25])";
    std::string const message = what.socketio ? event : std::string(what.broadcast ? 100 : 20, 'x');
    auto const code = what.socketio ? ws::opcode::text : ws::opcode::binary;
    for (int i = 0; i < what.batch; ++i) batch_ += frame(code, message);
    answer_ = static_cast<std::size_t>(what.batch) *
              (ws::header_size(message.size(), ws::role::server) + message.size());
  }

  void run(int messages) {
    int const at_once = what_.batch * (what_.broadcast ? what_.connections : 1);
    for (int done = 0; done < messages; done += at_once) {
      if (::write(sockets_[0], batch_.data(), batch_.size()) < 0) fail("write");
      for (int const one : sockets_) hear(one, answer_);
    }
  }

 private:
  static std::string frame(ws::opcode code, std::string_view content) {
    std::string made(ws::header_size(content.size(), ws::role::client), 'x');
    ws::mask_key const key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    ws::write_header(reinterpret_cast<std::byte*>(made.data()), code, content.size(), key);
    std::size_t const head = made.size();
    made += content;
    ws::apply_mask({reinterpret_cast<std::byte*>(made.data()) + head, content.size()}, key);
    return made;
  }

  int connect(std::uint16_t port) const {
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    int const on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
    std::string const request =
        std::string("GET ") + (what_.socketio ? "/socket.io/?EIO=4&transport=websocket" : "/") +
        " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    if (::write(fd, request.data(), request.size()) < 0) fail("write");
    hear_until(fd, "\r\n\r\n");
    if (!what_.socketio) return fd;
    std::string const join = frame(ws::opcode::text, "40");
    if (::write(fd, join.data(), join.size()) < 0) fail("write");
    hear_until(fd, "40{\"sid\":");
    hear_until(fd, "}");
    return fd;
  }

  static void hear_until(int fd, std::string_view end) {
    std::string heard;
    while (!heard.ends_with(end)) {
      char one = 0;
      if (::read(fd, &one, 1) != 1) fail("read");
      heard += one;
    }
  }

  static void hear(int fd, std::size_t size) {
    static std::array<char, 64 * 1024> sink;
    while (size > 0) {
      auto const got = ::read(fd, sink.data(), std::min(size, sink.size()));
      if (got <= 0) fail("read");
      size -= static_cast<std::size_t>(got);
    }
  }

  work what_;
  std::vector<int> sockets_;
  std::string batch_;
  std::size_t answer_ = 0;
};

/// What came before the first message, connecting, depends on who was faster: it isn't counted.
void begin_counting() {
  static bool begun = false;
  if (begun) return;
  begun = true;
  system_calls = 0;
  CALLGRIND_ZERO_STATS;
}

/// Serves until the peer has got all its answers, and ends both processes.
template <class Server>
[[noreturn]] void serve(asio::io_context& io, Server& server, work const& what, int messages) {
  if (auto const error = server.listen({.host = "127.0.0.1"})) {
    std::fprintf(stderr, "listen: %s\n", error.message().c_str());
    std::_Exit(3);
  }
  // The peer has all its answers, and waits: what its end would cost isn't counted either.
  static pid_t other = 0;
  std::signal(SIGUSR1, [](int) {
    std::printf("pid %d\nsystem calls %lu\n", static_cast<int>(::getpid()), system_calls);
    std::fflush(stdout);
    std::signal(SIGCHLD, SIG_IGN);
    ::kill(other, SIGKILL);
    std::_Exit(0);
  });
  std::signal(SIGCHLD, [](int) { std::_Exit(3); });  // it failed
  ::alarm(300);
  pid_t const self = ::getpid();
  other = ::fork();
  if (other == 0) {
    peer(what, server.port()).run(messages);
    ::kill(self, SIGUSR1);
    ::sleep(60);
    std::_Exit(0);
  }
  io.run();
  std::_Exit(3);
}

template <class Transport>
[[noreturn]] void serve_messages(work const& what, int messages) {
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  hawser::basic_server<hawser::websocket_policies::with_transport<Transport>> server{io};
  if (what.broadcast) {
    server.on_message([&](hawser::websocket, hawser::message const& m) {
      begin_counting();
      server.all().send(m);
    });
  } else {
    server.on_message([](hawser::websocket from, hawser::message const& m) {
      begin_counting();
      from.send(m);
    });
  }
  serve(io, server, what, messages);
}

[[noreturn]] void serve_events(work const& what, int messages) {
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  hawser::server server{io};
  server.on("m", [](hawser::socket from, double a, double b) {
    begin_counting();
    from.emit("m", a, b);
  });
  server.on("all", [&](hawser::socket, double a, double b) {
    begin_counting();
    server.emit("all", a, b);
  });
  serve(io, server, what, messages);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view const wanted = argc > 1 ? argv[1] : "";
  for (work const& what : cases) {
    if (what.name != wanted || argc != 3) continue;
    int const messages = std::atoi(argv[2]);
    if (what.socketio) serve_events(what, messages);
    if (what.own_epoll) serve_messages<hawser::epoll_tcp>(what, messages);
    serve_messages<hawser::tcp_or_tls>(what, messages);
  }
  // What the numbers depend on, and the names of all cases.
#if defined(__x86_64__)
  constexpr char const* machine = "x86-64";
#else
  constexpr char const* machine = "another machine";
#endif
  std::printf("# g++ %s for %s, simdjson %s, Asio %d\n", __VERSION__, machine,
              SIMDJSON_STRINGIFY(SIMDJSON_VERSION), ASIO_VERSION);
  for (work const& what : cases) std::printf("%s\n", std::string(what.name).c_str());
  return wanted == "--list" ? 0 : 2;
}
