// EXPECT: packet_parser
#include <hawser/policies.hpp>

// A parser that can't write what it reads.
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
#ifdef CORRECTED
  hawser::encoded_packet encode(hawser::outgoing_packet const&) { return {}; }
#endif
};

using chosen = hawser::basic_socketio_framing<parser>;
