// The server that the vectors were captured from, as a hawser server on the memory network, and
// clients that play what was captured.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/testing/memory_network.hpp>

#include <catch2/catch.hpp>

#include "golden/differences.hpp"

namespace golden {

using namespace std::chrono_literals;

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

struct settings {
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds connect_timeout{45'000};
  std::size_t max_payload = 1'000'000;
  bool cookie_and_cors = false;  ///< for http://example.com, with credentials
  bool recovery = false;
  /// The vector whose events have handlers with the types of its arguments; none: handlers that
  /// take any.
  std::string_view typed{};
  /// What clients send is cut here, counted over all of them: what is behind comes later.
  std::size_t cut = nowhere;
};

/// "/", "/admin", "/dyn-<digits>"; "/mw" and "/mw2", which let nobody in. Keeps what handlers saw.
class capture {
 public:
  explicit capture(settings const& how);
  ~capture();

  /// Whether there are handlers for the types of this vector's arguments.
  static bool has_types(std::string_view vector);

  hawser::memory_network& net();
  void run(hawser::duration time = 1ms);

  /// Sends from a client, and lets happen what comes of it.
  void send(hawser::memory_peer& from, std::string_view bytes);
  /// Bytes, of all clients.
  std::size_t sent() const noexcept { return sent_; }

  /// What the captured server emitted while its client was away.
  void emit_missed();

  lines const& events() const;

 private:
  struct house;
  std::unique_ptr<house> house_;
  std::size_t cut_;
  std::size_t sent_ = 0;
};

// -- what is random -------------------------------------------------------------------------------

/// Session ids, the secret ids and offsets of recovery become stars.
std::string without_chance(std::string text);
/// The offset at the end of an event becomes a star.
std::string without_offset(std::string text);
/// A value in quotes behind a key: `sid` of a packet.
std::string quoted(std::string_view text, std::string_view key);

// -- WebSocket frames -----------------------------------------------------------------------------

struct frame {
  int opcode = 0;
  std::string payload{};
  std::string wire{};  ///< all of it
};

/// Takes the complete frames off the front.
std::vector<frame> take_frames(std::string& bytes);
/// As a client sends it.
std::string masked(int opcode, std::string_view payload);
/// A packet as a line.
std::string described(frame const& one);

/// A client that is to become a WebSocket.
class ws_client {
 public:
  /// `request` is a whole head.
  ws_client(capture& at, std::string const& request);

  void send(std::string_view bytes) { at_->send(peer_, bytes); }

  /// The head of the answer, or nothing.
  std::string const& head() {
    collect();
    return head_;
  }
  /// What came behind it that is no frame of WebSocket: the body of a refusal.
  std::string const& rest() {
    collect();
    return bytes_;
  }
  /// All frames so far but the closing one.
  std::vector<frame> const& frames() {
    collect();
    return frames_;
  }
  bool is_closed() {
    collect();
    return closed_ || peer_.eof() || peer_.was_reset();
  }

  /// Lets time pass until there are as many frames, or it is closed; for a second at most.
  void await(std::size_t count) {
    for (int i = 0; i < 200 && frames().size() < count && !is_closed(); ++i) at_->run(5ms);
  }
  void await_end() { await(nowhere); }

 private:
  void collect();

  capture* at_;
  hawser::memory_peer peer_;
  std::string head_;
  std::string bytes_;
  std::vector<frame> frames_;
  bool closed_ = false;
};

std::string upgrade_request(std::string_view target, std::string_view extra = {});

// -- HTTP -----------------------------------------------------------------------------------------

/// An answer: its status, the headers that matter, and the body, unless it says nothing.
lines described_answer(std::string_view head, std::string_view body, bool with_headers = true);

/// A client with one request.
class http_client {
 public:
  http_client(capture& at, std::string_view request)
      : at_(&at), peer_(std::make_unique<hawser::memory_peer>(at.net(), 80)) {
    at_->run();
    at_->send(*peer_, request);
  }

  bool is_answered() const { return body_begin() != std::string_view::npos; }
  std::string head() const {
    return std::string(peer_->text().substr(0, is_answered() ? body_begin() : 0));
  }
  std::string body() const {
    return std::string(is_answered() ? peer_->text().substr(body_begin()) : std::string_view());
  }

 private:
  std::size_t body_begin() const {
    auto const end = peer_->text().find("\r\n\r\n");
    return end == std::string_view::npos ? end : end + 4;
  }

  capture* at_;
  std::unique_ptr<hawser::memory_peer> peer_;
};

// -- cuts -----------------------------------------------------------------------------------------

/// Plays a conversation whole, and again with its bytes cut at each place: what is seen must be the
/// same. `play` is `lines(capture&)`; what handlers saw is added to what it answers.
template <class Play>
lines at_every_cut(settings how, Play&& play) {
  auto const run = [&](std::size_t& size) {
    capture at(how);
    lines seen = play(at);
    size = at.sent();
    seen.insert(seen.end(), at.events().begin(), at.events().end());
    return seen;
  };
  std::size_t size = 0;
  std::size_t again = 0;
  lines const whole = run(size);
  for (how.cut = 1; how.cut < size; how.cut += how.cut < 600 ? 1 : 7) {
    lines const seen = run(again);
    if (seen == whole) continue;
    CAPTURE(how.cut, how.typed);
    CHECK(seen == whole);
    break;
  }
  return whole;
}

}  // namespace golden
