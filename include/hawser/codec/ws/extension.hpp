// Sec-WebSocket-Extensions (RFC 6455 9.1) and the bargain over permessage-deflate (RFC 7692 7.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace ws {

/// A parameter of an extension; `value` without quotes and escapes.
struct extension_param {
  std::string_view name;
  std::optional<std::string> value;
};

/// One element of the header: an offer in a request, an accepted extension in a response.
struct extension {
  std::string_view name;
  std::vector<extension_param> params;
};

/// Limits of `parse_extensions`.
inline constexpr std::size_t max_extensions = 16;         ///< in all header values together
inline constexpr std::size_t max_extension_params = 16;   ///< in each extension
inline constexpr std::size_t max_extension_value = 1024;  ///< bytes in each header value

/// Reads one value of the header. The grammar is taken literally: no empty list elements, white
/// space around `,` and `;` only, and a quoted value must be a token once unquoted.
class extension_parser {
 public:
  explicit extension_parser(std::string_view text) noexcept : rest_(text) {}

  /// Appends what it reads to `list`; false on a syntax error or beyond a limit.
  bool read(std::vector<extension>& list) {
    if (rest_.size() > max_extension_value) return false;
    do {
      if (list.size() == max_extensions) return false;
      skip_space();
      extension element{token(), {}};
      if (element.name.empty()) return false;
      skip_space();
      while (eat(';')) {
        if (element.params.size() == max_extension_params || !read_param(element)) return false;
      }
      list.push_back(std::move(element));
    } while (eat(','));
    return rest_.empty();
  }

 private:
  static constexpr bool is_token_char(char c) noexcept {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  }

