#include "conformance/cases.hpp"

namespace conformance {

// Large messages, in one frame, in fragments, and in small chops; and many small messages.
std::vector<conformance_case> limit_cases() {
  static constexpr std::size_t kilo = 1024, mega = 1024 * 1024;
  std::vector<conformance_case> rows;
  auto const add = [&](int group, std::size_t i, step message, chop cut = {}) {
    auto const id = "9." + std::to_string(group) + "." + std::to_string(i + 1);
    expected const echo{message.opcode == text ? 't' : 'b', message.payload};
    rows.push_back(good(id, {std::move(message)}, {echo}, cut));
  };
  for (unsigned const kind : {text, binary}) {
    int const odd = kind == text ? 0 : 1;
    std::string const pattern =
        kind == text ? "BAsd7&jh23" : std::string("\x00\xfe\x23\xfa\xf0", 5);
    std::string const simple = kind == text ? "*" : "\xfe";

    static constexpr std::size_t sizes[] = {64 * kilo, 256 * kilo, mega,
                                            4 * mega,  8 * mega,   16 * mega};
    for (std::size_t i = 0; i < 6; ++i) {
      add(1 + odd, i, {.opcode = kind, .payload = {pattern, sizes[i]}});
    }
    static constexpr std::size_t fragments[] = {64,        256,        kilo, 4 * kilo, 16 * kilo,
                                                64 * kilo, 256 * kilo, mega, 4 * mega};
    for (std::size_t i = 0; i < 9; ++i) {
      add(3 + odd, i, {.opcode = kind, .payload = {simple, 4 * mega}, .fragment = fragments[i]});
    }
    for (std::size_t i = 0; i < 6; ++i) {
      add(5 + odd, i, {.opcode = kind, .payload = {pattern, mega}}, octets(std::size_t{64} << i));
    }
    static constexpr std::size_t small[] = {0, 16, 64, 256, 1024, 4096};
    for (std::size_t i = 0; i < 6; ++i) {
      conformance_case row;
      row.id = "9." + std::to_string(7 + odd) + "." + std::to_string(i + 1);
      row.messages = exchange{.size = small[i], .count = 1000, .binary = kind == binary};
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace conformance
