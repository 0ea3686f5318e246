#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_backpressure<archetypes::backpressure>;
template class hawser::basic_server<set>;
template class hawser::basic_client<set>;

namespace {

using good = archetypes::backpressure;
using hawser::backlog;
using hawser::backpressure_policy;
using hawser::verdict;

static_assert(backpressure_policy<good> && !std::is_copy_constructible_v<good> &&
              !std::is_default_constructible_v<good>);

struct immovable : good {
  using good::good;
  immovable(immovable&&) = delete;
};
struct not_from_options : good {
  not_from_options() : good(options{}) {}
};
struct admit_returns_bool : good {
  using good::good;
  bool admit(backlog, std::size_t) const noexcept { return true; }
};
struct admit_throws : good {
  using good::good;
  verdict admit(backlog, std::size_t) const { return {}; }
};
struct admit_changes : good {
  using good::good;
  verdict admit(backlog, std::size_t) noexcept { return {}; }
};
struct admit_lacks_size : good {
  using good::good;
  verdict admit(backlog) const noexcept { return {}; }
};
struct no_constant : archetypes::move_only {
  struct options {};
  explicit no_constant(options const&) {}
  verdict admit(backlog, std::size_t) const noexcept { return {}; }
};
static_assert(!backpressure_policy<immovable> && !backpressure_policy<not_from_options>);
static_assert(!backpressure_policy<admit_returns_bool> && !backpressure_policy<admit_throws> &&
              !backpressure_policy<admit_changes> && !backpressure_policy<admit_lacks_size>);
static_assert(!backpressure_policy<no_constant> && !backpressure_policy<int>);

}  // namespace

TEST_CASE("concepts: the backpressure archetype serves server and client", "[concepts]") {
  concepts_test::use_server<set>();
  concepts_test::use_client<set>();
}
