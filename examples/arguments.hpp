// Command lines of the form `--name value` and `--name`, for the examples.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

class arguments {
 public:
  using names = std::initializer_list<std::string_view>;

  /// Those of `valued` are followed by a value, `switches` are not. Ends the program with a usage
  /// line if a name is neither, or its value is missing.
  arguments(int argc, char** argv, names valued, names switches = {}) {
    for (int i = 1; i < argc; ++i) {
      std::string_view const flag = argv[i];
      auto const name = flag.starts_with("--") ? flag.substr(2) : std::string_view();
      if (is_among(switches, name)) {
        values_.emplace_back(name, std::string_view());
      } else if (is_among(valued, name) && i + 1 < argc) {
        values_.emplace_back(name, argv[++i]);
      } else {
        std::string usage = std::string("usage: ") + argv[0];
        for (auto const one : valued) usage.append(" [--").append(one).append(" VALUE]");
        for (auto const one : switches) usage.append(" [--").append(one).append("]");
        std::fprintf(stderr, "%s\n", usage.c_str());
        std::exit(2);
      }
    }
  }

  bool has(std::string_view name) const { return find(name) != nullptr; }

  std::string text(std::string_view name, std::string_view otherwise = {}) const {
    auto const* const found = find(name);
    return std::string(found ? *found : otherwise);
  }

  /// Ends the program if the value is not a number that fits.
  template <class Number>
  Number number(std::string_view name, Number otherwise) const {
    auto const* const found = find(name);
    if (!found) return otherwise;
    std::string_view const digits = *found;
    Number value{};
    auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec == std::errc{} && read.ptr == digits.data() + digits.size()) return value;
    std::fprintf(stderr, "--%s: not a number in range\n", std::string(name).c_str());
    std::exit(2);
  }

 private:
  static bool is_among(names all, std::string_view name) {
    return std::find(all.begin(), all.end(), name) != all.end();
  }

  std::string_view const* find(std::string_view name) const {
    for (auto const& [known, value] : values_) {
      if (known == name) return &value;
    }
    return nullptr;
  }

  std::vector<std::pair<std::string_view, std::string_view>> values_;
};