  bool eat(char expected) noexcept {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_space() noexcept {
    while (eat(' ') || eat('\t')) {
    }
  }

  std::string_view token() noexcept {
    auto const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    std::string_view const found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

  bool read_param(extension& element) {
    skip_space();
    extension_param param{token(), std::nullopt};
    if (param.name.empty()) return false;
    if (eat('=')) {
      param.value.emplace();
      if (eat('"')) {
        if (!read_quoted(*param.value)) return false;
      } else {
        *param.value = token();
      }
      if (param.value->empty()) return false;
    }
    skip_space();
    element.params.push_back(std::move(param));
    return true;
  }

  bool read_quoted(std::string& value) {
    while (!eat('"')) {
      eat('\\');
      if (rest_.empty() || !is_token_char(rest_.front())) return false;
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return true;
  }

  std::string_view rest_;
};

/// All extensions of all Sec-WebSocket-Extensions headers of one message, in order. The names are
/// views of `header_values`. Error: `errc::bad_extension` (a request is answered 400).
inline result<std::vector<extension>> parse_extensions(
    std::span<std::string_view const> header_values) {
  std::vector<extension> list;
  for (std::string_view const value : header_values) {
    if (!extension_parser(value).read(list)) return errc::bad_extension;
  }
  return list;
}

/// Whose compressor a connection uses.
enum class compressor {
  shared,    ///< one for all connections of a thread: no memory per connection, no context takeover
             ///< in either direction
  dedicated  ///< one per connection: this side keeps its context from message to message, unless
             ///< the peer asks it not to
};

/// How to compress messages (RFC 7692), the same for a server and a client. Off by default:
/// compression costs memory, and beside attacker-chosen text it can reveal secrets (RFC 7692 8).
struct deflate_options {
  /// Whether to offer, or accept, permessage-deflate.
  bool enabled = false;
  compressor kind = compressor::shared;
  /// log2 of the server's window in bytes, 9 to 15. A server uses at most this; a client asks for
  /// it (15: asks for nothing).
  int server_max_window_bits = 12;
  /// log2 of the client's window in bytes, 9 to 15. A client uses at most this; a server asks for
  /// it from clients that can be asked, the others may use 15.
  int client_max_window_bits = 15;
  /// On a client: the server must forget its context after each message, so that nothing is kept
  /// here to inflate with. Always so with `compressor::shared`. On a server, `kind` decides.
  bool server_no_context_takeover = true;
  /// On a server: the client must forget its context after each message, so that nothing is kept
  /// here to inflate with. Always so with `compressor::shared`. On a client, `kind` decides.
  bool client_no_context_takeover = true;
  /// zlib's effort, 1 (fast) to 9 (small).
  int level = 3;
  /// zlib's memLevel, 1 to 9. A deflater holds about 2^(window bits + 2) + 2^(memory_level + 9)
  /// bytes.
  int memory_level = 5;
  /// Messages of fewer bytes are sent as they are.
  std::size_t threshold = 1024;
};

/// What both sides will do. The server's values bind its compressor and the client's inflater, the
/// client's values the opposite pair.
struct deflate_agreement {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_window_bits = 15;  ///< largest window of the server's compressor
  std::uint8_t client_window_bits = 15;  ///< largest window of the client's compressor

  friend bool operator==(deflate_agreement const&, deflate_agreement const&) = default;
};

/// Success, or `errc::bad_argument` when a number is out of its range. With such options nothing is
/// ever offered or accepted.
inline std::error_code check(deflate_options const& options) noexcept {
  auto const within = [](int value, int low, int high) { return value >= low && value <= high; };
  bool const good = within(options.server_max_window_bits, 9, 15) &&
                    within(options.client_max_window_bits, 9, 15) && within(options.level, 1, 9) &&
                    within(options.memory_level, 1, 9);
  return good ? std::error_code{} : make_error_code(errc::bad_argument);
}

/// The parameters of permessage-deflate as an offer or an answer states them.
struct deflate_params {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool has_server_bits = false;
  bool has_client_bits = false;
  int server_bits = 15;
  int client_bits = 15;

  /// Nothing when a parameter is unknown, doubled, or has a value that it may not have (RFC 7692
  /// 7.1). Only in an offer may client_max_window_bits be without one.
  static std::optional<deflate_params> from(extension const& element, bool is_offer) {
    deflate_params read;
    for (auto const& [name, value] : element.params) {
      if (name == "server_no_context_takeover") {
        if (value || std::exchange(read.server_no_context_takeover, true)) return std::nullopt;
      } else if (name == "client_no_context_takeover") {
        if (value || std::exchange(read.client_no_context_takeover, true)) return std::nullopt;
      } else if (name == "server_max_window_bits") {
        if (!value || std::exchange(read.has_server_bits, true)) return std::nullopt;
        if ((read.server_bits = window_bits(*value)) == 0) return std::nullopt;
      } else if (name == "client_max_window_bits") {
        if (std::exchange(read.has_client_bits, true)) return std::nullopt;
        if (!value && !is_offer) return std::nullopt;
        if (value && (read.client_bits = window_bits(*value)) == 0) return std::nullopt;
      } else {
        return std::nullopt;
      }
    }
    return read;
  }

 private:
  /// 8 to 15 without sign or leading zero, else 0.
  static int window_bits(std::string_view text) noexcept {
    if (text == "8" || text == "9") return text[0] - '0';
    bool const good = text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5';
    return good ? 10 + (text[1] - '0') : 0;
  }
};

/// Server: picks the first offer that it can honour, or none. Other extensions, and offers with
/// unknown, doubled or malformed parameters, are declined (RFC 7692 7.1); only a syntax error is an
/// error: `errc::bad_extension` (400), also while compression is off.
///
/// An offer of server_max_window_bits=8 is declined, because zlib has no raw deflate with a
/// 256-byte window; client_max_window_bits=8 is fine, because any larger window inflates it.
inline result<std::optional<deflate_agreement>> accept_offer(
    std::span<std::string_view const> header_values, deflate_options const& options) {
  auto const offers = parse_extensions(header_values);
  if (!offers) return offers.error();
  std::optional<deflate_agreement> agreement;
  if (!HAWSER_WITH_DEFLATE || !options.enabled || check(options)) return agreement;
  bool const shared = options.kind == compressor::shared;
  for (extension const& element : *offers) {
    if (element.name != "permessage-deflate") continue;
    auto const params = deflate_params::from(element, true);
    if (!params || params->server_bits == 8) continue;
    int const client_bits = std::min(params->client_bits, options.client_max_window_bits);
    agreement.emplace();
    agreement->server_no_context_takeover = shared || params->server_no_context_takeover;
    agreement->client_no_context_takeover =
        shared || options.client_no_context_takeover || params->client_no_context_takeover;
    agreement->server_window_bits =
        static_cast<std::uint8_t>(std::min(params->server_bits, options.server_max_window_bits));
    // A client that didn't name client_max_window_bits must not be answered with it (7.1.2.2).
    if (params->has_client_bits) {
      agreement->client_window_bits = static_cast<std::uint8_t>(client_bits);
    }
    break;
  }
  return agreement;
}

/// Server: the Sec-WebSocket-Extensions value that seals an agreement of `accept_offer`.
inline std::string answer(deflate_agreement const& agreement) {
  std::string text = "permessage-deflate";
  if (agreement.server_no_context_takeover) text += "; server_no_context_takeover";
  if (agreement.client_no_context_takeover) text += "; client_no_context_takeover";
  // Stated also when it is 15: a client that asked for a limit must be told one (7.1.2.1), and one
  // that didn't ask may be.
  text += "; server_max_window_bits=" + std::to_string(agreement.server_window_bits);
  if (agreement.client_window_bits < 15) {
    text += "; client_max_window_bits=" + std::to_string(agreement.client_window_bits);
  }
  return text;
}

/// Client: the Sec-WebSocket-Extensions value to send; empty when there is nothing to offer.
inline std::string offer(deflate_options const& options) {
  std::string text;
  if (!HAWSER_WITH_DEFLATE || !options.enabled || check(options)) return text;
  bool const shared = options.kind == compressor::shared;
  text = "permessage-deflate";
  if (shared || options.server_no_context_takeover) text += "; server_no_context_takeover";
  if (shared) text += "; client_no_context_takeover";
  if (options.server_max_window_bits < 15) {
    text += "; server_max_window_bits=" + std::to_string(options.server_max_window_bits);
  }
  text += "; client_max_window_bits";
  if (options.client_max_window_bits < 15) {
    text += "=" + std::to_string(options.client_max_window_bits);
  }
  return text;
}

/// Client: what the server made of the offer with the same options; no agreement when it declined.
/// `errc::bad_extension` when the answer is malformed, names what was not offered, leaves out what
/// was asked for, or exceeds it. client_max_window_bits=8 fails too: zlib can't honour it.
inline result<std::optional<deflate_agreement>> check_answer(
    std::span<std::string_view const> header_values, deflate_options const& options) {
  auto const accepted = parse_extensions(header_values);
  if (!accepted) return accepted.error();
  std::optional<deflate_agreement> agreement;
  if (accepted->empty()) return agreement;
  bool const offered = HAWSER_WITH_DEFLATE && options.enabled && !check(options);
  if (!offered || accepted->size() > 1 || accepted->front().name != "permessage-deflate") {
    return errc::bad_extension;
  }
  auto const params = deflate_params::from(accepted->front(), false);
  if (!params) return errc::bad_extension;
  bool const shared = options.kind == compressor::shared;
  bool const asked_to_forget = shared || options.server_no_context_takeover;
  if (asked_to_forget && !params->server_no_context_takeover) return errc::bad_extension;
  if (params->server_bits > options.server_max_window_bits || params->client_bits == 8) {
    return errc::bad_extension;
  }
  if (params->has_client_bits && params->client_bits > options.client_max_window_bits) {
    return errc::bad_extension;
  }
  agreement.emplace();
  agreement->server_no_context_takeover = params->server_no_context_takeover;
  agreement->client_no_context_takeover = shared || params->client_no_context_takeover;
  agreement->server_window_bits = static_cast<std::uint8_t>(params->server_bits);
  agreement->client_window_bits =
      static_cast<std::uint8_t>(std::min(params->client_bits, options.client_max_window_bits));
  return agreement;
}

}  // namespace ws
}  // namespace hawser::inline HAWSER_ABI
