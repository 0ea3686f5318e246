// A server on the memory network, what it reported, and raw WebSocket peers opposite.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include <hawser/testing/memory_network.hpp>
#include <hawser/testing/seeded_random.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

#include <catch2/catch.hpp>

#include "sim/raw_instances.hpp"

HAWSER_WEBSOCKET_SERVER_CLASSES(extern template, sim::plain);
HAWSER_WEBSOCKET_CLIENT_CLASSES(extern template, sim::plain);

namespace sim {

using namespace std::chrono_literals;
using hawser::close_code;
using hawser::errc;
using hawser::memory_end;

using server = hawser::basic_server<plain>;
using client = hawser::basic_client<plain>;

/// Time, network and chance.
struct world {
  asio::io_context io{1};
  hawser::memory_network net{io};
  hawser::seeded_random random{7};

  template <class Endpoint>
  typename Endpoint::options options() {
    typename Endpoint::options made;
    made.transport.network = &net;
    made.random = random.source();
    return made;
  }
  void run(hawser::duration time = 0ms) { net.run_for(time); }
  bool empty() const {
    return net.live_streams() == 0 && net.live_connections() == 0 && net.live_listeners() == 0 &&
           net.live_timers() == 0 && net.pending_waits() == 0;
  }
};

/// A close event that may be kept.
struct ending {
  close_code code;
  std::string reason;
  std::error_code error;
  bool by_peer;
  explicit ending(hawser::close_event const& event)
      : code(event.code), reason(event.reason), error(event.error), by_peer(event.by_peer) {}
};

/// A server that counts what it is told, and answers messages with themselves.
template <class Policies = plain>
struct basic_house : world {
  using server_type = hawser::basic_server<Policies>;
  using options_type = typename server_type::options;

  std::unique_ptr<server_type> server;
  int opens = 0;
  int closes = 0;
  int drains = 0;
  std::vector<hawser::websocket> sockets;
  std::vector<std::string> messages;
  std::vector<ending> endings;
  bool echo = true;
  std::function<void(hawser::websocket, hawser::message const&)> then;

  explicit basic_house(std::function<void(options_type&)> const& change = {}) {
    auto numbers = this->template options<server_type>();
    if (change) change(numbers);
    server = std::make_unique<server_type>(io, std::move(numbers));
    server->on_open([this](hawser::websocket s) {
      ++opens;
      sockets.push_back(s);
    });
    server->on_message([this](hawser::websocket s, hawser::message const& what) {
      if (what.data.size() < 1000) messages.emplace_back(what.text());
      if (echo) (void)s.send(what);
      if (then) then(s, what);
    });
    server->on_close([this](hawser::websocket, hawser::close_event const& event) {
      ++closes;
      endings.emplace_back(event);
    });
    server->on_drain([this](hawser::websocket) { ++drains; });
    REQUIRE(!server->listen({.port = 80, .backlog = 10'000}));
  }

  hawser::counters const& counters() const { return server->counters(); }
};
using house = basic_house<>;

struct frame {
  int opcode;
  std::string payload;
  bool fin = true;
};

inline std::string upgrade(std::string const& path = "/", std::string const& extra = {}) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         extra + "\r\n";
}

/// A frame as it is on the wire; clients mask (with a key of zeros).
inline std::string wire(int opcode, std::string_view payload, bool fin = true, bool masked = true) {
  std::string out;
  auto const put = [&](std::size_t byte) { out += static_cast<char>(byte & 0xff); };
  put(static_cast<unsigned>(opcode) | (fin ? 0x80u : 0u));
  std::size_t const mask = masked ? 0x80 : 0;
  std::size_t const size = payload.size();
  if (size < 126) {
    put(mask | size);
  } else if (size < 65536) {
    put(mask | 126);
    put(size >> 8);
    put(size);
  } else {
    put(mask | 127);
    for (int shift = 56; shift >= 0; shift -= 8) put(size >> shift);
  }
  if (masked) out.append(4, '\0');
  return out.append(payload);
}
inline std::string text(std::string_view what) { return wire(1, what); }
inline std::string close_body(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}.append(reason);
}
inline std::string goodbye(unsigned code = 1000) { return wire(8, close_body(code)); }

inline unsigned code_of(frame const& one) {
  if (one.opcode != 8 || one.payload.size() < 2) return 0;
  return static_cast<unsigned>(static_cast<unsigned char>(one.payload[0])) << 8 |
         static_cast<unsigned char>(one.payload[1]);
}

/// Takes the complete frames off the front of `bytes`.
inline std::vector<frame> take_frames(std::string& bytes) {
  std::vector<frame> all;
  std::string_view rest = bytes;
  for (;;) {
    if (rest.size() < 2) break;
    auto const byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(rest[i]));
    };
    std::size_t head = 2;
    std::size_t size = byte(1) & 0x7f;
    bool const masked = byte(1) & 0x80;
    if (size >= 126) {
      std::size_t const width = size == 126 ? 2 : 8;
      if (rest.size() < 2 + width) break;
      size = 0;
      for (std::size_t i = 0; i < width; ++i) size = size << 8 | byte(2 + i);
      head += width;
    }
    std::string key(4, '\0');
    if (masked) {
      if (rest.size() < head + 4) break;
      key = rest.substr(head, 4);
      head += 4;
    }
    if (rest.size() < head + size) break;
    frame one{static_cast<int>(byte(0) & 15), std::string(rest.substr(head, size)),
              (byte(0) & 0x80) != 0};
    for (std::size_t i = 0; masked && i < size; ++i) {
      one.payload[i] = static_cast<char>(one.payload[i] ^ key[i % 4]);
    }
    all.push_back(std::move(one));
    rest.remove_prefix(head + size);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return all;
}

/// A raw client; `head` is the answer to its request once that has come.
class peer : public hawser::memory_peer {
 public:
  explicit peer(world& at, std::string const& request = upgrade(), std::uint16_t port = 80)
      : hawser::memory_peer(at.net, port) {
    send(request);
  }

  std::string const& head() {
    collect();
    return head_;
  }
  int status() { return head().size() < 12 ? 0 : std::stoi(head_.substr(9, 3)); }
  bool is_open() { return status() == 101; }

  /// The frames that came since the last call.
  std::vector<frame> frames() {
    collect();
    return take_frames(bytes_);
  }
  /// The code of the Close frame among `frames()`; 0: there was none.
  unsigned closed_with() {
    unsigned code = 0;
    for (auto const& one : frames()) code = one.opcode == 8 ? code_of(one) : code;
    return code;
  }
  /// The data messages among `frames()`.
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (auto& one : frames()) {
      if (one.opcode == 1 || one.opcode == 2) all.push_back(std::move(one.payload));
    }
    return all;
  }
  bool is_over() const { return eof() || was_reset(); }

 private:
  void collect() {
    bytes_ += take();
    if (!head_.empty()) return;
    auto const end = bytes_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    head_ = bytes_.substr(0, end + 4);
    bytes_.erase(0, end + 4);
  }
  std::string head_;
  std::string bytes_;
};

inline std::error_code error_of(asio::error::basic_errors code) { return make_error_code(code); }
inline std::error_code error_of(errc code) { return make_error_code(code); }

}  // namespace sim
