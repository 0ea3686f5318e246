// Counts calls of malloc and operator new: in the steady state a message costs none.
#include <hawser/server.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <execinfo.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/io_context.hpp>

#include <hawser/codec/ws/frame.hpp>

// glibc's own names, so that what libraries allocate is counted too.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

constinit bool counting = false;
constinit std::size_t allocations = 0;
std::array<void*, 32> culprit;
constinit int culprit_depth = 0;

void count() noexcept {
  if (!counting) return;
  counting = false;  // what looks for the culprit may allocate
  if (++allocations == 1) culprit_depth = backtrace(culprit.data(), 32);
  counting = true;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count();
  return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
  count();
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
}

// Those that an implementation may fill without malloc; the others end up here or there.
void* operator new(std::size_t size) {
  if (void* const block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace {

using namespace std::chrono_literals;
namespace ws = hawser::ws;

int failures = 0;

void need(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "could not %s: errno %d\n", what, errno);
  std::exit(2);
}

template <class Work>
void expect_none(std::string const& what, Work&& work) {
  allocations = 0;
  counting = true;
  work();
  counting = false;
  std::printf("%-64s %zu\n", what.c_str(), allocations);
  if (allocations == 0) return;
  ++failures;
  std::fflush(stdout);
  backtrace_symbols_fd(culprit.data(), culprit_depth, 2);
}

/// A client that allocates nothing once it is connected.
class client {
 public:
  explicit client(std::uint16_t port, int receive_buffer = 0, std::string_view target = "/")
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    need(fd_ >= 0, "make a socket");
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    int const one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "connect");
    say("GET " + std::string(target) +
        " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }
  client(client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~client() {
    if (fd_ >= 0) ::close(fd_);
  }

  // Loopback takes what these tests send in one piece.
  void say(std::string_view bytes) {
    auto const sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    need(sent == static_cast<ssize_t>(bytes.size()), "send");
  }
  /// What has arrived, thrown away; how many bytes.
  std::size_t hear() {
    static std::array<char, 64 * 1024> sink;
    auto const got = ::recv(fd_, sink.data(), sink.size(), MSG_DONTWAIT);
    need(got > 0 || (got < 0 && errno == EAGAIN), "receive");
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  int fd_;
};

std::string frame(ws::opcode code, std::string_view content) {
  std::string made(ws::header_size(content.size(), ws::role::client), 'x');
  ws::mask_key const key{};
  ws::write_header(reinterpret_cast<std::byte*>(made.data()), code, content.size(), key);
  return made.append(content);
}
std::string frame(ws::opcode code, std::size_t size) { return frame(code, std::string(size, 'x')); }

struct by_context {
  template <class Server>
  void operator()(asio::io_context& io, Server&) const {
    io.poll();
    io.restart();
  }
  static constexpr char const* name = "io.poll";
};
struct by_server {
  template <class Server>
  void operator()(asio::io_context&, Server& server) const {
    server.poll(1ms);
  }
  static constexpr char const* name = "server.poll";
};

constexpr std::array<std::size_t, 3> sizes{20, 1024, 16 * 1024};
constexpr std::array<ws::opcode, 2> kinds{ws::opcode::text, ws::opcode::binary};

std::string title(char const* what, char const* transport, char const* loop, ws::opcode kind,
                  std::size_t size) {
  return std::string(what) + ", " + transport + ", " + loop + ", " +
         (kind == ws::opcode::text ? "text" : "binary") + ", " + std::to_string(size) + " bytes";
}

template <class Transport, class Loop>
struct scene {
  using server_type = hawser::basic_server<hawser::websocket_policies::with_transport<Transport>>;

  scene(std::size_t clients, std::uint16_t port = 0) {
    server.on_message([](hawser::websocket s, hawser::message const& m) { s.send(m); });
    need(!server.listen({.host = "127.0.0.1", .port = port}), "listen");
    peers.reserve(clients);
    for (std::size_t i = 0; i < clients; ++i) {
      peers.emplace_back(server.port());
      while (peers.back().hear() == 0) turn();
    }
    need(server.size() == clients, "open all");
  }
  void turn() { Loop()(io, server); }

  void await(std::size_t each) {
    for (auto& peer : peers) {
      for (std::size_t heard = 0; heard < each;) {
        std::size_t const more = peer.hear();
        heard += more;
        if (more == 0) turn();
      }
    }
  }

  void echo(std::string const& sent, std::size_t size, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (auto& peer : peers) peer.say(sent);
      await(ws::header_size(size, ws::role::server) + size);
    }
  }

  void broadcast(ws::opcode kind, std::string const& content, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      kind == ws::opcode::text ? server.all().send(std::string_view(content))
                               : server.all().send(hawser::as_bytes(content));
      await(ws::header_size(content.size(), ws::role::server) + content.size());
    }
  }

  asio::io_context io;
  server_type server{io};
  std::vector<client> peers;
};

template <class Transport, class Loop>
void echoes_and_broadcasts(char const* transport) {
  scene<Transport, Loop> senders(2);
  for (auto const kind : kinds) {
    for (auto const size : sizes) {
      auto const sent = frame(kind, size);
      senders.echo(sent, size, 50);
      expect_none(title("10,000 echoes", transport, Loop::name, kind, size),
                  [&] { senders.echo(sent, size, 5'000); });
    }
  }
  scene<Transport, Loop> crowd(100);
  for (auto const kind : kinds) {
    for (auto const size : sizes) {
      std::string const content(size, 'x');
      crowd.broadcast(kind, content, 20);
      expect_none(title("1,000 broadcasts to 100", transport, Loop::name, kind, size),
                  [&] { crowd.broadcast(kind, content, 1'000); });
    }
  }
}

// Peers that read nothing: their queues are full, and each message replaces an older one.
template <class Loop>
void latest_by_key() {
  using policies = hawser::websocket_policies::with_transport<hawser::tcp>::with_backpressure<
      hawser::latest_by_key>;
  asio::io_context io;
  hawser::basic_server<policies> server{io};
  std::vector<hawser::websocket> sockets;
  server.on_open([&](hawser::websocket s) { sockets.push_back(std::move(s)); });
  need(!server.listen({.host = "127.0.0.1"}), "listen");
  std::vector<client> peers;
  for (int i = 0; i < 2; ++i) {
    peers.emplace_back(server.port(), 4096);
    while (peers.back().hear() == 0) Loop()(io, server);
  }
  std::string const position(100, 'x');
  std::uint64_t next = 0;
  auto const send = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      std::uint64_t const key = next++ % 50;
      for (auto const& s : sockets) (void)s.send(std::string_view(position), {.key = key});
      (void)server.all().send(std::string_view(position), {.key = key});
      if (i % 50 == 0) Loop()(io, server);
    }
  };
  std::string const filling(256 * 1024, 'x');
  while (sockets[0].queued().messages == 0 || sockets[1].queued().messages == 0) {
    (void)server.all().send(std::string_view(filling));
    Loop()(io, server);
  }
  send(200);
  expect_none(std::string("40,000 replaced in the queues of stalled peers, ") + Loop::name,
              [&] { send(10'000); });
  need(server.counters().messages_replaced > 30'000, "replace");
}

// -- Socket.IO ------------------------------------------------------------------------------------

// How often something of the application's own was written.
std::size_t encoded = 0;
struct place {
  double x, y;
};

}  // namespace

template <>
struct hawser::mapping<place> {
  static void write(value_writer& out, place const& from) {
    ++encoded;
    out.begin_array(2);
    out.number(from.x);
    out.number(from.y);
    out.end_array();
  }
};

namespace {

constexpr hawser::event<"pos", std::uint32_t, double> position{.delivery = hawser::latest};
constexpr hawser::event<"typed", std::string_view, double> typed{};

/// A server with sessions, and clients in its main namespace.
template <class Backpressure, class Loop>
struct socketio_scene {
  using policies = hawser::policies<>::with_transport<hawser::tcp>::with_backpressure<Backpressure>;
  using server_type = hawser::basic_server<policies>;

  explicit socketio_scene(std::size_t clients) {
    server.on_connect([](hawser::socket s) { s.join("a room"); });
    server.on("m", [](hawser::socket s, double a, double b) { (void)s.emit("m", a, b); });
    server.on("v", [](hawser::socket s, hawser::event_view const& e) { (void)s.emit("v", e); });
    server.on("k", [](double a, double b) { return a + b; });
    server.on(position, [](hawser::socket s, std::uint32_t who, double x) {
      (void)s.emit(position, who, x);
    });
    server.on(typed, [](hawser::socket s, std::string_view name, double x) {
      (void)s.emit(typed, name, x);
    });
    server.on("others", [](hawser::socket s, double a) { s.to("a room").emit("others", a); });
    need(!server.listen({.host = "127.0.0.1"}), "listen");
    peers.reserve(clients);
    for (std::size_t i = 0; i < clients; ++i) {
      peers.emplace_back(server.port(), 0, "/socket.io/?EIO=4&transport=websocket");
      auto& peer = peers.back();
      while (peer.hear() == 0) turn();
      peer.say(frame(ws::opcode::text, "40"));
      auto const before = server.counters().sockets_connected;
      while (server.counters().sockets_connected == before) turn();
    }
    quiet();
  }
  static typename server_type::options numbers() {
    typename server_type::options made;
    made.heartbeat.ping_interval = std::chrono::hours{1};
    return made;
  }
  void turn() { Loop()(io, server); }

  void quiet() {
    for (int i = 0; i < 20; ++i) {
      turn();
      for (auto& peer : peers) peer.hear();
    }
  }
  void await(client& peer, std::size_t content) {
    std::size_t const size = ws::header_size(content, ws::role::server) + content;
    for (std::size_t heard = 0; heard < size;) {
      std::size_t const more = peer.hear();
      heard += more;
      if (more == 0) turn();
    }
  }

  // Each client says it, and hears so much.
  void ask(std::string const& sent, std::size_t heard, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (auto& peer : peers) peer.say(sent);
      for (auto& peer : peers) await(peer, heard);
    }
  }
  void expect_echoes(std::string_view packet, std::string_view answer) {
    auto const sent = frame(ws::opcode::text, packet);
    ask(sent, answer.size(), 50);
    expect_none("10,000 Socket.IO events, " + std::string(Loop::name) + ", " + std::string(packet),
                [&] { ask(sent, answer.size(), 5'000); });
  }

  // What all of them hear.
  template <class Emit>
  void expect_broadcasts(std::string const& what, std::string_view heard, Emit&& emit) {
    auto const rounds = [&](int count) {
      for (int i = 0; i < count; ++i) {
        emit();
        for (auto& peer : peers) await(peer, heard.size());
      }
    };
    rounds(20);
    encoded = 0;
    expect_none("1,000 Socket.IO " + what + " to 100, " + Loop::name, [&] { rounds(1'000); });
    need(encoded == 0 || encoded == 1'000, "encode once");
  }

  asio::io_context io;
  server_type server{io, numbers()};
  std::vector<client> peers;
};

template <class Backpressure, class Loop>
void socketio() {
  socketio_scene<Backpressure, Loop> senders(2);
  senders.expect_echoes(R"(42["m",1.5,2.25])", R"(42["m",1.5,2.25])");
  senders.expect_echoes(R"(42["pos",7,2.25])", R"(42["pos",7,2.25])");
  senders.expect_echoes(R"(42["typed","a name of some length",2.25])",
                        R"(42["typed","a name of some length",2.25])");
  senders.expect_echoes(R"(42["v",{"a":[1,"two",null]},"three"])",
                        R"(42["v",{"a":[1,"two",null]},"three"])");
  senders.expect_echoes(R"(4217["k",1.5,2.25])", R"(4317[3.75])");
  senders.expect_echoes(R"(42["others",2.5])", R"(42["others",2.5])");

  socketio_scene<Backpressure, Loop> crowd(100);
  auto& server = crowd.server;
  auto const room = server.room("a room");
  place const here{1.5, 2.5};
  std::string_view const heard = R"(42["at",[1.5,2.5]])";
  crowd.expect_broadcasts("emits", heard, [&] { server.emit("at", here); });
  crowd.expect_broadcasts("emits to a room", heard, [&] { server.to("a room").emit("at", here); });
  crowd.expect_broadcasts("emits to a kept room", heard, [&] { room.emit("at", here); });
  crowd.expect_broadcasts("emits of the latest", R"(42["pos",7,2.5])",
                          [&] { room.emit(position, 7, 2.5); });
}

}  // namespace

int main() {
  std::array<void*, 4> first;
  backtrace(first.data(), 4);  // loads what it needs
  counting = true;
  void* volatile seen = std::malloc(1);
  std::string* volatile made = new std::string(100, 'x');
  counting = false;
  need(allocations == 3, "count what is allocated");
  std::free(seen);
  delete made;
  echoes_and_broadcasts<hawser::tcp, by_context>("tcp");
  echoes_and_broadcasts<hawser::tcp, by_server>("tcp");
  echoes_and_broadcasts<hawser::default_transport, by_context>("default");
  echoes_and_broadcasts<hawser::default_transport, by_server>("default");
  latest_by_key<by_context>();
  latest_by_key<by_server>();
  socketio<hawser::disconnect_slow, by_context>();
  socketio<hawser::latest_by_key, by_server>();
  if (failures > 0) std::fprintf(stderr, "%d of them allocate\n", failures);
  return failures == 0 ? 0 : 1;
}
