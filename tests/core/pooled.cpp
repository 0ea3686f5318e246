#include <hawser/core/pooled.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <vector>

using namespace hawser;

namespace {

struct thing : pooled<thing> {
  thing(block_pool& pool, int& count, bool fails = false) : pooled(pool), alive(&count) {
    if (fails) throw std::runtime_error("no thing");
    ++*alive;
  }
  ~thing() { --*alive; }
  int* alive;
  char more[100] = {};
};

// Takes what was given back to the heap, so that it can't come again from there.
std::vector<std::unique_ptr<char[]>> fill_heap() {
  std::vector<std::unique_ptr<char[]>> taken;
  for (int i = 0; i < 64; ++i) taken.push_back(std::make_unique<char[]>(128));
  return taken;
}

}  // namespace

TEST_CASE("pooled: goes back to its pool when it is deleted", "[core][pooled]") {
  block_pool pool;
  int alive = 0;
  std::unique_ptr<thing> one(new (pool) thing(pool, alive));
  CHECK(alive == 1);
  void* const memory = one.get();
  one.reset();
  CHECK(alive == 0);
  auto const taken = fill_heap();
  std::unique_ptr<thing> const other(new (pool) thing(pool, alive));
  CHECK(other.get() == memory);
}

TEST_CASE("pooled: a constructor that throws gives the memory back", "[core][pooled]") {
  block_pool pool;
  int alive = 0;
  std::unique_ptr<thing> one(new (pool) thing(pool, alive));
  void* const memory = one.get();
  one.reset();
  CHECK_THROWS_AS(new (pool) thing(pool, alive, true), std::runtime_error);
  auto const taken = fill_heap();
  std::unique_ptr<thing> const other(new (pool) thing(pool, alive));
  CHECK(other.get() == memory);
  CHECK(alive == 1);
}
