#include <hawser/core/user_data.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace hawser;

namespace {

struct no_default {
  explicit no_default(std::unique_ptr<int> value) : held(std::move(value)) {}
  std::unique_ptr<int> held;
};

struct counted {
  explicit counted(int& count) : alive(&count) { ++*alive; }
  counted(counted&& other) noexcept : alive(other.alive) { ++*alive; }
  ~counted() { --*alive; }
  int* alive;
};

}  // namespace

TEST_CASE("user data: empty until something is put in", "[core][user_data]") {
  user_data box;
  CHECK_FALSE(box);
  CHECK(box.get<int>() == nullptr);
  user_data moved(std::move(box));
  CHECK_FALSE(moved);
}

TEST_CASE("user data: comes back by its exact type only", "[core][user_data]") {
  user_data box(42);
  REQUIRE(box.get<int>());
  CHECK(*box.get<int>() == 42);
  CHECK(box.get<long>() == nullptr);
  CHECK(box.get<unsigned>() == nullptr);
  CHECK(box.get<int const>() == nullptr);
  *box.get<int>() = 7;
  CHECK(*std::as_const(box).get<int>() == 7);
}

TEST_CASE("user data: holds what can be neither copied nor default-constructed",
          "[core][user_data]") {
  user_data box(no_default(std::make_unique<int>(5)));
  REQUIRE(box.get<no_default>());
  CHECK(*box.get<no_default>()->held == 5);
  static_assert(!std::is_copy_constructible_v<user_data>);
}

TEST_CASE("user data: moving keeps the value's address", "[core][user_data]") {
  user_data box(std::string("name"));
  auto* const before = box.get<std::string>();
  user_data moved(std::move(box));
  CHECK(moved.get<std::string>() == before);
  CHECK_FALSE(box);
  auto& same = moved;
  moved = std::move(same);
  CHECK(moved.get<std::string>() == before);
}

TEST_CASE("user data: a value lives exactly as long as it is held", "[core][user_data]") {
  int alive = 0;
  {
    user_data box{counted(alive)};
    CHECK(alive == 1);
    box = user_data(1);
    CHECK(alive == 0);
    box = user_data(counted(alive));
    user_data other{counted(alive)};
    CHECK(alive == 2);
    box = std::move(other);
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}
