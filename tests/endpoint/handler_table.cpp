// Handlers by name: what adding and removing does, also from inside.
#include <hawser/endpoint/handler_table.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using hawser::event_call;
using hawser::event_handler;
using hawser::handler_table;

namespace {

struct nobody final : hawser::endpoint_host {
  void answered(hawser::answer_route) override {}
};

/// A table, and a list of who was called.
struct tried {
  handler_table table;
  std::vector<std::string> called;
  nobody host;
  hawser::anchor* at = new hawser::anchor(host);

  ~tried() { at->release(); }

  event_handler says(std::string what) {
    return [this, what = std::move(what)](event_call&) { called.push_back(what); };
  }
  bool call(std::string_view name) {
    event_call what{*at, {}, {name, {}}, {}};
    return table.call(name, [&](event_handler& handler) { handler(what); });
  }
  std::vector<std::string> calls(std::string_view name) {
    called.clear();
    (void)call(name);
    return called;
  }
};
using names = std::vector<std::string>;

}  // namespace

TEST_CASE("handler table: handlers of an event are called in the order in which they came",
          "[endpoint][handler_table]") {
  tried at;
  CHECK(at.table.empty());
  CHECK_FALSE(at.call("a"));
  at.table.add("a", at.says("1"));
  at.table.add("b", at.says("other"));
  at.table.add("a", at.says("2"));
  at.table.add("", at.says("unnamed"));
  CHECK_FALSE(at.table.empty());
  CHECK(at.call("a"));
  CHECK(at.called == names{"1", "2"});
  CHECK(at.calls("") == names{"unnamed"});
  CHECK_FALSE(at.call("A"));
  CHECK_FALSE(at.call("a "));
}

TEST_CASE("handler table: those of once are called once, and are gone",
          "[endpoint][handler_table]") {
  tried at;
  at.table.add("a", at.says("once"), true);
  at.table.add("a", at.says("always"));
  CHECK(at.calls("a") == names{"once", "always"});
  CHECK(at.calls("a") == names{"always"});
  at.table.add("b", at.says("once"), true);
  CHECK(at.call("b"));
  CHECK_FALSE(at.call("b"));
}

TEST_CASE("handler table: removing answers whether there were any", "[endpoint][handler_table]") {
  tried at;
  CHECK_FALSE(at.table.remove("a"));
  at.table.add("a", at.says("1"));
  at.table.add("a", at.says("2"));
  at.table.add("b", at.says("3"));
  CHECK(at.table.remove("a"));
  CHECK_FALSE(at.table.remove("a"));
  CHECK_FALSE(at.call("a"));
  CHECK(at.calls("b") == names{"3"});
  at.table.remove_all();
  CHECK(at.table.empty());
  at.table.remove_all();
}

TEST_CASE("handler table: handlers that run may remove each other and themselves",
          "[endpoint][handler_table]") {
  tried at;
  auto const alive = std::make_shared<int>();
  at.table.add("a", [&at, alive](event_call&) {
    CHECK(at.table.remove("a"));
    CHECK_FALSE(at.table.remove("a"));
    CHECK(alive.use_count() == 2);  // what runs is kept
    at.called.push_back("1");
  });
  at.table.add("a", at.says("removed"));
  CHECK(at.calls("a") == names{"1"});
  CHECK(alive.use_count() == 1);
  CHECK(at.table.empty());

  at.table.add("a", at.says("1"));
  at.table.add("a", [&at](event_call&) { at.table.remove_all(); });
  at.table.add("a", at.says("removed"));
  at.table.add("b", at.says("removed"));
  CHECK(at.calls("a") == names{"1"});
  CHECK(at.table.empty());
}

TEST_CASE("handler table: what a running handler adds is called for the next event",
          "[endpoint][handler_table]") {
  tried at;
  at.table.add(
      "a",
      [&at](event_call&) {
        at.called.push_back("1");
        for (int i = 0; i < 100; ++i)
          at.table.add(i == 0 ? "a" : std::to_string(i), at.says("new"));
      },
      true);
  CHECK(at.calls("a") == names{"1"});
  CHECK(at.calls("a") == names{"new"});
  CHECK(at.calls("99") == names{"new"});

  // Removed and added again: the new one waits for its turn.
  at.table.add("x", [&at](event_call&) {
    at.table.remove("x");
    at.table.add("x", at.says("fresh"));
  });
  CHECK(at.calls("x").empty());
  CHECK(at.calls("x") == names{"fresh"});
}

TEST_CASE("handler table: an event inside a handler of the same event",
          "[endpoint][handler_table]") {
  tried at;
  int depth = 0;
  at.table.add(
      "a",
      [&](event_call&) {
        at.called.push_back("once " + std::to_string(depth));
        if (++depth < 3) (void)at.call("a");
      },
      true);
  at.table.add("a", at.says("always"));
  CHECK(at.calls("a") == names{"once 0", "always", "always"});
  CHECK(at.calls("a") == names{"always"});

  at.table.add("b", [&](event_call&) {
    if (++depth >= 6) return;
    (void)at.call("b");
    at.table.remove("b");  // under the feet of the outer ones
  });
  at.table.add("b", at.says("b"));
  depth = 3;
  CHECK(at.calls("b") == names{"b"});
  CHECK_FALSE(at.call("b"));
}

TEST_CASE("handler table: handlers go after the table is in order", "[endpoint][handler_table]") {
  struct adds_when_it_goes {
    tried* at;
    ~adds_when_it_goes() { at->table.add("late", at->says("late")); }
  };
  tried at;
  at.table.add("a", [kept = std::make_unique<adds_when_it_goes>(&at)](event_call&) {});
  CHECK(at.table.remove("a"));
  CHECK(at.calls("late") == names{"late"});
}
