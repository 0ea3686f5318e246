#include <hawser/core/payload.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace hawser;

namespace {

payload of(std::string_view text, block_pool* pool) {
  payload made = payload::make(text.size(), pool);
  if (!text.empty()) std::memcpy(made.data(), text.data(), text.size());
  return made;
}

}  // namespace

TEST_CASE("payload: an empty one is nothing", "[core][payload]") {
  payload none;
  CHECK_FALSE(none);
  CHECK(none.size() == 0);
  payload copy = none;
  CHECK_FALSE(copy);
  copy = std::move(none);
  CHECK_FALSE(copy);
}

TEST_CASE("payload: copies share the bytes", "[core][payload]") {
  block_pool pool;
  payload first = of("shared", &pool);
  payload second = first;
  CHECK(second.view().data() == first.view().data());
  first = {};
  CHECK(as_text(second.view()) == "shared");
  auto const& same = second;
  second = same;
  CHECK(as_text(second.view()) == "shared");
  payload third(std::move(second));
  CHECK_FALSE(second);
  CHECK(as_text(third.view()) == "shared");
}

TEST_CASE("payload: one of no bytes is not an empty handle", "[core][payload]") {
  block_pool pool;
  payload const empty = of("", &pool);
  CHECK(static_cast<bool>(empty));
  CHECK(empty.size() == 0);
}

TEST_CASE("payload: lives without a pool too", "[core][payload]") {
  payload const free = of("heap", nullptr);
  payload const copy = free;
  CHECK(as_text(copy.view()) == "heap");
}

TEST_CASE("payload: its memory goes round through the pool", "[core][payload]") {
  block_pool pool;
  void const* first = nullptr;
  {
    payload const one = of(std::string(100, 'x'), &pool);
    first = one.view().data();
  }
  payload const two = of(std::string(90, 'y'), &pool);
  CHECK(two.view().data() == first);
}

TEST_CASE("block pool: a freed block serves any size of its class", "[core][payload]") {
  block_pool pool;
  // The last size of each class and the first of the next.
  for (std::size_t block = 64; block <= 64 * 1024; block *= 2) {
    void* const at = pool.allocate(block);
    std::memset(at, 0xab, block);
    pool.deallocate(at, block);
    CHECK(pool.allocate(block == 64 ? 1 : block / 2 + 1) == at);
    pool.deallocate(at, block);
    void* const larger = pool.allocate(block + 1);
    CHECK(larger != at);
    std::memset(larger, 0xcd, block + 1);
    pool.deallocate(larger, block + 1);
    CHECK(pool.allocate(block) == at);
    pool.deallocate(at, block / 2 + 1);
  }
}

TEST_CASE("block pool: what is larger than 2 MiB is not kept", "[core][payload]") {
  block_pool pool;
  std::size_t const large = (std::size_t{2} << 20) + 1;
  void* const at = pool.allocate(large);
  std::memset(at, 0, large);
  pool.deallocate(at, large);
  void* const huge = pool.allocate(std::size_t{10} << 20);
  pool.deallocate(huge, std::size_t{10} << 20);
}

namespace {

// As many blocks at once, taken and given back in this order; how many came from `known`.
std::size_t take_and_give(block_pool& pool, std::size_t count, std::set<void*>& known) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(pool.allocate(16 * 1024));
  std::size_t found = 0;
  for (void* const block : blocks) found += known.count(block);
  known = {blocks.begin(), blocks.end()};
  for (void* const block : blocks) pool.deallocate(block, 16 * 1024);
  return found;
}

}  // namespace

TEST_CASE("block pool: keeps what was in use at once not long ago", "[core][payload]") {
  block_pool pool;
  std::set<void*> known;
  take_and_give(pool, 40, known);
  CHECK(take_and_give(pool, 40, known) == 40);
  pool.age();
  CHECK(take_and_give(pool, 40, known) == 40);
}

TEST_CASE("block pool: a load that varies by less than a quarter keeps its blocks",
          "[core][payload]") {
  block_pool pool;
  std::set<void*> known;
  std::vector<std::unique_ptr<char[]>> others;  // take what is given back to the heap
  take_and_give(pool, 64, known);
  for (std::size_t const load : {49u, 55u, 64u, 50u, 61u, 64u}) {
    pool.age();
    for (int i = 0; i < 64; ++i) others.push_back(std::make_unique<char[]>(16 * 1024));
    std::set<void*> const all = known;
    take_and_give(pool, load, known);
    CHECK(std::includes(all.begin(), all.end(), known.begin(), known.end()));
    known = all;
  }
}

TEST_CASE("block pool: at rest it keeps 256 KiB of each size and no more", "[core][payload]") {
  block_pool pool;
  std::vector<void*> blocks;
  for (int i = 0; i < 40; ++i) blocks.push_back(pool.allocate(16 * 1024));
  bool const by_rest = GENERATE(true, false);
  for (void* const block : blocks) pool.deallocate(block, 16 * 1024);
  if (by_rest) pool.rest();
  for (int i = 0; i < 60 && !by_rest; ++i) pool.age();
  // Exactly sixteen are left, those that were given first.
  for (int i = 15; i >= 0; --i) {
    void* const again = pool.allocate(16 * 1024);
    CHECK(again == blocks[static_cast<std::size_t>(i)]);
  }
  for (int i = 0; i < 16; ++i) pool.deallocate(blocks[static_cast<std::size_t>(i)], 16 * 1024);
}

TEST_CASE("block pool: a steady load settles on the same few blocks", "[core][payload]") {
  block_pool pool;
  std::vector<payload> queue;
  std::set<void const*> settled;
  for (int i = 0; i < 20'000; ++i) {
    queue.push_back(of(std::string(static_cast<std::size_t>(i % 8) * 50, 'x'), &pool));
    if (i > 1'000) {
      auto const* const at = queue.back().view().data();
      if (i < 10'000) {
        settled.insert(at);
      } else if (!settled.contains(at)) {
        FAIL("a new block in the steady state");
      }
    }
    if (queue.size() == 32) queue.erase(queue.begin(), queue.begin() + 16);
  }
}
