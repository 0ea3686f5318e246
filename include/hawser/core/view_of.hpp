// A vector as a span of its elements, in a way that compiles quickly.
#pragma once

#include <span>
#include <vector>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// What std::span makes of a vector by itself, but without the constraints of its constructor for
/// ranges: to check those, for each type of element, takes compilers longer than all else of it.
template <class T>
std::span<T const> view_of(std::vector<T> const& all) noexcept {
  return {all.data(), all.size()};
}

}  // namespace hawser::inline HAWSER_ABI
