// Everything about a client that is a number, a hook or a list.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/core/log.hpp>
#include <hawser/core/random.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/mailbox.hpp>
#include <hawser/endpoint/server_options.hpp>
#include <hawser/endpoint/system_random.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// How a client of Engine.IO reaches its server.
struct client_engine_options {
  std::string path = "/socket.io";  ///< as the server's; a slash is put behind it
  /// Tried in this order: the first one opens the session, the next ones only with `try_all`.
  std::vector<eio::transport_kind> transports{eio::transport_kind::polling,
                                              eio::transport_kind::websocket};
  bool try_all = false;  ///< whether the next transport is tried when one fails
  bool upgrade = true;  ///< from polling to WebSocket, if `transports` has that and the server will
  std::chrono::milliseconds upgrade_timeout{10'000};         ///< for all of an upgrade
  std::chrono::milliseconds request_timeout{20'000};         ///< for the answer to a POST
  std::vector<std::pair<std::string, std::string>> query{};  ///< encoded when sent
  std::size_t max_poll_size = std::size_t{16} << 20;         ///< bytes of one answer to a poll
};

/// What a client's namespaces and sockets may cost.
struct client_socket_options {
  std::chrono::milliseconds connect_timeout{
      20'000};                                    ///< from CONNECT, auth included, to its answer
  std::chrono::milliseconds ack_timeout{10'000};  ///< unless told otherwise; 0: none is too late
  std::size_t max_acks = 1'024;                   ///< awaited by one socket
  std::size_t max_namespaces = 64;
  std::size_t max_early_bytes = 1'000'000;  ///< of events that come before CONNECT is answered
  /// Every event that isn't `unreliable` waits for its acknowledgement, one in flight, and is sent
  /// again up to so often: after `ack_timeout`, and after every reconnection. A durable queue
  /// always works so; without a number it never gives an event up.
  std::optional<std::uint32_t> retries{};
  /// Whether such events end with one more argument: an id that stays the same when they are sent
  /// again. Absent: with a durable queue only.
  std::optional<bool> delivery_ids{};
};

/// Options of a client, the numbers of each policy under its axis' name.
template <class Policies>
struct client_options {
  typename Policies::transport::options transport{};
  typename Policies::framing::options framing{};
  typename Policies::heartbeat::options heartbeat{};
  typename Policies::backpressure::options backpressure{};
  typename Policies::reconnect::options reconnect{};
  typename Policies::offline_queue::options offline_queue{};

  // With a framing of sessions only; naming them is an error without.
  session_options<Policies, client_engine_options> engine{};
  session_options<Policies, client_socket_options> sockets{};

  std::chrono::milliseconds connect_timeout{10'000};  ///< of one attempt, to the open connection
  /// Whether the reconnection policy is asked, too, when the server said no: HTTP 401 and 403, or a
  /// close code that blames this side (1002, 1003, 1007 to 1010).
  bool reconnect_when_refused = false;
  std::vector<std::string> subprotocols{};  ///< to offer, best first
  std::vector<http::header> headers{};      ///< to add to every request
  bool keep_cookies = false;                ///< whether cookies of the server are sent back to it
  http::head_limits head{};                 ///< of the server's answers
  std::size_t max_received = 64;  ///< messages or events of a socket kept for `async_receive`
  connection_limits limits{};

  std::size_t receive_buffer = 16 * 1024;
  std::size_t send_buffer = 16 * 1024;
  mailbox::limits mailbox_limit{};
  log_hook log{};
  log_level least_log_level = log_level::info;
  on_handler_failure handler_failure = on_handler_failure::close;
  random_source random = system_random();  ///< tests hand in a seeded one
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
