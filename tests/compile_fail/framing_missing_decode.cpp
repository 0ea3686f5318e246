// EXPECT: framing_policy
#include <hawser/policies.hpp>

// A framing that can't read what it writes.
struct plain {
  static constexpr bool opens_with_http = true;
  struct options {};
  struct shared {
    shared(options const&, hawser::random_source) {}
  };
  struct peer {
    explicit peer(hawser::role) {}
#ifdef CORRECTED
    hawser::framing_event decode(hawser::mutable_bytes&, shared&) { return {}; }
#endif
    hawser::encoded_message encode(hawser::outgoing const&, shared&) { return {}; }
    std::size_t encode_control(hawser::control_kind, hawser::bytes_view, std::byte*, shared&) {
      return 0;
    }
    unsigned variant(hawser::outgoing const&, shared const&) const noexcept { return 0; }
    hawser::unfinished_message unfinished() const noexcept { return {}; }
    void release(shared&) noexcept {}
  };
};

using chosen = hawser::websocket_policies::with_framing<plain>;
