#include "conformance/harness.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace conformance;

namespace {

// Which rows were run in this process, against which side, and what was wrong with them.
struct record {
  std::set<std::string> against[2];
  std::vector<std::string> wrong;

  void merge(record const& other) {
    for (int i = 0; i < 2; ++i) against[i].insert(other.against[i].begin(), other.against[i].end());
    wrong.insert(wrong.end(), other.wrong.begin(), other.wrong.end());
  }
};

char const* name_of(side of) { return of == side::server ? "server" : "client"; }

void run_row(record& into, subject& with, side of, conformance_case const& row) {
  bool const fresh = into.against[static_cast<int>(of)].insert(row.id).second;
  if (!fresh) into.wrong.push_back(row.id + " is there twice");
  auto const wrong = run(with, row);
  if (!wrong.empty()) into.wrong.push_back(row.id + " (" + name_of(of) + "): " + wrong);
}

// One server, and one client, for all rows: what a case leaves behind must not harm the next.
record run_basic(std::vector<conformance_case> const& rows) {
  record done;
  for (side const of : {side::server, side::client}) {
    auto with = make_subject(of);
    for (auto const& row : rows) {
      std::size_t const before = done.wrong.size();
      run_row(done, *with, of, row);
      if (done.wrong.size() > before) with = make_subject(of);
    }
  }
  return done;
}

record run_deflate(contexts kind, std::size_t bytes, std::size_t count) {
  record done;
  for (side const of : {side::server, side::client}) {
    std::size_t compressed = 0;
    for (auto const& row : deflate_cases(bytes, count)) {
      auto const with = make_subject(of, {.deflate = kind});
      run_row(done, *with, of, row);
      if (with->reader) compressed += with->reader->compressed;
    }
    if (compressed < 1000) done.wrong.push_back("hawser hardly compresses anything");
  }
  return done;
}

// Each section is run once, by its own test or by the one that counts.
record const& section(std::string const& name) {
  static std::map<std::string, record> done;
  auto const found = done.find(name);
  if (found != done.end()) return found->second;
  record made;
  if (name == "1") made = run_basic(framing_cases());
  if (name == "2") made = run_basic(ping_cases());
  if (name == "3, 4") made = run_basic(reserved_cases());
  if (name == "5, 10") made = run_basic(fragment_cases());
  if (name == "6") made = run_basic(utf8_cases());
  if (name == "7") made = run_basic(closing_cases());
  if (name == "9") made = run_basic(limit_cases());
  if (name == "12, 13") made = run_deflate(contexts::shared, 128 * 1024, 1000);
  return done.emplace(name, std::move(made)).first->second;
}

void check(record const& done, std::size_t cases) {
  for (auto const& wrong : done.wrong) {
    INFO(wrong);
    CHECK(false);
  }
  CHECK(done.against[0].size() == cases);
  CHECK(done.against[1].size() == cases);
}

}  // namespace

TEST_CASE("conformance 1: messages of every length class come back", "[conformance]") {
  check(section("1"), 16);
}

TEST_CASE("conformance 2: pings are answered and pongs are not", "[conformance]") {
  check(section("2"), 11);
}

TEST_CASE("conformance 3 and 4: reserved bits and opcodes fail the connection", "[conformance]") {
  check(section("3, 4"), 17);
}

TEST_CASE("conformance 5 and 10: fragments make messages, in order only", "[conformance]") {
  check(section("5, 10"), 21);
}

TEST_CASE("conformance 6: text is UTF-8 and fails fast", "[conformance]") {
  check(section("6"), 145);
}

TEST_CASE("conformance 7: closing handshakes, codes and reasons", "[conformance]") {
  check(section("7"), 37);
}

TEST_CASE("conformance 9: messages of up to 16 MiB, in fragments and chops", "[conformance]") {
  check(section("9"), 54);
}

TEST_CASE("conformance 12 and 13: compression without contexts", "[conformance]") {
  check(section("12, 13"), 216);
}

TEST_CASE("conformance 12 and 13: compression with contexts taken over", "[conformance]") {
  check(run_deflate(contexts::dedicated, 128 * 1024, 1000), 216);
}

TEST_CASE("conformance: 517 cases, each against a server and a client", "[conformance]") {
  record all;
  for (char const* const name : {"1", "2", "3, 4", "5, 10", "6", "7", "9"}) {
    all.merge(section(name));
  }
  CHECK(all.against[0].size() == 301);
  CHECK(all.against[1].size() == 301);
  all.merge(section("12, 13"));
  CHECK(all.against[0].size() == 517);
  CHECK(all.against[0] == all.against[1]);
  CHECK(all.wrong.empty());
}

// 1000 messages of every size, as the public suite sends: about half an hour.
TEST_CASE("conformance 12 and 13 in full", "[.][conformance_full]") {
  check(run_deflate(contexts::shared, ~std::size_t{0}, 1000), 216);
  check(run_deflate(contexts::dedicated, ~std::size_t{0}, 1000), 216);
}
