#include <hawser/endpoint/journal_queue.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/faulty_file.hpp"
#include "support/offline_queues.hpp"

using namespace hawser;
using namespace hawser_test;
using namespace std::chrono_literals;

namespace {

using fast_queue = basic_journal_queue<faulty_file>;

class folder {
 public:
  folder() {
    // In memory if possible: some tests make more files than a disk would like.
    std::filesystem::path const memory = "/dev/shm";
    auto const& above = is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (above / "hawser-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    faulty_file::now() = {};
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  std::string stem() const { return path_ + "/out"; }
  std::string file() const { return path_ + "/out.journal"; }
  std::size_t files() const {
    using iterator = std::filesystem::directory_iterator;
    return static_cast<std::size_t>(std::distance(iterator(path_), iterator()));
  }

 private:
  std::string path_;
};

std::string contents(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void fill(std::string const& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

// Wall time as the test has it.
std::chrono::system_clock::time_point wall;

template <class Queue = fast_queue>
Queue open(folder const& in, offline_queue_limits limits = {}, bool sync = false) {
  return Queue({limits, in.stem(), sync});
}

// Looks at all messages, and leaves the file as it was.
template <class Queue>
std::string all(Queue& queue) {
  std::string text;
  queued_entries copy({.max_age = 0s});
  std::vector<std::uint64_t> ids;
  while (auto const* first = queue.front(start)) {
    text += std::to_string(first->id) + ":" + std::string(as_text(first->data)) + " ";
    queue.remove(first->id);
  }
  return text;
}

// What a queue of this file would send, the file being left as it is.
std::string queued_in(folder const& in, journal_report* report = nullptr) {
  folder copy;
  std::filesystem::copy_file(in.file(), copy.file());
  auto queue = open(copy, {.max_age = 0s});
  if (report) *report = queue.report();
  return all(queue);
}

constexpr std::uint64_t per_file = journal_header::ids_per_file;

}  // namespace

TEST_CASE("journal queue: the same as the one in memory", "[endpoint][journal]") {
  folder where;
  int number = 0;
  test_offline_queue([&](offline_queue_limits const& limits) {
    return fast_queue({limits, where.stem() + std::to_string(++number)});
  });
}

// -- across restarts -----------------------------------------------------------------------------

TEST_CASE("journal queue: what was not acknowledged is there again", "[endpoint][journal]") {
  folder where;
  std::string id;
  {
    auto queue = open<journal_queue>(where);
    CHECK(!queue.error());
    CHECK(queue.report().tail == journal_tail::whole);
    id = queue.queue_id();
    CHECK(id.size() == 32);
    CHECK(*push(queue, "a") == 1);
    CHECK(*queue.push(message_kind::binary, as_bytes("b"), 17, start) == 2);
    CHECK(*push(queue, "") == 3);
    CHECK(*push(queue, std::string(200'000, 'x')) == 4);
    CHECK(queue.remove(1));
    CHECK(queue.remove(3));
  }
  auto queue = open<journal_queue>(where);
  CHECK(!queue.error());
  CHECK(queue.queue_id() == id);
  CHECK(queue.report().messages == 2);
  CHECK(queue.report().bytes_cut == 0);
  CHECK(queue.report().tail == journal_tail::whole);
  CHECK(queue.size().messages == 2);
  CHECK(queue.size().bytes == 200'001 + 2 * queued_entries::overhead);
  auto const* first = queue.front(start);
  REQUIRE(first);
  CHECK(first->id == 2);
  CHECK(first->kind == message_kind::binary);
  CHECK(first->key == message_key(17));
  CHECK(as_text(first->data) == "b");
  CHECK(*push(queue, "c") > 4);
  CHECK(queue.remove(2));
  first = queue.front(start);
  REQUIRE(first);
  CHECK(first->id == 4);
  CHECK(first->kind == message_kind::text);
  CHECK(!first->key);
  CHECK(as_text(first->data) == std::string(200'000, 'x'));
  CHECK(where.files() == 1);
}

TEST_CASE("journal queue: the order outlives replacements, restarts and rewrites",
          "[endpoint][journal]") {
  folder where;
  offline_queue_limits const limits{.max_messages = 4, .overflow = overflow_rule::replace_by_key};
  {
    auto queue = open(where, limits);
    for (std::uint64_t key = 1; key <= 4; ++key) push(queue, "old", key);
    push(queue, "b", 2);
    push(queue, "a", 1);
    push(queue, "c", 2);
    CHECK(losses(queue) == "2:old replaced 1:old replaced 5:b replaced ");
  }
  for (int life = 0; life < 3; ++life) {
    auto queue = open(where, limits);
    CHECK(!queue.dropped());
    CHECK(queue.size().messages == 4);
    CHECK(queued_in(where) == "6:a 7:c 3:old 4:old ");
  }
  {
    auto queue = open(where, limits);
    auto const id = push(queue, "d", 3);
    CHECK(*id == 4 * per_file + 1);
    CHECK(losses(queue) == "3:old replaced ");
    push(queue, "e");
    CHECK(losses(queue) == "6:a overflow ");
  }
  auto queue = open(where, limits);
  CHECK(queue.size().messages == 4);
  CHECK(all(queue) == "7:c " + std::to_string(4 * per_file + 1) + ":d 4:old " +
                          std::to_string(4 * per_file + 2) + ":e ");
}

TEST_CASE("journal queue: ids never come again", "[endpoint][journal]") {
  folder where;
  std::uint64_t last = 0;
  auto const more = [&](fast_queue& queue, int count) {
    for (int i = 0; i < count; ++i) {
      auto const id = push(queue, "x");
      REQUIRE(id);
      REQUIRE(*id > last);
      last = *id;
      REQUIRE(queue.remove(last));
    }
  };
  SECTION("with nothing left in the file") {
    for (int life = 0; life < 5; ++life) {
      auto queue = open(where);
      more(queue, 3);
    }
  }
  SECTION("with all that was in the file lost") {
    for (int life = 0; life < 5; ++life) {
      {
        auto queue = open(where);
        more(queue, 3);
      }
      std::filesystem::resize_file(where.file(), journal_header::size);
    }
  }
  SECTION("with more of them than one file may give out") {
    {
      auto queue = open(where);
      more(queue, 2 * static_cast<int>(per_file) + 10);
      CHECK(last == 2 * per_file + 10);
    }
    std::filesystem::resize_file(where.file(), journal_header::size);
    auto queue = open(where);
    more(queue, 1);
  }
  SECTION("with more of them used up by writes that failed than one file may give out") {
    {
      auto queue = open(where);
      faulty_file::now().room = 0;
      for (std::uint64_t i = 0; i < per_file; ++i) REQUIRE(!push(queue, "x"));
      CHECK(push(queue, "x").error() == errc::journal_io);
      faulty_file::now() = {};
      more(queue, 1);
      CHECK(last == per_file + 1);
    }
    std::filesystem::resize_file(where.file(), journal_header::size);
    auto queue = open(where);
    more(queue, 1);
  }
  SECTION("with no file that says how many there were") {
    auto const id = open(where).queue_id();
    std::filesystem::remove(where.file());
    CHECK(open(where).queue_id() != id);
  }
}

TEST_CASE("journal queue: messages age while nothing runs", "[endpoint][journal]") {
  folder where;
  journal_options options{{.max_age = 60s}, where.stem(), false, [] { return wall; }};
  wall = std::chrono::system_clock::time_point(1'000'000s);
  auto const day = start + 24h;  // the steady clock's, which begins elsewhere each time
  {
    fast_queue queue(options);
    push(queue, "a", {}, day);
    wall += 10s;
    push(queue, "b", {}, day + 10s);
  }
  wall += 45s;
  {
    fast_queue queue(options);
    CHECK(queue.front(start)->id == 1);
    CHECK(queue.front(start + 4999ms)->id == 1);
    CHECK(queue.front(start + 5s)->id == 2);
    CHECK(losses(queue) == "1:a expired ");
    push(queue, "c", {}, start + 5s);
  }
  SECTION("what has expired stays away, and the rest doesn't age while the clock is behind") {
    wall -= 1h;
    fast_queue queue(options);
    CHECK(queue.size().messages == 2);
    CHECK(queue.front(start)->id == 2);
    CHECK(queue.front(start + 1h + 14s)->id == 2);
    CHECK(queue.front(start + 1h + 15s)->id == per_file + 1);
    CHECK(!queue.front(start + 1h + 60s));
  }
  SECTION("what is too old when it is found is told") {
    wall += 1h;
    fast_queue queue(options);
    CHECK(queue.size().messages == 2);
    CHECK(!queue.front(start));
    CHECK(losses(queue) == "2:b expired " + std::to_string(per_file + 1) + ":c expired ");
    CHECK(queued_in(where).empty());
  }
  SECTION("the time that a machine sleeps, which the steady clock leaves out, doesn't count") {
    options.sync = true;
    {
      fast_queue queue(options);
      drain(queue);
      CHECK(*push(queue, "d", {}, start) == 2 * per_file + 1);
      wall += 1h;
      faulty_file::now() = {.failing = 1};  // the sync, so that all is written anew
      CHECK(!push(queue, "lost", {}, start));
      faulty_file::now() = {};
      CHECK(push(queue, "e", {}, start + 1s));
    }
    wall += 58s;
    fast_queue queue(options);
    CHECK(queue.front(start)->id == 2 * per_file + 1);
    CHECK(queue.front(start + 999ms)->id == 2 * per_file + 1);
    CHECK(queue.front(start + 1s)->id == 2 * per_file + 3);
  }
  SECTION("a clock before all time") {
    wall = std::chrono::system_clock::time_point(-1h);
    CHECK(fast_queue(options).front(start)->id == 2);
    wall = std::chrono::system_clock::time_point(1'000'000s + 69s);  // and then it is right
    fast_queue queue(options);
    CHECK(queue.front(start)->id == 2);
    CHECK(queue.front(start + 1s)->id == per_file + 1);
  }
}

TEST_CASE("journal queue: limits that were lowered lose nothing", "[endpoint][journal]") {
  folder where;
  {
    auto queue = open(where);
    for (auto const* text : {"a", "b", "c", "d"}) push(queue, text);
  }
  {
    auto queue = open(where, {.max_messages = 2});
    CHECK(queue.size().messages == 4);
    CHECK(push(queue, "e").error() == errc::offline_queue_full);
  }
  auto queue = open(where, {.max_messages = 2, .overflow = overflow_rule::drop_oldest});
  CHECK(queue.size().messages == 4);
  CHECK(push(queue, "e"));
  CHECK(losses(queue) == "1:a overflow 2:b overflow 3:c overflow ");
}

// -- files that a crash or a disk has left behind --------------------------------------------------

namespace {

// A file of several records, and what is queued after each of them.
struct history {
  std::string file;
  std::map<std::size_t, std::string> states;  // by the size of the file

  std::string const& at(std::size_t size) const {
    return std::prev(states.upper_bound(size))->second;
  }
  bool boundary(std::size_t size) const { return states.contains(size); }
};

history make_history() {
  folder where;
  history made;
  auto queue = open(where, {.max_age = 0s});
  auto const note = [&] {
    made.file = contents(where.file());
    made.states[made.file.size()] = queued_in(where);
  };
  note();
  int step = 0;
  for (auto const* text : {"first", "", "a third message, a little longer", "x", "last"}) {
    REQUIRE(queue.push(step % 2 ? message_kind::text : message_kind::binary, as_bytes(text),
                       step == 3 ? message_key(7) : message_key(), start));
    note();
    if (++step % 2 == 0) {
      REQUIRE(queue.remove(static_cast<std::uint64_t>(step - 1)));
      note();
    }
  }
  return made;
}

}  // namespace

TEST_CASE("journal queue: a file cut anywhere loses what was not written, and no more",
          "[endpoint][journal]") {
  history const past = make_history();
  REQUIRE(past.states.size() == 8);
  folder where;
  for (std::size_t cut = 0; cut <= past.file.size(); ++cut) {
    CAPTURE(cut);
    fill(where.file(), std::string_view(past.file).substr(0, cut));
    {
      auto queue = open(where, {.max_age = 0s});
      REQUIRE(!queue.error());
      auto const& report = queue.report();
      if (cut < journal_header::size) {
        REQUIRE(report.replaced == (cut > 0));
        REQUIRE(report.bytes_cut == cut);
      } else {
        bool const whole = past.boundary(cut);
        REQUIRE(!report.replaced);
        REQUIRE(report.tail == (whole ? journal_tail::whole : journal_tail::torn));
        REQUIRE(report.bytes_cut == cut - std::prev(past.states.upper_bound(cut))->first);
      }
      REQUIRE(report.messages == queue.size().messages);
      REQUIRE(push(queue, "new"));
    }
    // What is behind is whole again.
    journal_report report;
    auto const queued = queued_in(where, &report);
    std::string const before = cut < journal_header::size ? "" : past.at(cut);
    REQUIRE(queued.starts_with(before));
    REQUIRE(queued.substr(before.size()).ends_with(":new "));
    REQUIRE(std::ranges::count(queued, ':') == std::ranges::count(before, ':') + 1);
    REQUIRE(report.tail == journal_tail::whole);
  }
}

TEST_CASE("journal queue: a file cut inside a push that replaces keeps the old or both",
          "[endpoint][journal]") {
  folder where;
  offline_queue_limits const limits{.max_messages = 2, .overflow = overflow_rule::replace_by_key};
  {
    auto queue = open(where, limits);
    push(queue, "a", 1);
    push(queue, "b", 2);
  }
  auto const before = std::filesystem::file_size(where.file());
  {
    auto queue = open(where, limits);
    CHECK(std::filesystem::file_size(where.file()) == before);
    push(queue, "c", 1);
  }
  std::string const file = contents(where.file());
  std::string const added = std::to_string(per_file + 1) + ":c ";
  for (std::size_t cut = before; cut <= file.size(); ++cut) {
    CAPTURE(cut);
    fill(where.file(), std::string_view(file).substr(0, cut));
    std::string const expected = cut == file.size()                         ? added + "2:b "
                                 : cut > before + journal_record::head_size ? added + "1:a 2:b "
                                                                            : "1:a 2:b ";
    REQUIRE(queued_in(where) == expected);
  }
}

TEST_CASE("journal queue: any bit that flips is noticed", "[endpoint][journal]") {
  history const past = make_history();
  folder where;
  std::string const aside = where.file() + ".corrupt";
  for (std::size_t at = 0; at < past.file.size(); ++at) {
    for (unsigned bit = 0; bit < 9; ++bit) {
      CAPTURE(at, bit);
      std::string file = past.file;
      file[at] = static_cast<char>(file[at] ^ static_cast<char>(bit == 8 ? 0xff : 1 << bit));
      fill(where.file(), file);
      std::filesystem::remove(aside);
      auto queue = open(where, {.max_age = 0s});
      if (at < journal_header::magic.size()) {
        REQUIRE(queue.error() == errc::journal_corrupt);
        REQUIRE(push(queue, "x").error() == errc::journal_corrupt);
        REQUIRE(contents(where.file()) == file);
        REQUIRE(queue.queue_id().empty());
        continue;
      }
      REQUIRE(!queue.error());
      REQUIRE(queue.report().tail != journal_tail::whole);
      REQUIRE(queue.report().replaced == (at < journal_header::size));
      std::string const expected = at < journal_header::size ? "" : past.at(at);
      REQUIRE(all(queue) == expected);
      // What was in a file that no crash makes may be worth a look.
      REQUIRE(queue.report().tail == journal_tail::corrupt);
      REQUIRE(contents(aside) == file);
    }
  }
}

TEST_CASE("journal queue: zeros behind the end are what a crash leaves", "[endpoint][journal]") {
  history const past = make_history();
  folder where;
  for (std::size_t const zeros : {1u, 47u, 48u, 100u, 70'000u, 200'000u}) {
    CAPTURE(zeros);
    fill(where.file(), past.file + std::string(zeros, '\0'));
    auto queue = open(where, {.max_age = 0s});
    CHECK(queue.report().tail == journal_tail::torn);
    CHECK(queue.report().bytes_cut == zeros);
    CHECK(all(queue) == past.at(past.file.size()));
    CHECK(where.files() == 1);
  }
  fill(where.file(), past.file + std::string(140'000, '\0') + "x");
  CHECK(open(where).report().tail == journal_tail::corrupt);
}

TEST_CASE("journal queue: records of an older file, or of another place, are none",
          "[endpoint][journal]") {
  folder where;
  {
    CHECK(push(*std::make_unique<fast_queue>(open(where)), "one"));
  }
  std::string const older = contents(where.file()).substr(journal_header::size);
  {
    auto queue = open(where);
    queue.remove(1);
  }
  {
    auto queue = open(where);
  }
  std::string const empty = contents(where.file());
  REQUIRE(empty.size() == journal_header::size);
  fill(where.file(), empty + older);
  CHECK(queued_in(where).empty());

  {
    auto queue = open(where);
    push(queue, "two");
  }
  std::string const one = contents(where.file());
  std::string const record = one.substr(journal_header::size);
  fill(where.file(), one + record);
  journal_report report;
  CHECK(queued_in(where, &report).ends_with(":two "));
  CHECK(report.bytes_cut == record.size());
  CHECK(report.tail == journal_tail::corrupt);

  {
    auto queue = open(where);
    push(queue, "3");
    push(queue, "4");
  }
  std::string file = contents(where.file());
  file.erase(file.size() - 2 * (journal_record::head_size + 1), journal_record::head_size + 1);
  fill(where.file(), file);
  CHECK(queued_in(where, &report).ends_with(":two "));
  CHECK(report.bytes_cut == journal_record::head_size + 1);
}

TEST_CASE("journal queue: what makes no sense is the end, though its sums are right",
          "[endpoint][journal]") {
  folder where;
  journal_header header{{}, 100};
  std::string file(journal_header::size, '\0');
  header.write(reinterpret_cast<std::byte*>(file.data()));
  auto const add = [&](journal_record record, std::string_view data) {
    std::array<std::byte, journal_record::head_size> head;
    record.write(head.data(), as_bytes(data), journal_record::seed(header, file.size()));
    file += std::string(as_text(head)) + std::string(data);
  };
  using act = journal_record::act;
  add({.what = act::add, .id = 5, .before = 9}, "five");
  add({.what = act::remove, .id = 6}, "");
  add({.what = act::add, .id = 7, .before = 5, .wall = ~std::uint64_t{}}, "seven");
  std::size_t const good = file.size();

  SECTION("an id that is not after the one before") { add({.what = act::add, .id = 7}, "7"); }
  SECTION("an id of none") { add({.what = act::add, .id = 0}, "0"); }
  SECTION("an id after all that may be given out") {
    add({.what = act::add, .id = 101 + per_file}, "x");
  }
  SECTION("something unknown") { add({.what = act{3}, .id = 8}, ""); }
  SECTION("a removal with data") { add({.what = act::remove, .id = 7}, "x"); }

  fill(where.file(), file);
  auto queue = open(where, {.max_age = 0s});
  CHECK(queue.report().tail == journal_tail::corrupt);
  CHECK(queue.report().bytes_cut == file.size() - good);
  CHECK(*push(queue, "x") == 101 + per_file);
  CHECK(all(queue).starts_with("7:seven 5:five "));
}

TEST_CASE("journal queue: files that are none of ours are left alone", "[endpoint][journal]") {
  folder where;
  std::string foreign = "#!/bin/sh\necho this is no journal, and longer than a header is\n";
  SECTION("something else") {}
  SECTION("something short") { foreign = "hi"; }
  SECTION("a newer version") {
    {
      auto queue = open(where);
    }
    foreign = contents(where.file());
    foreign[11] = 2;
    auto* const bytes = reinterpret_cast<std::byte*>(foreign.data());
    codec::store_big(bytes + 44, codec::crc32c({bytes, 44}));
  }
  SECTION("a mark that leaves no ids") {
    foreign.assign(journal_header::size, '\0');
    journal_header{{}, ~std::uint64_t{} - per_file}.write(
        reinterpret_cast<std::byte*>(foreign.data()));
  }
  fill(where.file(), foreign);
  auto queue = open(where);
  CHECK(queue.error() == errc::journal_corrupt);
  CHECK(push(queue, "x").error() == errc::journal_corrupt);
  CHECK(!queue.front(start));
  CHECK(!queue.remove(1));
  CHECK(!queue.dropped());
  CHECK(contents(where.file()) == foreign);
  CHECK(where.files() == 1);
}

TEST_CASE("journal queue: what can't be a file is refused", "[endpoint][journal]") {
  folder where;
  CHECK(journal_queue(journal_options{}).error() == errc::bad_argument);
  journal_queue nowhere(journal_options{.path = where.stem() + "/not/there"});
  CHECK(nowhere.error() == errc::journal_io);
  CHECK(nowhere.cause() == std::errc::no_such_file_or_directory);
  CHECK(push(nowhere, "x").error() == errc::journal_io);
  std::filesystem::create_directory(where.file());
  auto folder_there = open<journal_queue>(where);
  CHECK(folder_there.error());
  CHECK(push(folder_there, "x").error() == folder_there.error());
  REQUIRE(::mkfifo((where.stem() + "-pipe.journal").c_str(), 0600) == 0);
  CHECK(journal_queue({{}, where.stem()}, "pipe").error() == errc::journal_corrupt);
  journal_queue endless({{}, where.stem()}, std::string(300, 'x'));
  CHECK(endless.error() == errc::journal_io);
}

TEST_CASE("journal queue: a program may go to another directory", "[endpoint][journal]") {
  folder where;
  auto const before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(where.file()).parent_path());
  fast_queue queue(journal_options{.path = "out"});
  CHECK(!queue.error());
  CHECK(std::filesystem::equivalent(queue.path(), where.file()));
  std::filesystem::current_path(before);
  for (int i = 0; i < 40; ++i) queue.remove(*push(queue, std::string(3'000, 'x')));
  CHECK(std::filesystem::file_size(where.file()) < 70'000);
  CHECK(push(queue, "kept"));
  CHECK(where.files() == 1);
}

TEST_CASE("journal queue: a file larger than any that these limits make isn't read",
          "[endpoint][journal]") {
  folder where;
  {
    auto queue = open(where);
  }
  fill(where.file(), contents(where.file()) + std::string(journal_record::head_size, 'x'));
  std::filesystem::resize_file(where.file(), (std::uint64_t{1} << 30) + 1);
  CHECK(open(where).error() == errc::journal_corrupt);
  CHECK(!open(where, {.max_bytes = std::size_t{1} << 29}).error());
}

TEST_CASE("journal queue: each name has a file of its own", "[endpoint][journal]") {
  CHECK(journal_path("dir/out", "") == "dir/out.journal");
  CHECK(journal_path("dir/out", "/") == "dir/out-%2f.journal");
  CHECK(journal_path("o", "/Chat_2-%.\xff") == "o-%2f%43hat_2-%25%2e%ff.journal");
  folder where;
  journal_options const options{.path = where.stem()};
  fast_queue one(options, "/a"), two(options, "/A"), none(options);
  CHECK(!one.error());
  CHECK(!two.error());
  CHECK(!none.error());
  CHECK(where.files() == 3);
  CHECK(one.queue_id() != two.queue_id());
  CHECK(none.path() == where.file());
}

// -- one file, one queue ---------------------------------------------------------------------------

TEST_CASE("journal queue: two can't have one file", "[endpoint][journal]") {
  folder where;
  auto first = std::make_unique<journal_queue>(open<journal_queue>(where));
  push(*first, "a");
  auto second = open<journal_queue>(where);
  CHECK(second.error() == errc::journal_locked);
  CHECK(push(second, "x").error() == errc::journal_locked);
  CHECK(!second.front(start));

  pid_t const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(open<journal_queue>(where).error() == errc::journal_locked ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);

  // Not even after the file was put in the place of the one that was opened, and not by a move.
  journal_queue moved(std::move(*first));
  first.reset();
  CHECK(open<journal_queue>(where).error() == errc::journal_locked);
  CHECK(push(moved, "b"));
  moved = journal_queue(journal_options{});
  auto const later = open<journal_queue>(where);
  CHECK(!later.error());
  CHECK(later.report().messages == 2);
}

TEST_CASE("journal queue: many that open one file have it one after the other",
          "[endpoint][journal]") {
  folder where;
  std::string const taken = where.stem() + ".taken";
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    // Opening puts a new file over the one that others may be about to lock.
    for (int got = 0; got < 100;) {
      auto queue = open<journal_queue>(where, {.max_messages = 1'000, .max_age = 0s});
      if (queue.error() == errc::journal_locked) continue;
      int const mark = ::open(taken.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (queue.error() || mark < 0 || !push(queue, "x")) ::_exit(1);
      ::close(mark);
      ::unlink(taken.c_str());
      ++got;
    }
    ::_exit(0);
  }
  for (pid_t const child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(open<journal_queue>(where).report().messages == 300);
}

// -- a disk that fails -----------------------------------------------------------------------------

TEST_CASE("journal queue: a write that fails anywhere leaves nothing behind",
          "[endpoint][journal]") {
  folder where;
  auto queue = open(where);
  push(queue, "a");
  auto const size = std::filesystem::file_size(where.file());
  std::uint64_t const record = journal_record::head_size + 4;
  std::string expected = "1:a ";
  for (std::uint64_t room = 0; room < record; ++room) {
    CAPTURE(room);
    faulty_file::now().room = room;
    REQUIRE(push(queue, "lost").error() == errc::journal_io);
    REQUIRE(queue.cause() == std::errc::no_space_on_device);
    REQUIRE(!queue.error());
    REQUIRE(std::filesystem::file_size(where.file()) == size);
    REQUIRE(queue.size().messages == 1);
    REQUIRE(queued_in(where) == expected);
  }
  faulty_file::now() = {};
  REQUIRE(*push(queue, "kept") == 2 + record);
  CHECK(queued_in(where) == "1:a 54:kept ");
}

TEST_CASE("journal queue: a file that reaches the limit of the system", "[endpoint][journal]") {
  folder where;
  auto queue = open<journal_queue>(where);
  push(queue, "a");
  auto const size = std::filesystem::file_size(where.file());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const now{size + 20, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  auto const refused = push(queue, "lost");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(refused.error() == errc::journal_io);
  CHECK(queue.cause() == std::errc::file_too_large);
  CHECK(std::filesystem::file_size(where.file()) == size);
  CHECK(push(queue, "b"));
  CHECK(queued_in(where) == "1:a 3:b ");
}

TEST_CASE("journal queue: sync is done before a message counts, or it doesn't",
          "[endpoint][journal]") {
  folder where;
  auto queue = open(where, {}, true);
  CHECK(push(queue, "a"));
  auto& plan = faulty_file::now();
  plan = {};
  CHECK(push(queue, "b"));
  CHECK(plan.calls == 2);
  CHECK(plan.syncs == 1);
  plan = {.failing = 1};  // the sync
  CHECK(push(queue, "c").error() == errc::journal_io);
  CHECK(queue.error() == errc::journal_io);
  CHECK(queued_in(where) == "1:a 2:b ");
  // The file isn't trusted any more.
  plan = {};
  CHECK(push(queue, "d"));
  CHECK(!queue.error());
  CHECK(plan.syncs == 2);
  CHECK(queued_in(where) == "1:a 2:b 4:d ");

  auto const lazy = std::make_unique<fast_queue>(journal_options{{}, where.stem()}, "lazy");
  plan = {};
  CHECK(push(*lazy, "a"));
  CHECK(plan.syncs == 0);
}

TEST_CASE("journal queue: a rewrite stopped or failing anywhere loses nothing",
          "[endpoint][journal]") {
  bool const for_good = GENERATE(true, false);
  std::size_t const partial = GENERATE(0u, 10u, 60u, 10'000u);
  CAPTURE(for_good, partial);
  auto& plan = faulty_file::now();
  int steps = 0;
  for (bool done = false; !done; ++steps) {
    CAPTURE(steps);
    REQUIRE(steps < 50);
    folder where;
    offline_queue_limits const limits{.max_age = 0s};
    std::string expected;
    {
      auto queue = open(where, limits);
      // More that is dead than not, until the next push has to rewrite.
      for (int i = 0; i < 40; ++i) push(queue, std::string(3'000, 'x'));
      for (std::uint64_t id = 1; id <= 38; ++id) queue.remove(id);
      expected = "39:" + std::string(3'000, 'x') + " 40:" + std::string(3'000, 'x') + " ";
      auto const before = std::filesystem::file_size(where.file());
      plan = {.failing = steps, .for_good = for_good, .partial = partial};
      auto const pushed = push(queue, "new");
      done = plan.calls <= steps;
      if (done) REQUIRE(std::filesystem::file_size(where.file()) < before / 2);
      if (!for_good) REQUIRE(where.files() == 1);
      if (pushed) expected += "41:new ";
      if (!for_good) {
        plan = {};
        auto const next = push(queue, "next");
        REQUIRE(next);
        expected += std::to_string(*next) + ":next ";
      }
      plan = {.failing = 0, .for_good = true};  // nothing that follows happens
    }
    plan = {};
    {
      auto queue = open(where, limits);
      REQUIRE(!queue.error());
      auto text = all(queue);
      // The write that was stopped may have been complete.
      if (for_good && text == expected + "41:new ") text = expected;
      REQUIRE(text == expected);
      auto const id = push(queue, "x");
      REQUIRE(id);
      REQUIRE(*id > 42);
    }
    REQUIRE(where.files() == 1);
  }
  CHECK(steps >= 6);
}

TEST_CASE("journal queue: an opening stopped or failing anywhere loses nothing",
          "[endpoint][journal]") {
  bool const for_good = GENERATE(true, false);
  CAPTURE(for_good);
  history const past = make_history();
  for (auto const& file : {past.file, past.file + "torn", past.file + std::string(48, 'x')}) {
    auto& plan = faulty_file::now();
    for (int step = 0;; ++step) {
      CAPTURE(step, file.size());
      REQUIRE(step < 50);
      folder where;
      fill(where.file(), file);
      std::string const expected = past.at(past.file.size());
      plan = {.failing = step, .for_good = for_good, .partial = 20};
      bool done = false;
      {
        auto queue = open(where, {.max_age = 0s});
        done = plan.calls <= step;
        auto const error = queue.error();
        REQUIRE((!error || error == errc::journal_io || error == errc::journal_corrupt));
        if (!for_good) {
          auto const pushed = push(queue, "next");
          plan = {.failing = 0, .for_good = true};
          if (pushed) REQUIRE(all(queue) == expected + std::to_string(*pushed) + ":next ");
        }
      }
      plan = {};
      auto queue = open(where, {.max_age = 0s});
      REQUIRE(!queue.error());
      auto const text = all(queue);
      REQUIRE(text.starts_with(expected));
      REQUIRE((text == expected || (!for_good && text.ends_with(":next "))));
      if (done) break;
    }
  }
}

TEST_CASE("journal queue: what can't be read to its end is left alone", "[endpoint][journal]") {
  folder where;
  {
    auto queue = open(where);
    for (int i = 0; i < 100; ++i) push(queue, std::string(2'000, 'x'));
  }
  std::string const file = contents(where.file());
  faulty_file::now() = {.failing = 4};  // after the opening, the size, the header and a part
  auto queue = open(where);
  CHECK(queue.error() == errc::journal_io);
  CHECK(queue.cause() == std::errc::io_error);
  CHECK(queue.size().messages == 0);
  CHECK(queue.report().messages == 0);
  CHECK(push(queue, "x").error() == errc::journal_io);
  CHECK(contents(where.file()) == file);
  CHECK(open(where).report().messages == 100);
}

TEST_CASE("journal queue: an opening that could not write is made up for", "[endpoint][journal]") {
  folder where;
  {
    auto queue = open(where);
    push(queue, "a");
    push(queue, "b");
  }
  auto& plan = faulty_file::now();
  plan = {.room = 0};
  auto queue = open(where);
  CHECK(queue.error() == errc::journal_io);
  CHECK(queue.report().messages == 2);
  CHECK(push(queue, "x").error() == errc::journal_io);
  CHECK(queue.front(start)->id == 1);  // can be sent all the same
  CHECK(queue.remove(1));
  CHECK(queued_in(where) == "1:a 2:b ");
  plan = {};
  CHECK(push(queue, "c"));
  CHECK(!queue.error());
  CHECK(queued_in(where) == "2:b " + std::to_string(per_file + 1) + ":c ");
}

TEST_CASE("journal queue: the file stays small, and nothing else stays", "[endpoint][journal]") {
  folder where;
  offline_queue_limits const limits{.max_bytes = 100'000, .overflow = overflow_rule::drop_oldest};
  std::uint64_t state = 1;
  std::uintmax_t largest = 0;
  {
    auto queue = open(where, limits);
    for (int i = 0; i < 3'000; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      REQUIRE(push(queue, std::string((state >> 33) % 3'000, 'x')));
      if (state % 3 == 0) queue.remove(queue.front(start)->id);
      largest = std::max(largest, std::filesystem::file_size(where.file()));
    }
    CHECK(largest < 300'000);
    // Without rewrites it grows, but not for ever.
    auto& plan = faulty_file::now();
    std::filesystem::create_directory(where.file() + ".new");
    int accepted = 0;
    plan.calls = 0;
    while (push(queue, std::string(3'000, 'x'))) REQUIRE(++accepted < 1'000);
    CHECK(plan.calls < accepted + accepted / 4);  // it isn't tried again each time
    CHECK(std::filesystem::file_size(where.file()) <= 400'000);
    CHECK(accepted > 10);
    std::filesystem::remove(where.file() + ".new");
    CHECK(push(queue, std::string(3'000, 'x')));
    CHECK(std::filesystem::file_size(where.file()) < 110'000);
    plan = {};
  }
  CHECK(where.files() == 1);
}

// -- a program that is killed ----------------------------------------------------------------------

TEST_CASE("journal queue: what a killed program was told it had accepted is there",
          "[endpoint][journal]") {
  folder where;
  struct told {
    std::uint64_t id;
    std::uint64_t removed;  // by then, and before the push of the next one
  };
  offline_queue_limits const limits{.max_messages = 100'000, .max_bytes = 1 << 26, .max_age = 0s};
  std::uint64_t state = 7;
  std::uint64_t last = 0;
  for (int life = 0; life < 30; ++life) {
    CAPTURE(life);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      journal_queue queue({limits, where.stem()});
      std::uint64_t removed = 0;
      for (std::uint64_t number = 0;; ++number) {
        auto const id = push(queue, std::to_string(number) + std::string(number * 37 % 3'000, 'x'));
        if (!id) ::_exit(1);
        if (number % 5 != 0) queue.remove(removed = *id);
        told const now{*id, removed};
        if (::write(ends[1], &now, sizeof now) != sizeof now) ::_exit(2);
      }
    }
    ::close(ends[1]);
    // Killed after so many answers, and whatever else it did meanwhile.
    state = state * 6364136223846793005u + 1442695040888963407u;
    auto const answers = (state >> 33) % 200;
    std::vector<told> heard;
    for (told one{}; heard.size() < answers && ::read(ends[0], &one, sizeof one) == sizeof one;) {
      heard.push_back(one);
    }
    ::kill(child, SIGKILL);
    for (told one{}; ::read(ends[0], &one, sizeof one) == sizeof one;) heard.push_back(one);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    auto queue = open<journal_queue>(where, limits);
    REQUIRE(!queue.error());
    REQUIRE(queue.report().tail != journal_tail::corrupt);
    std::map<std::uint64_t, std::string> found;
    while (auto const* first = queue.front(start)) {
      found[first->id] = as_text(first->data);
      queue.remove(first->id);
    }
    for (std::size_t i = 0; i < heard.size(); ++i) {
      REQUIRE(heard[i].id > last);
      last = heard[i].id;
      if (heard[i].removed == heard[i].id) {
        REQUIRE(!found.contains(last));
      } else {
        REQUIRE(found[last] == std::to_string(i) + std::string(i * 37 % 3'000, 'x'));
      }
    }
    // What nobody has heard of, if it was written just before the end.
    for (auto const& [id, text] : found) REQUIRE(id <= last + 1);
    if (!found.empty()) last = std::max(last, found.rbegin()->first);
  }
}

// -- a machine that is ---------------------------------------------------------------------------

TEST_CASE("journal queue: with sync, what was accepted is on the disk by then",
          "[endpoint][journal]") {
  folder where, after;
  auto& plan = faulty_file::now();
  std::string expected;
  std::uint64_t oldest = 1;
  auto queue = open(where, {.max_age = 0s}, true);
  for (int i = 0; i < 300; ++i) {
    // Now and then some call fails: the disk is never behind what the caller was told.
    plan.calls = 0;
    plan.failing = i % 7 == 0 ? i / 7 % 6 : -1;
    std::string const text = std::to_string(i) + std::string(1'000, 'x');
    auto const id = push(queue, text);
    plan.failing = -1;
    auto const on_disk = plan.after_crash(where.file());
    if (id) {
      expected += std::to_string(*id) + ":" + text + " ";
    }
    fill(after.file(), on_disk);
    {
      journal_queue found(journal_options{{.max_age = 0s}, after.stem()});
      REQUIRE(!found.error());
      REQUIRE(found.queue_id() == queue.queue_id());
      auto const all_found = all(found);
      CAPTURE(i, all_found.size(), expected.size());
      REQUIRE(all_found.ends_with(expected));
      // Nobody gets an id once more that this queue has given out.
      if (id) REQUIRE(*push(found, "x") > *id);
    }
    if (i % 10 != 9) continue;
    for (auto const* first = queue.front(start); first && first->id < oldest + 9;) {
      queue.remove(first->id);
      expected.erase(0, expected.find(' ') + 1);
      first = queue.front(start);
    }
    oldest += 10;
  }
}

TEST_CASE("journal queue: without sync, a crash of the machine gives no id away again",
          "[endpoint][journal]") {
  folder where;
  auto& plan = faulty_file::now();
  std::uint64_t last = 0;
  std::string name;
  for (int life = 0; life < 3; ++life) {
    {
      auto queue = open(where);
      REQUIRE(!queue.error());
      REQUIRE((name.empty() || queue.queue_id() == name));
      name = queue.queue_id();
      for (int i = 0; i < 70'000; ++i) {
        auto const id = push(queue, "x");
        REQUIRE(id);
        if (*id <= last) FAIL("an id came again");
        last = *id;
        queue.remove(last);
      }
    }
    fill(where.file(), plan.after_crash(where.file()));
  }
}
