// A policy of one's own for each of the five axes that a server of raw messages has: lines of text
// over plain TCP that is counted, idle peers asked whether they are there, one room, and a queue
// that prefers short lines. (The sixth, the adapter, joins Socket.IO servers to a cluster.)
// Run `custom_policy`: its server and clients talk to each other, and it ends.

#include <cstdio>
#include <cstring>
#include <string>

#include <asio/io_context.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

using namespace hawser;  // a policy speaks the library's language all the time

// Transport: hawser's TCP, with a stream that counts what it writes.
struct counted_tcp : tcp {
  static inline std::size_t written = 0;
  struct counted : tcp::stream {
    explicit counted(tcp::stream&& plain) : tcp::stream(std::move(plain)) {}
    io_result write_some(std::span<bytes_view const> out) {
      auto const done = tcp::stream::write_some(out);
      return written += done.bytes, done;
    }
  };
  using stream = counted;
  static result<counted> count(result<tcp::stream> plain) {
    if (plain) return counted(std::move(*plain));
    return plain.error();
  }
  struct acceptor : tcp::acceptor {
    using tcp::acceptor::acceptor;
    result<counted> accept() { return count(tcp::acceptor::accept()); }
  };
  struct connector : tcp::connector {
    using tcp::connector::connector;
    void connect(http::url const& where, auto done) {
      tcp::connector::connect(where, [done](auto plain) mutable { done(count(std::move(plain))); });
    }
  };
};

// Framing: a message is a line, and there is no handshake.
struct line_framing {
  static constexpr bool opens_with_http = false;
  static constexpr std::size_t max_line = 1000;
  struct options {};
  struct shared {
    shared(options const&, random_source) {}
    std::string out{};
  };
  struct peer {
    explicit peer(role) {}
    std::string line{};  // as much of it as has come
    bool whole = false;
    framing_event decode(mutable_bytes& in, shared&) {
      using type = framing_event::type;
      if (std::exchange(whole, false)) line.clear();
      auto const text = as_text(in);
      auto const end = std::min(text.find('\n'), text.size());
      line += text.substr(0, end);
      whole = end < text.size() && line.size() <= max_line;
      in = in.subspan(whole ? end + 1 : end);
      if (whole) return {type::message, message_kind::text, {}, {}, as_bytes(line)};
      if (line.size() <= max_line) return {};
      return {type::violation, {}, close_code::message_too_big, errc::message_too_big, {}};
    }
    encoded_message encode(outgoing const& message, shared& state) {
      state.out.assign(as_text(message.data)) += '\n';
      return {.head = {}, .body = as_bytes(state.out)};
    }
    std::size_t encode_control(control_kind kind, bytes_view, std::byte* out, shared&) {
      if (kind != control_kind::ping) return 0;  // lines know no other
      return std::memcpy(out, "Hello?\n", 7), 7;
    }
    unsigned variant(outgoing const&, shared const&) const noexcept { return 0; }
    unfinished_message unfinished() const noexcept { return {!whole && line != "", line.size()}; }
    void release(shared&) noexcept { line.clear(); }
  };
};

// Heartbeat: one question after a while of silence, the end after another.
struct ask_once {
  using options = websocket_ping::options;
  bool heard = false, asked = false;
  beat start(options const& numbers, time_point now) noexcept {
    heard = asked = false;
    return {beat::action::wait, now + numbers.ping_after};
  }
  void on_received() noexcept { heard = true; }
  beat poll(options const& numbers, time_point now) noexcept {
    if (heard) return start(numbers, now);
    return {std::exchange(asked, true) ? beat::action::expired : beat::action::ping,
            now + numbers.timeout};
  }
};

// Rooms: there is one, whatever it is called.
struct one_room : hash_rooms {
  using hash_rooms::hash_rooms;
  bool join(member_id member, std::string_view) { return hash_rooms::join(member, "all"); }
  bool leave(member_id member, std::string_view) { return hash_rooms::leave(member, "all"); }
  room_id find(std::string_view) const { return hash_rooms::find("all"); }
  // Walking over members and rooms is as ever.
};

// Backpressure: while the queue is half full, long lines are not taken any more.
struct short_ones_first : disconnect_slow {
  using disconnect_slow::disconnect_slow;
  verdict admit(backlog queued, std::size_t next) const noexcept {
    if (next > 80 && queued.messages > 2048) return verdict::drop_newest;
    return disconnect_slow::admit(queued, next);
  }
};

using lines = policies<>::with_transport<counted_tcp>::with_framing<line_framing>::
    with_heartbeat<ask_once>::with_rooms<one_room>::with_backpressure<short_ones_first>;

int main() {
  asio::io_context io;
  basic_server<lines> server{io};
  server.on_open([](hawser::websocket peer) { peer.join("anything"); });
  server.on_message([](hawser::websocket peer, message const& what) { peer.to("any").send(what); });
  if (auto const error = server.listen({.host = "127.0.0.1"})) return error.value();
  auto const url = "ws://127.0.0.1:" + std::to_string(server.port());

  basic_client<lines> listener{io}, speaker{io};
  listener.on_message([&](message const& what) {
    std::printf("heard: %.*s\n", static_cast<int>(what.data.size()), what.text().data());
    if (what.text() == "Over.") io.stop();
  });
  listener.async_connect(url, [&](std::error_code) {
    speaker.async_connect(url, [&](std::error_code) {
      for (auto const* line : {"Lines are messages,", "one each.", "Over."}) speaker.send(line);
    });
  });
  io.run();
  std::printf("%zu bytes written by all three\n", counted_tcp::written);
}
