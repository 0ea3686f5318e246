// One of a client's connections before it is a WebSocket: its purpose, and the request under way.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <hawser/codec/http/body.hpp>
#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/retry_after.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/policy/reconnect.hpp>

namespace hawser::inline HAWSER_ABI {

/// What one of a client's connections is for.
enum class client_line : std::uint8_t { websocket, poll, post };

/// Kinds of wheel entries beside the connections' own.
enum class client_deadline : std::uint8_t { connection, line, redial, engine, ack, nsp };

/// What a client's connection holds while it is no WebSocket: the request under way.
struct client_opening {
  client_opening(http::head_limits const& limits, client_line what) : parser(limits), on(what) {}

  http::response_parser parser;
  client_line on;
  bool waits = false;       ///< for the answer to a request
  std::string key{};        ///< of the WebSocket that was asked for
  http::response answer{};  ///< whose body is being read
  std::optional<http::body_reader> body{};
  byte_buffer content{};
  int informational = 0;
  time_point idle_since{};
};

/// A line: its connection, or the way to one.
template <class Connector, class Connection>
struct line_state : wheel_entry {
  line_state() noexcept : wheel_entry(static_cast<std::uint8_t>(client_deadline::line)) {}
  std::optional<Connector> connector;
  Connection* connection = nullptr;
  time_point give_up{};
  std::uint32_t attempt = 0;
  bool dials = false;
};

/// Seconds since 1970, for dates of HTTP.
inline std::int64_t unix_time() noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What is known of why a connection ended that was open. The code is the peer's own, or none.
inline attempt_failure loss_of(close_event const& event) {
  attempt_failure why{.error = event.error ? event.error : make_error_code(errc::not_open)};
  if (event.by_peer) why.code = event.code;
  return why;
}

/// What an answer says that isn't the one that was asked for.
inline attempt_failure refusal_of(http::response const& answer) {
  int const status = answer.status();
  bool const elsewhere = status >= 300 && status < 400;
  attempt_failure why{make_error_code(elsewhere ? errc::redirect_refused : errc::unexpected_status),
                      status};
  if (auto const text = answer.get("Retry-After")) {
    if (auto const time = http::parse_retry_after(*text, unix_time())) why.retry_after = *time;
  }
  return why;
}

}  // namespace hawser::inline HAWSER_ABI
