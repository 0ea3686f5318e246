// Feeds a parser whole, cut in two at a given place, or byte by byte, and tells what came of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <system_error>

namespace hawser_test {

struct outcome {
  std::size_t consumed = 0;
  bool done = false;
  std::error_code error;

  bool operator==(outcome const&) const = default;
};

/// Gives `bytes` to `parse` (a callable returning `http::progress`) in pieces of the given sizes:
/// first `first`, then `step` at a time.
template <class Parse>
outcome feed(Parse&& parse, std::string_view bytes, std::size_t first, std::size_t step) {
  outcome total;
  std::size_t at = 0;
  std::size_t size = first;
  while (at < bytes.size()) {
    std::string_view const piece = bytes.substr(at, size);
    auto const now = parse(piece);
    total.consumed += now.consumed;
    total.done = now.done;
    total.error = now.error;
    if (now.done || now.error) break;
    at += piece.size();
    size = step;
  }
  return total;
}

/// As `feed`, with a new parser from `make_parser`.
template <class MakeParser>
outcome run(MakeParser&& make_parser, std::string_view bytes, std::size_t first, std::size_t step) {
  auto parser = make_parser();
  return feed([&parser](std::string_view piece) { return parser.parse(piece); }, bytes, first,
              step);
}

/// The outcome of the whole, if cutting it anywhere, and feeding it byte by byte, makes no
/// difference; else an outcome that equals nothing sensible.
template <class MakeParser>
outcome at_every_split(MakeParser&& make_parser, std::string_view bytes) {
  std::size_t const all = std::max<std::size_t>(bytes.size(), 1);
  outcome const whole = run(make_parser, bytes, all, all);
  outcome const broken{static_cast<std::size_t>(-1), false, {}};
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    if (!(run(make_parser, bytes, cut, all) == whole)) return broken;
  }
  return run(make_parser, bytes, 1, 1) == whole ? whole : broken;
}

}  // namespace hawser_test
