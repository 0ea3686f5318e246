// The opening of an Engine.IO session: what a request asks for, and how it is granted or refused.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI::eio {

/// The only protocol revision that is spoken here.
inline constexpr int protocol_version = 4;

/// Session ids are 18 random bytes as base64url; clients never choose one.
inline constexpr std::size_t sid_size = 24;

enum class transport_kind : std::uint8_t { polling, websocket };

/// What the server says first in a session.
struct open_packet {
  std::string_view sid;
  bool can_upgrade = false;  ///< from polling to WebSocket
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::size_t max_payload = 1'000'000;  ///< bytes that one body or message may have
};

/// Why a request is refused; the numbers are those of the wire.
enum class refusal : int {
  transport_unknown = 0,
  sid_unknown = 1,
  bad_method = 2,   ///< a session is opened by GET
  bad_request = 3,  ///< a bad Origin, another transport than the session's, no upgrade
  forbidden = 4,
  unsupported_version = 5
};

constexpr std::string_view describe(refusal why) noexcept {
  switch (why) {
    case refusal::transport_unknown: return "Transport unknown";
    case refusal::sid_unknown: return "Session ID unknown";
    case refusal::bad_method: return "Bad handshake method";
    case refusal::bad_request: return "Bad request";
    case refusal::forbidden: return "Forbidden";
    case refusal::unsupported_version: return "Unsupported protocol version";
  }
  return "Bad request";
}

/// Of the answer to an HTTP request. A refused WebSocket upgrade gets 400, whatever the reason.
constexpr int http_status(refusal why) noexcept { return why == refusal::forbidden ? 403 : 400; }

/// The JSON body of a refusal; `message` replaces the usual words, as a guard may want.
inline std::string write_refusal(refusal why, std::string_view message = {}) {
  byte_buffer text;
  value_writer json(text, value_format::json);
  json.begin_object(2);
  json.key("code");
  json.integer(static_cast<int>(why));
  json.key("message");
  json.string(message.empty() ? describe(why) : message);
  json.end_object();
  return std::string(as_text(text.view()));
}

/// The packet of type open, with its type character.
inline std::string write_open(open_packet const& open) {
  byte_buffer text;
  char const type = type_character(packet_type::open);
  text.append(as_bytes({&type, 1}));
  value_writer json(text, value_format::json);
  json.begin_object(5);
  json.key("sid");
  json.string(open.sid);
  json.key("upgrades");
  json.begin_array(open.can_upgrade ? 1 : 0);
  if (open.can_upgrade) json.string("websocket");
  json.end_array();
  json.key("pingInterval");
  json.integer(open.ping_interval.count());
  json.key("pingTimeout");
  json.integer(open.ping_timeout.count());
  json.key("maxPayload");
  json.unsigned_integer(open.max_payload);
  json.end_object();
  return std::string(as_text(text.view()));
}

/// What a client was told so.
struct session_terms {
  std::string sid{};
  bool can_upgrade = false;
  std::chrono::milliseconds ping_interval{};
  std::chrono::milliseconds ping_timeout{};
  std::size_t max_payload = 0;  ///< bytes of a body; 0: the server didn't say
};

/// Reads the content of an open packet. Other servers have session ids of other forms: up to 128
/// visible characters that need no escape in a query. Error: `bad_open_packet`.
inline errc read_open(value const& open, session_terms& out) {
  constexpr std::size_t max_sid = 128;
  constexpr std::int64_t most = 1'000'000'000;  // eleven days: what timers take
  auto const sid = open["sid"].string();
  auto const interval = open["pingInterval"].integer();
  auto const timeout = open["pingTimeout"].integer();
  if (!sid || sid->empty() || sid->size() > max_sid) return errc::bad_open_packet;
  for (char const c : *sid) {
    bool const plain = codec::base64url_alphabet.find(c) != std::string_view::npos;
    if (!plain && c != '.' && c != '~') return errc::bad_open_packet;
  }
  if (!interval || *interval <= 0 || *interval > most) return errc::bad_open_packet;
  if (!timeout || *timeout <= 0 || *timeout > most) return errc::bad_open_packet;
  out.sid = *sid;
  out.ping_interval = std::chrono::milliseconds(*interval);
  out.ping_timeout = std::chrono::milliseconds(*timeout);
  out.max_payload = static_cast<std::size_t>(open["maxPayload"].unsigned_integer().value_or(0));
  out.can_upgrade = false;
  value const upgrades = open["upgrades"];
  if (upgrades.kind() != value_kind::array) return errc::bad_open_packet;
  for (value const one : upgrades.elements()) {
    out.can_upgrade = out.can_upgrade || one.string() == "websocket";
  }
  return {};
}

/// Whether this can be a session id: `sid_size` characters of base64url.
constexpr bool is_sid(std::string_view text) noexcept {
  return text.size() == sid_size &&
         text.find_first_not_of(codec::base64url_alphabet) == std::string_view::npos;
}

/// What the query of a request asks for; parameters of other names, `t` among them, say nothing.
struct engine_query {
  bool has_transport = false;
  std::optional<transport_kind> transport;  ///< nothing: absent or unknown
  std::optional<std::string> sid;           ///< not checked yet: see `is_sid`
  int eio = 0;                              ///< the revision; 0: missing, -1: not a number
  bool base64_only = false;                 ///< `b64=1`: binary messages have to be text
};

/// Reads `EIO=4&transport=polling&sid=...`, with or without its question mark. The first parameter
/// of a name wins. A value with a bad percent escape is present, and means nothing: it opens no
/// session where it should have named one.
inline engine_query read_query(std::string_view raw_query) {
  engine_query query;
  bool has_version = false, has_b64 = false;
  if (raw_query.starts_with('?')) raw_query.remove_prefix(1);
  // One walk, and not a `query_value` for each: that can't tell a bad escape from no parameter.
  while (!raw_query.empty()) {
    std::string_view const pair = raw_query.substr(0, raw_query.find('&'));
    raw_query.remove_prefix(std::min(pair.size() + 1, raw_query.size()));
    std::size_t const end = std::min(pair.find('='), pair.size());
    auto const name = http::form_decode(pair.substr(0, end));
    if (!name) continue;
    auto const value = [&] {
      return http::form_decode(pair.substr(std::min(end + 1, pair.size()))).value_or("%");
    };
    if (*name == "transport" && !query.has_transport) {
      query.has_transport = true;
      std::string const kind = value();
      if (kind == "polling") query.transport = transport_kind::polling;
      if (kind == "websocket") query.transport = transport_kind::websocket;
    } else if (*name == "sid" && !query.sid) {
      query.sid = value();
    } else if (*name == "EIO" && !has_version) {
      has_version = true;
      query.eio = -1;
      std::string const text = value();
      // Shortest form only, so that two spellings are never one revision.
      if (text.size() <= 4 && !text.starts_with('0') &&
          text.find_first_not_of("0123456789") == std::string::npos) {
        std::from_chars(text.data(), text.data() + text.size(), query.eio);
      }
    } else if (*name == "b64" && !has_b64) {
      has_b64 = true;
      query.base64_only = value() == "1";
    }
  }
  return query;
}

}  // namespace hawser::inline HAWSER_ABI::eio
