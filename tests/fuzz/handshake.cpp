// Fuzzes the opening handshake: the server on any request, the client on any response.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/ws/handshake.hpp>

#include "http_head.hpp"

using namespace hawser_fuzz;
namespace http = hawser::http;
namespace ws = hawser::ws;

namespace {

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
std::array<std::string, 2> const offered{"chat", "v2"};

/// A parsed head, or an empty one.
template <class Head>
Head read(std::string_view bytes, std::uint8_t seed) {
  http::head_parser<Head> parser;
  outcome const seen =
      feed([&](std::string_view piece) { return parser.parse(piece); }, bytes, cutter(seed));
  return seen.done ? parser.take() : Head{};
}

/// The answer to a request that was accepted must convince the client that asked.
void check_server(http::request const& from) {
  auto const asked = ws::read_upgrade(from);
  if (!asked) {
    int const status = http::http_status(asked.error());
    require(status == 400 || status == 426 || status == 505);
    require(read<http::response>(ws::write_rejection(status), 1).status() == status);
    return;
  }
  require(from.method() == "GET" && from.version_minor() == 1 && ws::is_valid_key(asked->key));
  require(asked->subprotocols.size() <= ws::max_subprotocols);
  std::string const chosen = asked->subprotocols.empty() ? "" : asked->subprotocols.back();
  auto const written = ws::write_switching(*asked, chosen);
  require(written.has_value());
  auto const answer = read<http::response>(*written, 1);
  require(!ws::check_switching(answer, asked->key, asked->subprotocols));
  require(ws::chosen_subprotocol(answer) == chosen);
}

/// Texts of an application, whatever they are, leave as one head with the expected fields, or not.
void check_writers(std::string_view text) {
  std::vector<http::header> headers;
  std::size_t const half = text.size() / 2;
  if (auto made = http::header::make(text.substr(0, half), text.substr(half))) {
    headers.push_back(std::move(*made));
  }
  std::array<std::string, 1> const names{std::string(text)};
  auto to = http::parse_url("ws://a/");
  if (auto const parsed = http::parse_url(text)) to = *parsed;
  for (bool const as_extension : {false, true}) {
    auto const written = as_extension ? ws::write_upgrade(*to, key, {}, text, headers)
                                      : ws::write_upgrade(*to, key, names, {}, headers);
    if (!written) continue;
    // An application's Host is its own business; the parser may refuse it.
    if (!headers.empty() && http::iequals(headers[0].name(), "Host")) continue;
    http::request_parser parser({.max_head_size = 1 << 20, .max_field_size = 1 << 20});
    auto const now = parser.parse(*written);
    require(now.done && now.consumed == written->size());
    http::request const sent = parser.take();
    require(sent.fields().size() <= 6 + headers.size());
    // An empty extension text is an absent one.
    auto const asked = ws::read_upgrade(sent);
    require(asked.has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::uint8_t const seed = data[0];
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);

  http::request const from = read<http::request>(bytes, seed);
  check_server(from);

  http::response const answer = read<http::response>(bytes, seed);
  if (!ws::check_switching(answer, key, offered)) {
    require(answer.status() == 101);
    require(answer.get("Sec-WebSocket-Accept") == ws::accept_key(key));
    std::string_view const chosen = ws::chosen_subprotocol(answer);
    require(chosen.empty() || chosen == offered[0] || chosen == offered[1]);
  }
  check_writers(bytes);
  return 0;
}
