// The two protocols that the arena can be played by: raw WebSocket, and Socket.IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <hawser/server.hpp>

#include "protocol.hpp"

namespace arena {

// What a player misses is the positions that newer ones have overtaken.
template <class Policies, class Transport>
using game_policies = typename Policies::template with_transport<
    Transport>::template with_backpressure<hawser::latest_by_key>;

// The last that a player gets in a tick needn't wait for the others' to be written.
template <class Options>
Options last_of_tick(std::uint64_t key) {
  Options how{.key = key};
  if constexpr (requires { how.at_once; }) how.at_once = true;
  return how;
}

template <class Peer>
void leave_at_once(Peer const& to) {
  if constexpr (requires { to.flush(); }) to.flush();
}

/// Binary messages: an input, a view. Text messages: events of rooms, words of the load.
template <class Transport>
struct by_websocket {
  using server = hawser::basic_server<game_policies<hawser::websocket_policies, Transport>>;
  using peer = hawser::websocket;
  using room = hawser::websocket_room;

  template <class Game>
  static void listen_to(server& at, Game& game) {
    at.on_message([&game](peer from, hawser::message const& what) {
      if (what.is_text()) return game.told(from, what.text());
      if (what.data.size() != sizeof(input)) return;
      input wants;
      std::memcpy(&wants, what.data.data(), sizeof wants);
      game.steered(from, wants);
    });
    at.on_close([&game](peer from, hawser::close_event const& how) {
      game.left(from, how.error.message());
    });
  }

  static std::string address(peer const& of) { return of.remote_address(); }

  static void send_view(peer const& to, hawser::bytes_view view) {
    to.send(view, last_of_tick<hawser::send_options>(0));
  }
  static void send_position(peer const& to, std::uint32_t of, hawser::bytes_view one) {
    to.send(one, {.key = of});
  }
  static void send_big(peer const& to, hawser::bytes_view big) { to.send(big); }
  static void send_lap(room const& to, std::uint32_t who) {
    char text[64];
    int const size = std::snprintf(text, sizeof text, R"({"lap":%u})", who);
    to.send(std::string_view(text, static_cast<std::size_t>(size)));
  }
};

/// Events: "input" with numbers, "view" with an attachment, "lap" in rooms, "say" of the load.
template <class Transport>
struct by_socketio {
  using server = hawser::basic_server<game_policies<hawser::policies<>, Transport>>;
  using peer = hawser::socket;
  using room = hawser::room;

  static constexpr hawser::event<"input", std::uint32_t, float> steer{};
  static constexpr hawser::event<"view", hawser::bytes_view> view{.delivery = hawser::latest};
  static constexpr hawser::event<"at", std::uint32_t, hawser::bytes_view> at{.delivery =
                                                                                 hawser::latest};
  static constexpr hawser::event<"lap", std::uint32_t> lap{};

  template <class Game>
  static void listen_to(server& where, Game& game) {
    where.on(steer, [&game](peer from, std::uint32_t sequence, float push) {
      game.steered(from, input{sequence, push});
    });
    where.on("say", [&game](peer from, std::string_view word) { game.told(from, word); });
    where.on_disconnect([&game](peer from, hawser::disconnect_reason why) {
      game.left(from, hawser::describe(why));
    });
  }

  static std::string address(peer const& of) {
    auto const asked = of.handshake();
    return asked ? asked->remote_address() : std::string();
  }

  static void send_view(peer const& to, hawser::bytes_view bytes) {
    to.emit(view, bytes);
    leave_at_once(to);
  }
  static void send_position(peer const& to, std::uint32_t of, hawser::bytes_view one) {
    to.emit(at, of, one);
  }
  static void send_big(peer const& to, hawser::bytes_view big) { to.emit("big", big); }
  static void send_lap(room const& to, std::uint32_t who) { to.emit(lap, who); }
};

}  // namespace arena
