// Command lines of the form `--name value`, for the examples.
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
  /// Ends the program with a usage line if a name isn't one of `names`, or its value is missing.
  arguments(int argc, char** argv, std::initializer_list<std::string_view> names) {
    for (int i = 1; i < argc; i += 2) {
      std::string_view const flag = argv[i];
      auto const name = flag.starts_with("--") ? flag.substr(2) : std::string_view();
      bool const known = std::find(names.begin(), names.end(), name) != names.end();
      if (!known || i + 1 == argc) {
        std::string usage = std::string("usage: ") + argv[0];
        for (auto const one : names) usage.append(" [--").append(one).append(" VALUE]");
        std::fprintf(stderr, "%s\n", usage.c_str());
        std::exit(2);
      }
      values_.emplace_back(name, argv[i + 1]);
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
  std::string_view const* find(std::string_view name) const {
    for (auto const& [known, value] : values_) {
      if (known == name) return &value;
    }
    return nullptr;
  }

  std::vector<std::pair<std::string_view, std::string_view>> values_;
};
