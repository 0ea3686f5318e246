#include <concepts/instantiate.hpp>

using set = hawser::policies<>::with_framing<archetypes::session_framing>;
template class hawser::basic_server<set>;

namespace {

using good = archetypes::parser;
using hawser::encoded_packet;
using hawser::incoming_packet;
using hawser::message;
using hawser::outgoing_packet;
using hawser::packet_parser;
using hawser::parse_status;

static_assert(packet_parser<good>);
static_assert(!std::is_move_constructible_v<good> && !std::is_copy_constructible_v<good::peer>);

struct without_options : good {
  without_options() : good(options{}) {}
};
struct without_format {
  using options = good::options;
  using peer = good::peer;
  explicit without_format(options const&) {}
  parse_status decode(peer&, message, bool, incoming_packet&) { return {}; }
  hawser::errc error() noexcept { return {}; }
  encoded_packet encode(outgoing_packet const&) { return {}; }
};
struct decode_returns_bool : good {
  using good::good;
  bool decode(peer&, message, bool, incoming_packet&) { return true; }
};
struct decode_returns_packet : good {
  using good::good;
  incoming_packet decode(peer&, message, bool) { return {}; }
};
struct error_throws : good {
  using good::good;
  hawser::errc error() { return {}; }
};
struct error_is_text : good {
  using good::good;
  std::string error() noexcept { return {}; }
};
struct encode_returns_text : good {
  using good::good;
  std::string encode(outgoing_packet const&) { return {}; }
};
struct encode_changes : good {
  using good::good;
  encoded_packet encode(outgoing_packet&) { return {}; }
};
struct knows_not_whether_it_waits : good {
  using good::good;
  struct peer {};
};
struct peer_of_a_number : good {
  using good::good;
  struct peer : good::peer {
    explicit peer(int) {}
  };
};
struct peer_that_stays : good {
  using good::good;
  struct peer : archetypes::pinned {
    bool is_waiting() const noexcept { return false; }
  };
};
static_assert(!packet_parser<peer_that_stays>);
static_assert(!packet_parser<without_options> && !packet_parser<without_format>);
static_assert(!packet_parser<decode_returns_bool> && !packet_parser<decode_returns_packet>);
static_assert(!packet_parser<error_throws> && !packet_parser<error_is_text>);
static_assert(!packet_parser<encode_returns_text> && !packet_parser<encode_changes>);
static_assert(!packet_parser<knows_not_whether_it_waits> && !packet_parser<peer_of_a_number>);

using hawser::session_framing_policy;
using session = archetypes::session_framing;
static_assert(session_framing_policy<session> &&
              !session_framing_policy<archetypes::framing<true>>);
static_assert(!session_framing_policy<hawser::websocket_framing>);

struct without_numbers : archetypes::framing<true> {
  using options = session::options;
  using parser = session::parser;
};
struct other_numbers : session {
  static int packet_numbers(options const&) { return 0; }
};
struct no_parser_at_all : session {
  using parser = int;
};
struct options_lack_size : archetypes::framing<true> {
  using parser = session::parser;
  static parser::options packet_numbers(options const&) { return {}; }
};
static_assert(!session_framing_policy<without_numbers> && !session_framing_policy<other_numbers>);
static_assert(!session_framing_policy<no_parser_at_all>);
static_assert(!session_framing_policy<options_lack_size>);

// What isn't one of sessions makes a server of raw messages.
static_assert(std::is_base_of_v<hawser::socketio_face<set>, hawser::basic_server<set>>);
using with_raw_framing = hawser::policies<>::with_framing<archetypes::framing<true>>;
static_assert(std::is_base_of_v<hawser::websocket_face<with_raw_framing>,
                                hawser::basic_server<with_raw_framing>>);

}  // namespace

TEST_CASE("concepts: the archetype of a framing of sessions serves a server", "[concepts]") {
  concepts_test::use_socketio_server<set>();
}
