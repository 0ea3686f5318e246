#include <concepts/instantiate.hpp>

using with_http = hawser::websocket_policies::with_framing<archetypes::framing<true>>;
using without_http = hawser::websocket_policies::with_framing<archetypes::framing<false>>;
template class hawser::basic_server<with_http>;
template class hawser::basic_client<with_http>;
template class hawser::basic_server<without_http>;
template class hawser::basic_client<without_http>;

namespace {

using good = archetypes::framing<true>;
using hawser::bytes_view;
using hawser::framing_policy;
using hawser::mutable_bytes;
using hawser::outgoing;

static_assert(framing_policy<good> && framing_policy<archetypes::framing<false>>);
static_assert(!std::is_move_constructible_v<good::peer>);

// The archetype with another peer.
template <class Peer>
struct with : good {
  using peer = Peer;
};
using base = good::peer;
using shared = good::shared;

struct roleless : base {
  roleless() : base(hawser::role::server) {}
};
struct decode_copies : base {
  using base::base;
  hawser::framing_event decode(std::string&, shared&) { return {}; }
};
struct decode_returns_bool : base {
  using base::base;
  bool decode(mutable_bytes&, shared&) { return true; }
};
struct encode_returns_string : base {
  using base::base;
  std::string encode(outgoing const&, shared&) { return {}; }
};
struct control_returns_void : base {
  using base::base;
  void encode_control(hawser::control_kind, bytes_view, std::byte*, shared&) {}
};
struct variant_throws : base {
  using base::base;
  unsigned variant(outgoing const&, shared const&) const { return 0; }
};
struct variant_changes : base {
  using base::base;
  unsigned variant(outgoing const&, shared const&) noexcept { return 0; }
};
struct variant_changes_shared : base {
  using base::base;
  std::size_t variant(outgoing const&, shared&) const noexcept { return 0; }
};
struct unfinished_returns_bool : base {
  using base::base;
  bool unfinished() const noexcept { return false; }
};
struct unfinished_throws : base {
  using base::base;
  hawser::unfinished_message unfinished() const { return {}; }
};
struct release_throws : base {
  using base::base;
  void release(shared&) {}
};
static_assert(framing_policy<with<base>>);
static_assert(!framing_policy<with<roleless>>);
static_assert(!framing_policy<with<decode_copies>> && !framing_policy<with<decode_returns_bool>>);
static_assert(!framing_policy<with<encode_returns_string>> &&
              !framing_policy<with<control_returns_void>>);
static_assert(!framing_policy<with<variant_throws>> && !framing_policy<with<variant_changes>> &&
              !framing_policy<with<variant_changes_shared>>);
static_assert(!framing_policy<with<unfinished_returns_bool>> &&
              !framing_policy<with<unfinished_throws>> && !framing_policy<with<release_throws>>);

struct without_random : good {
  struct shared : archetypes::pinned {
    explicit shared(options const&) {}
  };
};
struct silent_about_http {
  using options = good::options;
  using shared = good::shared;
  using peer = good::peer;
};
static_assert(!framing_policy<without_random> && !framing_policy<silent_about_http>);

}  // namespace

TEST_CASE("concepts: the framing archetypes serve server and client", "[concepts]") {
  concepts_test::use_server<with_http>();
  concepts_test::use_client<with_http>();
  concepts_test::use_server<without_http>();
  concepts_test::use_client<without_http>();
}
