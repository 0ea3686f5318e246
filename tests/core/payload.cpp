#include <hawser/core/payload.hpp>

#include <catch2/catch.hpp>

#include <cstring>
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

TEST_CASE("block pool: what is larger than 64 KiB is not kept", "[core][payload]") {
  block_pool pool;
  void* const at = pool.allocate(64 * 1024 + 1);
  std::memset(at, 0, 64 * 1024 + 1);
  pool.deallocate(at, 64 * 1024 + 1);
  void* const huge = pool.allocate(std::size_t{10} << 20);
  pool.deallocate(huge, std::size_t{10} << 20);
}

TEST_CASE("block pool: keeps 256 KiB of each size and no more", "[core][payload]") {
  block_pool pool;
  std::vector<void*> blocks;
  for (int i = 0; i < 40; ++i) blocks.push_back(pool.allocate(16 * 1024));
  for (void* const block : blocks) pool.deallocate(block, 16 * 1024);
  // Exactly sixteen come back, the last ones given first.
  for (int i = 15; i >= 0; --i) {
    void* const again = pool.allocate(16 * 1024);
    CHECK(again == blocks[static_cast<std::size_t>(i)]);
  }
  // Blocks are still held by nobody but this test: give them back.
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
