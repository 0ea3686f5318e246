#include <hawser/core/payload_run.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace hawser;

namespace {

bytes_view bytes(std::string_view text) { return as_bytes(text); }

}  // namespace

TEST_CASE("payload_run: messages lie behind each other", "[core][payload_run]") {
  block_pool pool;
  payload_run run;
  auto const one = run.append(bytes("he"), bytes("llo"), pool);
  auto const two = run.append(bytes(" "), {}, pool);
  auto const three = run.append({}, bytes("world"), pool);
  CHECK(as_text(one.view()) == "hello");
  CHECK(as_text(three.view()) == "world");
  CHECK(one.is_followed_by(two));
  CHECK(two.is_followed_by(three));
  CHECK_FALSE(one.is_followed_by(three));
  CHECK_FALSE(two.is_followed_by(one));
  CHECK(as_text(payload_slice(one.block, one.begin, three.end).view()) == "hello world");
}

TEST_CASE("payload_run: tells the messages of a slice apart at every byte", "[core][payload_run]") {
  block_pool pool;
  payload_run run;
  std::vector<payload_slice> all;
  for (int i = 1; i <= 40; ++i) {
    all.push_back(
        run.append(bytes(std::string(static_cast<std::size_t>(i % 7 + 1), 'x')), {}, pool));
  }
  for (std::size_t first = 0; first < all.size(); ++first) {
    for (std::size_t last = first; last < all.size(); ++last) {
      for (std::uint32_t at = all[first].begin; at < all[first].end; ++at) {
        auto const found = payload_run::first_of({all[first].block, at, all[last].end});
        CHECK(found.begin == all[first].begin);
        CHECK(found.end == all[first].end);
        CHECK(found.count == last - first + 1);
      }
    }
  }
}

TEST_CASE("payload_run: a block is used again once nobody refers to it", "[core][payload_run]") {
  block_pool pool;
  payload_run run;
  std::byte const* place = nullptr;
  for (int i = 0; i < 10'000; ++i) {
    auto const one = run.append(bytes(std::string(1'000, 'x')), {}, pool);
    if (!place) place = one.view().data();
    REQUIRE(one.view().data() == place);
  }
}

TEST_CASE("payload_run: what is referred to stays as it is", "[core][payload_run]") {
  block_pool pool;
  payload_run run;
  std::vector<payload_slice> all;
  for (char c = 'a'; c <= 'z'; ++c) {
    all.push_back(run.append(bytes(std::string(payload_run::max_message, c)), {}, pool));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(as_text(all[i].view()) ==
          std::string(payload_run::max_message, static_cast<char>('a' + i)));
  }
}

TEST_CASE("payload_run: many small messages fill a block and begin another",
          "[core][payload_run]") {
  block_pool pool;
  payload_run run;
  std::vector<payload_slice> all;
  for (int i = 0; i < 20'000; ++i) all.push_back(run.append(bytes("x"), {}, pool));
  std::size_t blocks = 1;
  for (std::size_t i = 1; i < all.size(); ++i) {
    REQUIRE(as_text(all[i].view()) == "x");
    if (!all[i - 1].block.same_as(all[i].block)) ++blocks;
  }
  CHECK(blocks == 7);  // five bytes each, of 16,356
}
