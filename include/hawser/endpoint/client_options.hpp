// Everything about a client that is a number, a hook or a list.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/core/log.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/random.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/endpoint/limits.hpp>
#include <hawser/endpoint/mailbox.hpp>
#include <hawser/endpoint/system_random.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Options of a client, the numbers of each policy under its axis' name.
template <class Policies>
struct client_options {
  typename Policies::transport::options transport{};
  typename Policies::framing::options framing{};
  typename Policies::heartbeat::options heartbeat{};
  typename Policies::backpressure::options backpressure{};

  std::chrono::milliseconds connect_timeout{10'000};  ///< from the call to the open connection
  std::vector<std::string> subprotocols{};            ///< to offer, best first
  std::vector<http::header> headers{};                ///< to add to the upgrade request
  http::head_limits head{};                           ///< of the server's answer
  std::size_t max_received = 64;  ///< messages kept for `async_receive` before reading stops
  connection_limits limits{};

  std::size_t receive_buffer = 16 * 1024;
  std::size_t send_buffer = 16 * 1024;
  mailbox::limits mailbox_limit{};
  log_hook log{};
  log_level least_log_level = log_level::info;
  on_handler_failure handler_failure = on_handler_failure::close;
  random_source random = system_random();  ///< tests hand in a seeded one
};

/// A message that was received for `async_receive`; owns its bytes.
struct received_message {
  message_kind kind = message_kind::binary;
  std::string data{};

  bool is_text() const noexcept { return kind == message_kind::text; }
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
