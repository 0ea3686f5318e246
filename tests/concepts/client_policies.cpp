// What clients' policies promise at least, and what does not do.
#include <hawser/machine/redial.hpp>
#include <hawser/policy/offline_queue.hpp>
#include <hawser/policy/reconnect.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace {

using hawser::offline_queue_policy;
using hawser::reconnect_policy;

struct reconnect {
  struct options {};
  explicit reconnect(options const&) {}
  reconnect(reconnect&&) = default;
  reconnect& operator=(reconnect&&) = default;
  std::optional<std::chrono::milliseconds> next(hawser::attempt_failure const&,
                                                std::uint64_t) noexcept {
    return std::nullopt;
  }
  void reset() noexcept {}
};
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

struct queue {
  struct options {};
  static constexpr bool is_durable = false;
  queue(options const&, std::string_view);
  queue(queue&&);
  queue& operator=(queue&&);
  hawser::result<std::uint64_t> push(hawser::message_kind, hawser::bytes_view, hawser::message_key,
                                     hawser::time_point);
  hawser::queued_message const* front(hawser::time_point);
  bool remove(std::uint64_t) noexcept;
  std::optional<hawser::dropped_message> dropped();
  hawser::backlog size() const noexcept;
};
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
template class hawser::redial<reconnect>;
