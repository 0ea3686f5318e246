#include <hawser/core/small_list.hpp>

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

using namespace hawser;

TEST_CASE("small list: holds what is put in, in order, near and far", "[core][small_list]") {
  for (int count = 0; count <= 20; ++count) {
    small_list<int, 4> list;
    std::vector<int> model;
    CHECK(list.empty());
    for (int i = 0; i < count; ++i) {
      list.push_back(i * 3);
      model.push_back(i * 3);
      REQUIRE(std::vector<int>(list.view().begin(), list.view().end()) == model);
    }
    CHECK(list.size() == model.size());
    CHECK(list.empty() == model.empty());

    auto const copy = list;
    auto moved = std::move(list);
    CHECK(std::vector<int>(copy.view().begin(), copy.view().end()) == model);
    CHECK(std::vector<int>(moved.view().begin(), moved.view().end()) == model);
    moved.push_back(-1);
    CHECK(moved.view().back() == -1);
    CHECK(copy.size() == model.size());
  }
}
