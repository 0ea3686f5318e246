#include <hawser/testing/seeded_random.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

using namespace hawser;

TEST_CASE("seeded random: the same seed gives the same numbers", "[testing][random]") {
  seeded_random a(42);
  seeded_random b(42);
  seeded_random c(43);
  bool differs = false;
  for (int i = 0; i < 1'000; ++i) {
    auto const drawn = a();
    CHECK(drawn == b());
    differs = differs || drawn != c();
  }
  CHECK(differs);
  // Fixed for good: logs of failed runs name a seed.
  seeded_random fixed(0);
  CHECK(fixed() == 0x99ec5f36cb75f2b4);
}

TEST_CASE("seeded random: a source fills any length", "[testing][random]") {
  seeded_random a(7);
  seeded_random b(7);
  auto const source = a.source();
  std::array<std::byte, 21> filled{};
  source(filled);
  for (std::size_t i = 0; i < 16; i += 8) CHECK(codec::load_big<std::uint64_t>(&filled[i]) == b());
  CHECK(
      std::any_of(filled.begin() + 16, filled.end(), [](std::byte x) { return x != std::byte{}; }));
  b();
  CHECK(source.next() == [&] {
    std::array<std::byte, 8> raw;
    b.fill(raw);
    std::uint64_t value;
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }());
}

TEST_CASE("seeded random: uniform numbers are in range and even", "[testing][random]") {
  seeded_random random(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[random.uniform(7)];
  for (int const count : counts) CHECK(std::abs(count - 10'000) < 500);
  CHECK(random.uniform(0) == 0);
  CHECK(random.uniform(1) == 0);
  for (int i = 0; i < 100; ++i) {
    auto const drawn = random.between(5, 9);
    CHECK((drawn >= 5 && drawn <= 9));
  }
  random.between(0, seeded_random::max());
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.one_in(10);
  CHECK(std::abs(hits - 1'000) < 200);
}

TEST_CASE("seeded random: a shuffle keeps every element", "[testing][random]") {
  std::vector<int> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto const before = numbers;
  seeded_random random(3);
  random.shuffle(numbers);
  CHECK(numbers != before);
  std::sort(numbers.begin(), numbers.end());
  CHECK(numbers == before);
  std::vector<int> none;
  random.shuffle(none);
}
