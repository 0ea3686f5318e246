// EXPECT: framing_policy
#include <hawser/policies.hpp>

// A framing whose `variant`, asked for every recipient of a broadcast, may throw.
struct plain {
  static constexpr bool opens_with_http = true;
  struct options {};
  struct shared {
    shared(options const&, hawser::random_source) {}
  };
  struct peer {
    explicit peer(hawser::role) {}
    hawser::framing_event decode(hawser::mutable_bytes&, shared&) { return {}; }
    hawser::encoded_message encode(hawser::outgoing const&, shared&) { return {}; }
    std::size_t encode_control(hawser::control_kind, hawser::bytes_view, std::byte*, shared&) {
      return 0;
    }
#ifdef CORRECTED
    unsigned variant(hawser::outgoing const&, shared const&) const noexcept { return 0; }
#else
    unsigned variant(hawser::outgoing const&, shared const&) const { return 0; }
#endif
    hawser::unfinished_message unfinished() const noexcept { return {}; }
    void release(shared&) noexcept {}
  };
};

using chosen = hawser::websocket_policies::with_framing<plain>;
