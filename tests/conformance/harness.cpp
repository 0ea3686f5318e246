#include "conformance/harness.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <hawser/client.hpp>
#include <hawser/server.hpp>
#include <hawser/testing/memory_network.hpp>

namespace conformance {
namespace {

using on_memory = hawser::policies<>::with_transport<hawser::memory>;
using peer_type = hawser::raw_peer<hawser::memory>;

hawser::websocket_framing::options framing_of(subject_options const& options) {
  hawser::websocket_framing::options framing;
  framing.max_message_size = options.max_message_size;
  if (options.deflate == contexts::none) return framing;
  framing.deflate.enabled = true;
  framing.deflate.threshold = 0;
  if (options.deflate == contexts::dedicated) {
    framing.deflate.kind = hawser::ws::compressor::dedicated;
    framing.deflate.server_max_window_bits = 15;
    framing.deflate.server_no_context_takeover = false;
    framing.deflate.client_no_context_takeover = false;
  }
  return framing;
}

happening happening_of(hawser::message const& what, bool keep) {
  return {what.is_text() ? 't' : 'b', keep ? std::string(what.text()) : std::string()};
}

subject::farewell farewell_of(hawser::close_event const& event) {
  return {static_cast<unsigned>(event.code), std::string(event.reason), event.by_peer,
          event.error.value()};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The value of a header, or of an extension's parameter; good enough for what hawser writes.
std::string value_of(std::string_view text, std::string_view name, std::string_view ends) {
  auto const at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return std::string(text.substr(0, text.find_first_of(ends)));
}

std::string header_of(std::string_view head, std::string const& name) {
  return value_of(head, "\r\n" + name + ": ", "\r");
}

int bits_of(std::string_view params, std::string const& name) {
  auto const text = value_of(params, name + "=", "; ,");
  return text.empty() ? 15 : std::stoi(text);
}

constexpr char const* sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr char const* sample_accept = "s3pPLBMxaTZRBFXB6KnJnOxB8Ms=".data() ? nullptr : nullptr;

}  // namespace
}  // namespace conformance
