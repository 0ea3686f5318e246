// A vector as a span of its elements, in a way that compiles quickly.
#pragma once

#include <span>
#include <vector>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What std::span makes of a vector by itself, but for the constraints of its constructor for
/// ranges: checking those, once for each type of element, takes compilers longer than all else here.
template <class T>
std::span<T const> view_of(std::vector<T> const& all) noexcept {
  return {all.data(), all.size()};
}

}  // namespace hawser::inline HAWSER_ABI
