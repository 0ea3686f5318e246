// Where a hawser server does something else than the reference server, on purpose.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace golden {

/// What a client and the handlers saw of one conversation, a line for each thing.
using lines = std::vector<std::string>;

/// What differs: the lines that the other one has not, with " | " between them.
struct difference {
  std::string_view vector;     ///< its name in tests/fixtures
  std::string_view reference;  ///< what was seen of the reference
  std::string_view ours;       ///< and of hawser
  std::string_view why;
};

inline constexpr std::string_view no_cache_anyway =
    "caches keep no answer to a POST that doesn't ask for it: RFC 9111 section 3";
inline constexpr std::string_view not_ours =
    "leaves other paths to the program's HTTP server, of which hawser's routes are a part";
inline constexpr std::string_view before_101 =
    "what can't become a session is told so while the client can still read a status";
inline constexpr std::string_view no_html = "words are no HTML";
inline constexpr std::string_view no_packet =
    "says what it was; and who sends such things can't recover the session";
inline constexpr std::string_view first_offset =
    "recovers sessions that got no event, too; JavaScript's client ignores it";

inline constexpr difference differences[] = {
    // -- HTTP --
    {"http.poll-connect-post", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-binary", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-close", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-empty", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-garbage", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-multi", "cache-control: no-store", "", no_cache_anyway},
    {"http.poll-post-sendme", "cache-control: no-store", "", no_cache_anyway},
    {"http.err-wrong-path", "nothing", "404 | Not Found", not_ours},
    {"http.path-noslash", "nothing", "404 | Not Found", not_ours},
    {"http.handshake-eio3",
     "200 | access-control-allow-credentials: true | access-control-allow-origin: "
     "http://example.com | cache-control: no-store | content-type: text/plain; charset=UTF-8 | "
     "set-cookie: io=*; Path=/; HttpOnly; SameSite=Lax | "
     "113:0{\"sid\":\"*\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":"
     "20000,\"maxPayload\":20}",
     "400 | content-type: application/json | {\"code\":5,\"message\":\"Unsupported protocol "
     "version\"}",
     "revision 3 of the protocol is not spoken; it has to be allowed there, too"},
    {"http.options-cors",
     "access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE | vary: Origin, "
     "Access-Control-Request-Headers",
     "access-control-allow-headers: Content-Type | access-control-allow-methods: GET, POST | "
     "access-control-max-age: 600 | vary: Origin",
     "clients need no other methods; the headers that they need are always the same"},
    {"http.payload-too-large",
     "access-control-allow-credentials: true | access-control-allow-origin: http://example.com | "
     "vary: Origin",
     "content-type: text/plain; charset=utf-8 | request body over max_body_size",
     "refused by its head, before anybody asks whose page it is from"},
    // -- WebSocket: the handshake --
    {"ws.eio3", "Invalid WebSocket frame: RSV1 must be clear | closed",
     "400 Unsupported protocol version", before_101},
    {"ws.polling-transport", "closed", "400 Bad request", before_101},
    {"ws-raw.eio3",
     "HTTP/1.1 101 Switching Protocols | Upgrade: websocket | Connection: Upgrade | "
     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= |  | Content-type: text/html",
     "Content-Type: text/plain; charset=utf-8", before_101},
    {"ws-raw.polling-transport",
     "HTTP/1.1 101 Switching Protocols | Upgrade: websocket | Connection: Upgrade | "
     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= | a closing frame",
     "HTTP/1.1 400 Bad Request | Connection: close | Content-Type: text/plain; charset=utf-8 | "
     "Content-Length: 11 | Bad request",
     before_101},
    {"ws-raw.no-transport", "Content-type: text/html", "Content-Type: text/plain; charset=utf-8",
     no_html},
    {"ws-raw.unknown-sid", "Content-type: text/html", "Content-Type: text/plain; charset=utf-8",
     no_html},
    {"ws.upgrade-without-probe", "open", "closed",
     "whoever wants to take a session over proves first that packets get through"},
    // -- Engine.IO --
    {"ws.mal-eio-close", "open", "closed",
     "the client says that it goes: nothing is to be waited for"},
    // -- Socket.IO: what is no packet --
    {"ws.mal-bad-json", "disconnect / forced close", "disconnect / parse error", no_packet},
    {"ws.mal-bad-payload", "disconnect / forced close", "disconnect / parse error", no_packet},
    {"ws.mal-bad-type", "disconnect / forced close", "disconnect / parse error", no_packet},
    {"ws.mal-binary-unexpected", "disconnect / forced close", "disconnect / parse error",
     no_packet},
    {"ws.mal-eleven-attachments", "disconnect / forced close", "disconnect / parse error",
     no_packet},
    {"ws.mal-message-empty", "disconnect / forced close", "disconnect / parse error", no_packet},
    {"ws.mal-placeholder-range", "disconnect / forced close", "disconnect / parse error",
     no_packet},
    {"ws.mal-reserved-event", "disconnect / forced close", "disconnect / parse error", no_packet},
    {"ws.mal-text-during-binary", "disconnect / forced close", "disconnect / parse error",
     no_packet},
    {"ws.ack-nopayload", "open | disconnect / transport close", "closed | disconnect / parse error",
     "an acknowledgement has a list of arguments"},
    {"ws.mal-event-nopayload", "open | event / [] | disconnect / transport close",
     "closed | disconnect / parse error", "handlers never see an event without a name"},
    {"ws.mal-zero-attachments", "closed | disconnect / forced close",
     "open | event / [\"x\"] | disconnect / transport close",
     "complete at once; peers with older parsers may send it"},
    // -- Recovery --
    {"ws.csr-bad-pid", "40{\"sid\":\"*\",\"pid\":\"*\"}",
     "40{\"sid\":\"*\",\"pid\":\"*\",\"offset\":\"*\"}", first_offset},
    {"ws.csr-pid-nonstring", "40{\"sid\":\"*\",\"pid\":\"*\"}",
     "40{\"sid\":\"*\",\"pid\":\"*\",\"offset\":\"*\"}", first_offset},
    {"session.csr-inmemory", "40{\"sid\":\"*\",\"pid\":\"*\"} | 40{\"sid\":\"*\",\"pid\":\"*\"}",
     "40{\"sid\":\"*\",\"pid\":\"*\",\"offset\":\"*\"} | "
     "40{\"sid\":\"*\",\"pid\":\"*\",\"offset\":\"*\"}",
     first_offset},
};

/// For a golden test: `note` what was seen for each vector, and `finish` when there are no more.
class difference_check {
 public:
  /// Vectors whose name begins like this are the test's.
  explicit difference_check(std::string_view prefix) {
    for (auto const& row : differences) {
      if (row.vector.starts_with(prefix)) open_.push_back(&row);
    }
  }

  /// Fails unless both are the same, or differ as the table says.
  void note(std::string_view vector, lines const& reference, lines const& ours) {
    auto const [theirs, mine] = apart(reference, ours);
    auto const row = std::find_if(open_.begin(), open_.end(),
                                  [&](auto const* open) { return open->vector == vector; });
    difference const expected = row == open_.end() ? difference{vector, {}, {}, {}} : **row;
    if (row != open_.end()) open_.erase(row);
    CAPTURE(vector);
    CHECK(theirs == expected.reference);
    CHECK(mine == expected.ours);
    CHECK((expected.reference != expected.ours || expected.why.empty()));
  }

  /// Fails for rows whose vector never came.
  void finish() const {
    for (auto const* row : open_) {
      std::string_view const not_in_the_file = row->vector;
      CAPTURE(not_in_the_file);
      CHECK(false);
    }
  }

 private:
  // What each has that the other hasn't: the rest is their longest common subsequence.
  static std::pair<std::string, std::string> apart(lines const& a, lines const& b) {
    std::vector<std::vector<std::size_t>> common(a.size() + 1,
                                                 std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = a.size(); i-- > 0;) {
      for (std::size_t j = b.size(); j-- > 0;) {
        common[i][j] =
            a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
      }
    }
    std::string only_a;
    std::string only_b;
    auto const add = [](std::string& to, std::string const& line) {
      to += to.empty() ? line : " | " + line;
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
      if (i < a.size() && j < b.size() && a[i] == b[j]) {
        ++i, ++j;
      } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
        add(only_a, a[i++]);
      } else {
        add(only_b, b[j++]);
      }
    }
    return {only_a, only_b};
  }

  std::vector<difference const*> open_;
};

}  // namespace golden
