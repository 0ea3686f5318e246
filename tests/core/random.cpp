#include <hawser/core/random.hpp>

#include <catch2/catch.hpp>

#include <array>

using namespace hawser;

TEST_CASE("random source: calls what it was given, with its context", "[core][random]") {
  unsigned calls = 0;
  random_source const source{[](void* context, mutable_bytes out) {
                               auto& count = *static_cast<unsigned*>(context);
                               ++count;
                               for (auto& byte : out) byte = static_cast<std::byte>(count);
                             },
                             &calls};
  std::array<std::byte, 3> out{};
  source(out);
  CHECK(out[0] == std::byte{1});
  CHECK(out[2] == std::byte{1});
  CHECK(source.next() == 0x0202020202020202u);
  CHECK(calls == 2);
}
