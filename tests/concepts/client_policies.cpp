// What clients' policies promise at least, and what does not do.
#include <concepts/instantiate.hpp>

#include <hawser/machine/redial.hpp>
#include <hawser/policy/offline_queue.hpp>
#include <hawser/policy/reconnect.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace {

using hawser::offline_queue_policy;
using hawser::reconnect_policy;

using archetypes::reconnect;
struct reconnect_throws : reconnect {
  using reconnect::reconnect;
  void reset();
};
struct reconnect_in_seconds : reconnect {
  using reconnect::reconnect;
  std::chrono::seconds next(hawser::attempt_failure const&, std::uint64_t) noexcept;
};
struct reconnect_without_chance : reconnect {
  using reconnect::reconnect;
  std::optional<std::chrono::milliseconds> next(hawser::attempt_failure const&) noexcept;
};

static_assert(reconnect_policy<reconnect>);
static_assert(!reconnect_policy<reconnect_throws>);
static_assert(!reconnect_policy<reconnect_in_seconds>);
static_assert(!reconnect_policy<reconnect_without_chance>);

using queue = archetypes::offline_queue;
struct queue_of_no_name : queue {
  explicit queue_of_no_name(options const&);
};
struct queue_that_tells_no_number : queue {
  using queue::queue;
  std::error_code push(hawser::message_kind, hawser::bytes_view, hawser::message_key,
                       hawser::time_point);
};
struct queue_that_never_drops : queue {
  using queue::queue;
  void dropped();
};

static_assert(offline_queue_policy<queue>);
static_assert(!offline_queue_policy<queue_of_no_name>);
static_assert(!offline_queue_policy<queue_that_tells_no_number>);
static_assert(!offline_queue_policy<queue_that_never_drops>);

}  // namespace

// Everything that is built on the least.
template class hawser::redial<archetypes::reconnect>;
using sessions = hawser::policies<>::with_transport<hawser::tcp>;
template class hawser::basic_client<sessions::with_reconnect<archetypes::reconnect>>;
template class hawser::basic_client<sessions::with_offline_queue<archetypes::offline_queue>>;
