#include <hawser/policy/backpressure.hpp>

#include <catch2/catch.hpp>

#include <cstdint>

using namespace hawser;

namespace {

constexpr send_queue_limits limits{.max_bytes = 1'000, .max_messages = 10};

struct question {
  backlog queued;
  std::size_t next;
  bool fits;
};

constexpr question questions[] = {
    {{0, 0}, 1'000, true},      {{0, 0}, 1'001, false},    {{999, 1}, 1, true},
    {{999, 1}, 2, false},       {{1'000, 1}, 0, false},    {{500, 9}, 500, true},
    {{500, 10}, 1, false},      {{2'000, 1}, 1, false},    {{0, 10}, 0, false},
    {{10, 1}, SIZE_MAX, false}, {{SIZE_MAX, 1}, 1, false}, {{1, SIZE_MAX}, 1, false},
};

template <class Policy>
void refuses_with(verdict expected) {
  Policy const policy(limits);
  for (auto const& ask : questions) {
    CAPTURE(ask.queued.bytes, ask.queued.messages, ask.next);
    CHECK(policy.admit(ask.queued, ask.next) == (ask.fits ? verdict::enqueue : expected));
  }
}

}  // namespace

TEST_CASE("backpressure: the stock models judge at the limits exactly", "[policy][backpressure]") {
  refuses_with<disconnect_slow>(verdict::disconnect);
  refuses_with<drop_newest>(verdict::drop_newest);
  refuses_with<drop_oldest>(verdict::drop_oldest);
  refuses_with<latest_by_key>(verdict::drop_oldest);
}

TEST_CASE("backpressure: only latest_by_key replaces", "[policy][backpressure]") {
  static_assert(!disconnect_slow::replaces_by_key && !drop_newest::replaces_by_key &&
                !drop_oldest::replaces_by_key && !pause_reading::replaces_by_key);
  static_assert(latest_by_key::replaces_by_key);
}

TEST_CASE("backpressure: pause_reading pauses at the limits and gives up at twice",
          "[policy][backpressure]") {
  pause_reading const policy(limits);
  CHECK(policy.admit({900, 1}, 100) == verdict::enqueue);
  CHECK(policy.admit({900, 1}, 101) == verdict::pause_reading);
  CHECK(policy.admit({10, 10}, 1) == verdict::pause_reading);
  CHECK(policy.admit({1'900, 1}, 100) == verdict::pause_reading);
  CHECK(policy.admit({1'900, 1}, 101) == verdict::disconnect);
  CHECK(policy.admit({10, 19}, 1) == verdict::pause_reading);
  CHECK(policy.admit({10, 20}, 1) == verdict::disconnect);
}

TEST_CASE("backpressure: the largest limits do not overflow", "[policy][backpressure]") {
  send_queue_limits const endless{.max_bytes = SIZE_MAX, .max_messages = SIZE_MAX};
  CHECK(drop_newest(endless).admit({SIZE_MAX - 1, 5}, 1) == verdict::enqueue);
  CHECK(drop_newest(endless).admit({SIZE_MAX - 1, 5}, 2) == verdict::drop_newest);
  send_queue_limits const half{.max_bytes = SIZE_MAX / 2 + 1, .max_messages = SIZE_MAX / 2 + 1};
  CHECK(pause_reading(half).admit({half.max_bytes, 5}, 1) == verdict::pause_reading);
}
