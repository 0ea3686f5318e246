// Everything about a server that is a number, a hook or a list.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <hawser/codec/http/origin.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/core/log.hpp>
#include <hawser/core/random.hpp>
#include <hawser/endpoint/engine_options.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/mailbox.hpp>
#include <hawser/endpoint/system_random.hpp>
#include <hawser/machine/packet_parser.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Options that only servers with sessions have.
struct no_session_options {};
template <class Policies, class Options>
using session_options = std::conditional_t<session_framing_policy<typename Policies::framing>,
                                           Options, no_session_options>;

/// Options of a server, the numbers of each policy under its axis' name. Every limit has a default,
/// and "unlimited" can't be said but of rates, which are off until set.
template <class Policies>
struct server_options {
  typename Policies::transport::options transport{};
  typename Policies::framing::options framing{};
  typename Policies::heartbeat::options heartbeat{};
  typename Policies::rooms::options rooms{};
  typename Policies::backpressure::options backpressure{};

  // With a framing of sessions only; naming them is an error without.
  session_options<Policies, engine_options> engine{};
  session_options<Policies, socketio_limits> sockets{};
  session_options<Policies, recovery_options> recovery{};  ///< of lost connections
  session_options<Policies, typename Policies::adapter::options> adapter{};

  std::size_t max_connections = 100'000;  ///< over it: 503 with Retry-After
  std::chrono::milliseconds tls_handshake_timeout{10'000};
  std::chrono::milliseconds head_timeout{10'000};     ///< absolute, to a complete request head
  std::chrono::milliseconds upgrade_timeout{15'000};  ///< for the accept step, or a reply
  http::head_limits head{};
  std::size_t max_body_size = 1'000'000;    ///< of a POST to a route; over it: 413
  std::size_t max_early_bytes = 16 * 1024;  ///< behind a request that isn't answered yet
  connection_limits limits{};

  std::vector<std::string> subprotocols{};  ///< that the server speaks, best first
  http::origin_rule origins{};              ///< who may connect from a browser: the same origin

  std::size_t receive_buffer = 64 * 1024;  ///< one for all connections
  std::size_t send_buffer = 64 * 1024;     ///< likewise, for what is said while reading
  mailbox::limits mailbox_limit{};
  log_hook log{};
  log_level least_log_level = log_level::info;
  on_handler_failure handler_failure = on_handler_failure::close;
  random_source random = system_random();  ///< tests hand in a seeded one
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
