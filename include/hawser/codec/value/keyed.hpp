// Lists of members with keys: their order, and what becomes of one key given twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <hawser/core/config.hpp>
#include <hawser/core/view_of.hpp>

namespace hawser::inline HAWSER_ABI::codec {

/// The places of members in the order of their keys, those of one key in their own order.
template <class Member>
std::vector<std::size_t> by_key(std::span<Member const> members) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    int const compared = members[a].key.compare(members[b].key);
    return compared != 0 ? compared < 0 : a < b;
  });
  return order;
}

/// Leaves one member of each key: what the last says, in the place of the first. Sorts, since
/// looking for each among all would let a peer's large object take quadratic time.
template <class Member>
void drop_doubled(std::vector<Member>& members) {
  auto const order = by_key(view_of(members));
  std::vector<bool> dropped;
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (members[order[i]].key != members[order[first]].key) {
      first = i;
      continue;
    }
    dropped.resize(members.size());
    dropped[order[i]] = true;
    members[order[first]].what = std::move(members[order[i]].what);
  }
  if (dropped.empty()) return;
  std::erase_if(members, [&](Member const& each) {
    return dropped[static_cast<std::size_t>(&each - members.data())];
  });
}

}  // namespace hawser::inline HAWSER_ABI::codec
