// EXPECT: session_framing_policy
#include <hawser/policies.hpp>

// A framing of sessions that doesn't say how long a message may be.
struct parser {
  struct options {};
  static constexpr auto format = hawser::value_format::json;
  struct peer {
    bool is_waiting() const noexcept { return false; }
  };
  explicit parser(options const&) {}
  hawser::parse_status decode(peer&, hawser::message, bool, hawser::incoming_packet&) {
    return hawser::parse_status::violation;
  }
  hawser::errc error() noexcept { return hawser::errc::bad_packet; }
  hawser::encoded_packet encode(hawser::outgoing_packet const&) { return {}; }
};
struct sessions : hawser::websocket_framing {
  struct options : hawser::websocket_framing::options {
    std::size_t max_packets = 100;
#ifdef CORRECTED
    std::chrono::milliseconds attachments_timeout{10};
#endif
  };
  using parser = ::parser;
  static ::parser::options packet_numbers(options const&) { return {}; }
};

template <hawser::session_framing_policy Framing>
struct needs {};
using chosen = needs<sessions>;
