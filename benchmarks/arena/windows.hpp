// What the load has measured, window by window, and how it is printed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "../load/histogram.hpp"

namespace arena {

/// What has arrived in one window.
struct window {
  bool loud = false;
  std::uint64_t positions = 0;
  std::uint64_t bigs = 0;
  load::histogram latency;  ///< from when the tick was due
  double waited = 0;  ///< the larger share of the two processes' time spent waiting for a core
};

/// Quiet and loud ones in turns.
class windows {
 public:
  window& add(bool loud) {
    windows_.push_back(std::make_unique<window>());
    windows_.back()->loud = loud;
    return *windows_.back();
  }

  /// As members of an object of JSON, with a comma behind each.
  void print() const {
    print_kind(false);
    print_kind(true);
    print_ratio();
  }

 private:
  static constexpr double quiet_machine = 0.08;

  struct spread {
    double q1 = 0, median = 0, q3 = 0;
  };
  static spread spread_of(std::vector<double> all) {
    if (all.empty()) return {};
    std::sort(all.begin(), all.end());
    auto const at = [&](double part) {
      return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1) + 0.5)];
    };
    return {at(0.25), at(0.5), at(0.75)};
  }

  // Windows in which neither process had to wait for its core, if there are enough.
  std::vector<window const*> usable(bool loud) const {
    std::vector<window const*> quiet, all;
    for (auto const& one : windows_) {
      if (one->loud != loud) continue;
      all.push_back(one.get());
      if (one->waited < quiet_machine) quiet.push_back(one.get());
    }
    return quiet.size() >= 3 ? quiet : all;
  }

  void print_kind(bool loud) const {
    auto const chosen = usable(loud);
    auto const of = [&](double quantile) {
      std::vector<double> all;
      for (auto const* one : chosen) {
        all.push_back(static_cast<double>(one->latency.quantile(quantile)) * 1e-3);
      }
      return spread_of(all);
    };
    std::uint64_t positions = 0;
    std::uint64_t bigs = 0;
    std::size_t of_kind = 0;
    double waited = 0;
    for (auto const& one : windows_) of_kind += one->loud == loud ? 1 : 0;
    for (auto const* one : chosen) {
      positions += one->positions;
      bigs += one->bigs;
      waited = std::max(waited, one->waited);
    }
    spread const p999 = of(0.999);
    std::printf(
        R"("%s":{"windows":%zu,"left_out":%zu,"most_waited":%.3f,"messages":%ju,"big_messages":%ju,)"
        R"("latency_us":{"p50":%.1f,"p99":%.1f,"p99_9":%.1f,"p99_9_quartiles":[%.1f,%.1f]}},)",
        loud ? "loud" : "quiet", chosen.size(), of_kind - chosen.size(), waited,
        std::uintmax_t{positions}, std::uintmax_t{bigs}, of(0.5).median, of(0.99).median,
        p999.median, p999.q1, p999.q3);
  }

  // Each loud window beside the quiet one before it.
  void print_ratio() const {
    std::vector<double> quiet, all;
    for (std::size_t i = 0; i + 1 < windows_.size(); i += 2) {
      auto const p999 = [&](std::size_t at) {
        return static_cast<double>(
            std::max<std::uint64_t>(1, windows_[at]->latency.quantile(0.999)));
      };
      all.push_back(p999(i + 1) / p999(i));
      if (std::max(windows_[i]->waited, windows_[i + 1]->waited) < quiet_machine) {
        quiet.push_back(all.back());
      }
    }
    bool const enough = quiet.size() >= 3;
    std::size_t const pairs = enough ? quiet.size() : all.size();
    spread const found = spread_of(enough ? quiet : all);
    std::printf(R"("p99_9_ratio":{"median":%.3f,"quartiles":[%.3f,%.3f],"pairs":%zu,"noisy":%s},)",
                found.median, found.q1, found.q3, pairs, enough ? "false" : "true");
  }

  std::vector<std::unique_ptr<window>> windows_;
};

}  // namespace arena
