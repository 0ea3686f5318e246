#include <hawser/core/log.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace hawser;

namespace {

struct line {
  log_level level;
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
};

logger into(std::vector<line>& lines, log_level least) {
  return logger(
      [&lines](log_record const& record) {
        line got{record.level, std::string(record.event), {}};
        for (auto const& field : record.fields) {
          got.fields.emplace_back(std::string(field.key), std::string(field.value));
        }
        lines.push_back(std::move(got));
      },
      least);
}

}  // namespace

TEST_CASE("log: silent without a hook", "[core][log]") {
  logger none;
  CHECK_FALSE(none.enabled(log_level::error));
  none(log_level::error, "event", {{"key", "value"}});
}

TEST_CASE("log: levels below the least are not told", "[core][log]") {
  std::vector<line> lines;
  auto log = into(lines, log_level::warning);
  log(log_level::debug, "a");
  log(log_level::info, "b");
  log(log_level::warning, "c");
  log(log_level::error, "d");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].event == "c");
  CHECK(lines[1].level == log_level::error);
  CHECK(log.enabled(log_level::warning));
  CHECK_FALSE(log.enabled(log_level::info));
}

TEST_CASE("log: fields come in order, at most six", "[core][log]") {
  std::vector<line> lines;
  auto log = into(lines, log_level::debug);
  log(log_level::info, "event",
      {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}, {"f", "6"}, {"g", "7"}});
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0].fields.size() == 6);
  CHECK(lines[0].fields[0] == std::pair<std::string, std::string>("a", "1"));
  CHECK(lines[0].fields[5] == std::pair<std::string, std::string>("f", "6"));
}

TEST_CASE("log: what a peer sent can't forge lines", "[core][log]") {
  CHECK(log_safe("plain text ~") == "plain text ~");
  CHECK(log_safe("a\r\nb") == "a\\x0d\\x0ab");
  CHECK(log_safe("\x1b[31m") == "\\x1b[31m");
  CHECK(log_safe("back\\slash") == "back\\x5cslash");
  CHECK(log_safe(std::string_view("\0\x7f\xff", 3)) == "\\x00\\x7f\\xff");
  for (int c = 0; c < 256; ++c) {
    for (char const out : log_safe(std::string(1, static_cast<char>(c)))) {
      CHECK((out >= 0x20 && out < 0x7f));
    }
  }
}

TEST_CASE("log: values end at 256 bytes", "[core][log]") {
  CHECK(log_safe(std::string(256, 'x')) == std::string(256, 'x'));
  CHECK(log_safe(std::string(257, 'x')) == std::string(253, 'x') + "...");
  CHECK(log_safe(std::string(100'000, '\n')).size() == 256);
  std::vector<line> lines;
  auto log = into(lines, log_level::debug);
  log(log_level::info, "event", {{"peer", std::string(1'000, '\n')}});
  CHECK(lines.at(0).fields.at(0).second.size() == 256);
}

TEST_CASE("log: a hook that throws does no harm", "[core][log]") {
  int called = 0;
  logger log(
      [&](log_record const&) {
        ++called;
        throw std::runtime_error("disk full");
      },
      log_level::debug);
  log(log_level::info, "a");
  log(log_level::info, "b");
  CHECK(called == 2);
}
