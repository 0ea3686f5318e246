// What the programs share that the interop tests of our clients drive: commands come in as lines of
// JSON, what happens goes out likewise. Binary is {"base64": "..."} there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>

#include <hawser/client.hpp>

#include "../../examples/arguments.hpp"

using hawser::json;

inline json text_of(std::error_code error) { return json(error ? error.message() : std::string()); }

/// Binaries replaced by what stands for them, and back.
inline json shown(json const& what) {
  if (auto const bytes = what.binary()) {
    return json::object({{"base64", hawser::codec::base64_encode(*bytes)}});
  }
  if (what.kind() == hawser::value_kind::array) {
    json made = json::array();
    for (json const& one : what.elements()) made.push_back(shown(one));
    return made;
  }
  if (what.kind() == hawser::value_kind::object) {
    json made = json::object();
    for (auto const& [key, inner] : what.members()) made[key] = shown(inner);
    return made;
  }
  return what;
}
inline json meant(json const& what) {
  if (what.kind() == hawser::value_kind::array) {
    json made = json::array();
    for (json const& one : what.elements()) made.push_back(meant(one));
    return made;
  }
  if (what.kind() != hawser::value_kind::object) return what;
  if (auto const text = what["base64"].string(); text && what.size() == 1) {
    auto const bytes = hawser::codec::base64_decode(*text);
    return json(hawser::as_bytes(bytes.value_or("")));
  }
  json made = json::object();
  for (auto const& [key, inner] : what.members()) made[key] = meant(inner);
  return made;
}

/// Runs a program: `handle` gets each command, and errors of commands are told as `refused`.
class console {
 public:
  using handler = std::function<std::error_code(std::string_view what, json const& command)>;

  explicit console(asio::io_context& io) : io_(io), input_(io, ::dup(STDIN_FILENO)), bound_(io) {}

  /// Until standard input ends: false if it was not before 120 s.
  bool run(handler handle) {
    handle_ = std::move(handle);
    bound_.expires_after(std::chrono::seconds(120));
    bound_.async_wait([this](std::error_code error) {
      if (error) return;
      late_ = true;
      io_.stop();
    });
    read();
    io_.run();
    return !late_;
  }

  static void say(std::string_view what, json line = json::object()) {
    line["is"] = json(what);
    line["at"] = json(std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count());
    std::puts(line.dump().c_str());
    std::fflush(stdout);
  }

 private:
  void read() {
    asio::async_read_until(input_, asio::dynamic_buffer(text_), '\n',
                           [this](std::error_code error, std::size_t size) {
                             if (error) return io_.stop();
                             auto const command = json::parse(text_.substr(0, size));
                             text_.erase(0, size);
                             if (!command) {
                               say("refused", json::object({{"error", "no JSON"}}));
                               return read();
                             }
                             obey(*command);
                             read();
                           });
  }

  void obey(json const& command) {
    auto const what = command["do"].string().value_or("");
    if (what == "sync") return say("synced", json::object({{"id", command["id"]}}));
    if (auto const error = handle_(what, command)) {
      say("refused", json::object({{"do", what}, {"error", text_of(error)}}));
    }
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor input_;
  asio::steady_timer bound_;
  std::string text_;
  handler handle_;
  bool late_ = false;
};

inline std::string_view name_of(hawser::client_state state) {
  switch (state) {
    case hawser::client_state::disconnected: return "disconnected";
    case hawser::client_state::connecting: return "connecting";
    case hawser::client_state::connected: return "connected";
    case hawser::client_state::disconnecting: return "disconnecting";
    case hawser::client_state::reconnecting: return "reconnecting";
  }
  return "";
}

/// Tells all that clients of both kinds report about their connection.
template <class Client>
void watch_connection(Client& client) {
  client.on_state([](hawser::client_state state) {
    console::say("state", json::object({{"state", name_of(state)}}));
  });
  client.on_error([](hawser::attempt_failure const& why) {
    json line = json::object({{"error", text_of(why.error)}, {"status", why.status}});
    if (why.retry_after) line["retryAfter"] = json(why.retry_after->count());
    console::say("error", std::move(line));
  });
  client.on_reconnect_attempt([](std::uint32_t number) {
    console::say("reconnect_attempt", json::object({{"number", number}}));
  });
  client.on_reconnect(
      [](std::uint32_t number) { console::say("reconnect", json::object({{"number", number}})); });
  client.on_reconnect_error([](hawser::attempt_failure const& why) {
    console::say("reconnect_error", json::object({{"error", text_of(why.error)}}));
  });
  client.on_reconnect_failed([] { console::say("reconnect_failed"); });
}

template <class Options>
void read_common(arguments const& given, Options& options) {
  auto const time = [&](char const* name, auto& into) {
    into = std::chrono::milliseconds(given.number<std::int64_t>(name, into.count()));
  };
  options.reconnect.first_delay = std::chrono::milliseconds(20);
  options.reconnect.max_delay = std::chrono::milliseconds(100);
  time("first-delay", options.reconnect.first_delay);
  time("max-delay", options.reconnect.max_delay);
  time("restart-window", options.reconnect.restart_window);
  time("connect-timeout", options.connect_timeout);
  options.reconnect.jitter = 0;
  if (given.has("attempts"))
    options.reconnect.attempts = given.number<std::uint32_t>("attempts", 0);
  options.offline_queue.max_messages =
      given.number<std::size_t>("queue-messages", options.offline_queue.max_messages);
  options.framing.max_message_size = 16'000'000;
  if (auto const text = given.text("header"); !text.empty()) {
    auto const end = text.find('=');
    if (auto made = hawser::http::header::make(text.substr(0, end), text.substr(end + 1))) {
      options.headers.push_back(std::move(*made));
    }
  }
  options.keep_cookies = given.has("keep-cookies");
}
