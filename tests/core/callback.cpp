#include <hawser/core/callback.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

using namespace hawser;

namespace {

// Counts how many of its kind are alive, so that nothing leaks or dies twice.
struct tracked {
  explicit tracked(int& count) noexcept : alive(&count) { ++*alive; }
  tracked(tracked&& other) noexcept : alive(other.alive) { ++*alive; }
  tracked(tracked const&) = delete;
  tracked& operator=(tracked const&) = delete;
  ~tracked() { --*alive; }
  int* alive;
};

template <class Padding>
struct counting {
  tracked token;
  Padding padding{};
  int operator()(int x) { return x + *token.alive; }
};

int doubled(int x) { return 2 * x; }

struct nothing {};
using large = std::array<std::uint64_t, 16>;

}  // namespace

TEST_CASE("callback: an empty one says so", "[core][callback]") {
  callback<void()> none;
  CHECK_FALSE(none);
  callback<void()> null = nullptr;
  CHECK_FALSE(null);
  none.reset();
  callback<void()> moved(std::move(null));
  CHECK_FALSE(moved);
  moved = std::move(none);
  CHECK_FALSE(moved);
}

TEST_CASE("callback: holds functions, lambdas and members", "[core][callback]") {
  callback<int(int)> call = doubled;
  CHECK(call(21) == 42);
  call = [offset = 1](int x) { return x + offset; };
  CHECK(call(1) == 2);
  struct point {
    int x;
  };
  callback<int(point&)> member = &point::x;
  point at{7};
  CHECK(member(at) == 7);
}

TEST_CASE("callback: holds what can't be copied", "[core][callback]") {
  callback<int()> call = [held = std::make_unique<int>(5)] { return *held; };
  auto moved = std::move(call);
  CHECK_FALSE(call);
  REQUIRE(moved);
  CHECK(moved() == 5);
  static_assert(!std::is_copy_constructible_v<callback<int()>>);
  static_assert(std::is_nothrow_move_constructible_v<callback<int()>>);
  static_assert(!std::is_constructible_v<callback<int()>, int>);
  static_assert(!std::is_constructible_v<callback<int(int)>, int (*)(std::string)>);
}

TEST_CASE("callback: passes arguments on without a copy", "[core][callback]") {
  callback<std::unique_ptr<int>(std::unique_ptr<int>)> through = [](std::unique_ptr<int> held) {
    return held;
  };
  CHECK(*through(std::make_unique<int>(3)) == 3);
  callback<void(int&)> increment = [](int& at) { ++at; };
  int value = 1;
  increment(value);
  CHECK(value == 2);
}

TEST_CASE("callback: keeps state between calls", "[core][callback]") {
  callback<int()> counter = [n = 0]() mutable { return ++n; };
  counter();
  auto moved = std::move(counter);
  CHECK(moved() == 2);
}

TEMPLATE_TEST_CASE("callback: captures live exactly as long as they are held", "[core][callback]",
                   nothing, large) {
  int alive = 0;
  {
    callback<int(int)> call = counting<TestType>{tracked(alive)};
    CHECK(alive == 1);
    CHECK(call(10) == 11);
    auto second = std::move(call);
    CHECK(alive == 1);
    auto& same = second;
    second = std::move(same);
    CHECK(alive == 1);
    CHECK(second(10) == 11);
    call = counting<TestType>{tracked(alive)};
    CHECK(alive == 2);
    call = std::move(second);
    CHECK(alive == 1);
    CHECK_FALSE(second);
    call.reset();
    CHECK(alive == 0);
    call = counting<TestType>{tracked(alive)};
    call = nullptr;
    CHECK(alive == 0);
    call = counting<TestType>{tracked(alive)};
  }
  CHECK(alive == 0);
}

TEST_CASE("callback: what throws when moved is held on the heap and moves all the same",
          "[core][callback]") {
  struct awkward {
    awkward() = default;
    awkward(awkward const&) {}
    awkward(awkward&&) {}  // not noexcept
    int operator()() { return 9; }
  };
  callback<int()> call = awkward();
  auto moved = std::move(call);
  CHECK(moved() == 9);
}

TEST_CASE("callback: captures are aligned as they ask for", "[core][callback]") {
  struct alignas(16) sixteen {
    std::uint64_t value = 1;
    bool operator()() const { return reinterpret_cast<std::uintptr_t>(this) % 16 == 0; }
  };
  struct alignas(128) wide {
    std::uint64_t value = 1;
    bool operator()() const { return reinterpret_cast<std::uintptr_t>(this) % 128 == 0; }
  };
  callback<bool()> first = sixteen{};
  callback<bool()> second = wide{};
  CHECK(first());
  CHECK(second());
  std::swap(first, second);
  CHECK(first());
  CHECK(second());
}

TEST_CASE("callback: exceptions pass through", "[core][callback]") {
  callback<void()> call = [] { throw 1; };
  CHECK_THROWS_AS(call(), int);
  CHECK(static_cast<bool>(call));
}

TEST_CASE("callback: a result may be dropped", "[core][callback]") {
  int called = 0;
  callback<void()> call = [&] { return ++called; };
  call();
  CHECK(called == 1);
}
