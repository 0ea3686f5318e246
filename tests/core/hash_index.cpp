#include <hawser/core/hash_index.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

TEST_CASE("hash index: finds nothing where nothing is", "[core][hash_index]") {
  hash_index index;
  CHECK(index.size() == 0);
  CHECK(index.find(7, [](std::uint32_t) { return true; }) == hash_index::none);
  index.erase(7, 1);
  index.insert(7, 1);
  index.erase(7, 2);
  index.erase(8, 1);
  CHECK(index.size() == 1);
  CHECK(index.find(7, [](std::uint32_t) { return false; }) == hash_index::none);
  CHECK(index.find(7, [](std::uint32_t at) { return at == 1; }) == 1);
  index.clear();
  CHECK(index.size() == 0);
  CHECK(index.find(7, [](std::uint32_t) { return true; }) == hash_index::none);
  index.insert(7, 3);
  CHECK(index.find(7, [](std::uint32_t) { return true; }) == 3);
}

TEST_CASE("hash index: asks only of positions under the very hash", "[core][hash_index]") {
  hash_index index;
  for (std::uint32_t i = 0; i < 5; ++i) index.insert(i << 16, i);  // one home for all
  for (std::uint32_t i = 0; i < 5; ++i) {
    std::vector<std::uint32_t> asked;
    CHECK(index.find(i << 16, [&](std::uint32_t at) {
      asked.push_back(at);
      return true;
    }) == i);
    CHECK(asked == std::vector{i});
  }
}

TEST_CASE("hash index: behaves as a map, whatever is done to it", "[core][hash_index]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    // From hashes that hardly differ, so that runs are long and wrap around the end, to good ones.
    std::uint32_t const spread =
        seed % 4 == 0 ? 0xffffffff : static_cast<std::uint32_t>(0x7) << (seed % 30);
    std::uint32_t const base = seed % 3 == 0 ? 0xfffffff8 : 0;
    hash_index index;
    std::unordered_map<std::uint32_t, std::uint32_t> model;  // hashes by position
    for (int step = 0; step < 2'000; ++step) {
      auto const position = static_cast<std::uint32_t>(random.uniform(120));
      auto const known = model.find(position);
      bool const grows = step % 500 < 300;
      if (known == model.end() && (grows || random.one_in(4))) {
        auto const hash = base | (static_cast<std::uint32_t>(random()) & spread);
        index.insert(hash, position);
        model.emplace(position, hash);
      } else if (known != model.end() && (!grows || random.one_in(3))) {
        index.erase(known->second, position);
        index.erase(known->second, position);
        model.erase(known);
      }
      REQUIRE(index.size() == model.size());
      if (step % 20 != 0) continue;
      for (auto const& [at, hash] : model) {
        REQUIRE(index.find(hash, [&](std::uint32_t one) { return one == at; }) == at);
      }
      for (std::uint32_t at = 0; at < 120; ++at) {
        if (model.contains(at)) continue;
        REQUIRE(index.find(base | (static_cast<std::uint32_t>(random()) & spread),
                           [&](std::uint32_t one) { return one == at; }) == hash_index::none);
      }
    }
  }
}

TEST_CASE("hash index: one that is always full and always changing stays fast and right",
          "[core][hash_index]") {
  seeded_random random(3);
  hash_index index;
  std::vector<std::uint32_t> hashes;
  for (std::uint32_t i = 0; i < 768; ++i) {  // of 1024 slots
    hashes.push_back(static_cast<std::uint32_t>(random()));
    index.insert(hashes.back(), i);
  }
  for (int i = 0; i < 50'000; ++i) {
    auto const at = static_cast<std::uint32_t>(random.uniform(hashes.size()));
    index.erase(hashes[at], at);
    hashes[at] = static_cast<std::uint32_t>(random());
    index.insert(hashes[at], at);
  }
  for (std::uint32_t at = 0; at < hashes.size(); ++at) {
    CHECK(index.find(hashes[at], [&](std::uint32_t one) { return one == at; }) == at);
  }
  CHECK(index.size() == hashes.size());
}

TEST_CASE("seeded hash: the seed decides, and every byte counts", "[core][hash_index]") {
  std::string const text = "a name of some length";
  CHECK(seeded_hash(text, 1) == seeded_hash(text, 1));
  CHECK(seeded_hash(text, 1) != seeded_hash(text, 2));
  CHECK(seeded_hash("", 1) != seeded_hash(std::string(1, '\0'), 1));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    CHECK(seeded_hash(other, 5) != seeded_hash(text, 5));
  }
  // The low bits, which choose a slot, are spread evenly for names that hardly differ.
  std::vector<int> met(256);
  for (int i = 0; i < 25'600; ++i) ++met[seeded_hash("room:" + std::to_string(i), 77) & 255];
  for (int const count : met) {
    CHECK(count > 40);
    CHECK(count < 180);
  }
}
