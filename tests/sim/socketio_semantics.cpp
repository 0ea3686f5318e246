#include "sim/socketio_harness.hpp"

#include <algorithm>
#include <stdexcept>

using namespace sim;
using namespace std::string_literals;

namespace {

std::string id_of(hawser::socket const& s) { return std::string(s.id()); }

// What stands between two texts.
std::string between(std::string const& all, std::string const& before, std::string const& behind) {
  auto const at = all.find(before);
  if (at == std::string::npos) return {};
  auto const begin = at + before.size();
  return all.substr(begin, all.find(behind, begin) - begin);
}

}  // namespace

TEST_CASE("sim: each way to end a WebSocket session has its reason, told once",
          "[sim][socketio][semantics]") {
  struct way {
    std::string_view reason;
    std::function<void(hall&, io_peer&)> end;
  };
  way const ways[] = {
      {"transport close", [](hall&, io_peer& p) { p.shutdown(); }},
      {"transport close", [](hall&, io_peer& p) { p.send(goodbye()); }},
      {"transport close", [](hall&, io_peer& p) { p.say("1"); }},
      {"transport error", [](hall&, io_peer& p) { p.reset(); }},
      {"transport error", [](hall&, io_peer& p) { p.send(wire(3, "x")); }},
      {"transport error", [](hall&, io_peer& p) { p.say("2"); }},
      {"client namespace disconnect", [](hall&, io_peer& p) { p.say("41"); }},
      {"server namespace disconnect", [](hall& h, io_peer&) { (void)h.sockets[0].disconnect(); }},
      {"server namespace disconnect",
       [](hall& h, io_peer&) { (void)h.sockets[0].disconnect(true); }},
      {"server namespace disconnect", [](hall& h, io_peer&) { h.server->disconnect_sockets(); }},
      {"forced close", [](hall& h, io_peer&) { (void)h.sockets[0].close_connection(); }},
      {"forced close", [](hall&, io_peer& p) { p.say("42/other,[\"x\"]"); }},
      {"forced close", [](hall&, io_peer& p) { p.say("40"); }},
      {"forced close", [](hall&, io_peer& p) { p.say("41/other,"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("47"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("42{"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("42[\"connect\"]"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("42[]"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("42[{}]"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("41{}"); }},
      {"parse error", [](hall&, io_peer& p) { p.say("9"); }},
      {"parse error", [](hall&, io_peer& p) { p.say(""); }},
      {"parse error", [](hall&, io_peer& p) { p.say_binary("x"); }},
      {"parse error",
       [](hall&, io_peer& p) { p.say("451-[\"x\",{\"_placeholder\":true,\"num\":1}]"); }},
      {"parse error",
       [](hall&, io_peer& p) {
         p.say("451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
         p.say("42[\"x\"]");
       }},
      {"server shutting down", [](hall& h, io_peer&) { h.server->stop(); }},
      {"server shutting down", [](hall& h, io_peer&) { h.server->drain({.window = 1ms}); }},
      {"ping timeout", [](hall& h, io_peer&) { h.run(50s); }},
      {"forced server close",
       [](hall& h, io_peer& p) {
         h.server->on("throw", [] { throw std::runtime_error("x"); });
         p.say("42[\"throw\"]");
       }},
  };
  for (way const& one : ways) {
    INFO("reason " << one.reason << " number " << &one - ways);
    hall h;
    io_peer p(h), other(h);
    p.join();
    REQUIRE(h.connects == 1);
    one.end(h, p);
    h.run(100ms);
    CHECK(h.reasons == strings{std::string(one.reason)});
    CHECK(h.disconnecting == 1);
    CHECK(!h.sockets[0].connected());
    CHECK(h.sockets[0].emit("x") == errc::not_open);
    h.run(2min);
    CHECK(h.reasons.size() == 1);
    CHECK(h.counters().opened == h.counters().closed);
    CHECK(h.counters().objects == 0);
  }
}

TEST_CASE("sim: each way to end a polling session has its reason, told once",
          "[sim][socketio][semantics]") {
  struct way {
    std::string_view reason;
    std::function<void(hall&, polling_peer&)> end;
  };
  way const ways[] = {
      {"transport close", [](hall&, polling_peer& p) { CHECK(p.post("1") == 200); }},
      {"transport error", [](hall&, polling_peer& p) { CHECK(p.post("2") == 200); }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.poll();
         http_peer second(h);
         second.get(p.target());
         h.run();
         CHECK(second.answer().value_or(response{}).status == 400);
         CHECK(p.polled() == 200);
         CHECK(p.body == "1");
       }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.posts().send("POST " + p.target() +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n42");
         h.run();
         http_peer second(h);
         second.post(p.target(), "42[\"x\"]");
         h.run();
         CHECK(second.answer().value_or(response{}).status == 400);
       }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.posts().send("POST " + p.target() +
                        " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: 1\r\n\r\n3");
         h.run();
         CHECK(p.posts().answer().value_or(response{}).status == 400);
       }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.posts().send("POST " + p.target() +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
         h.run();
         CHECK(p.posts().answer().value_or(response{}).status == 413);
       }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.poll();
         p.polls().reset();
         h.run();
       }},
      {"transport error",
       [](hall& h, polling_peer& p) {
         p.posts().send("POST " + p.target() +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n42");
         h.run();
         p.posts().reset();
         h.run();
       }},
      {"client namespace disconnect",
       [](hall&, polling_peer& p) {
         CHECK(p.post("41\x1e"
                      "2") == 200);
       }},
      {"server namespace disconnect",
       [](hall& h, polling_peer&) { (void)h.sockets[0].disconnect(true); }},
      {"forced close", [](hall& h, polling_peer&) { (void)h.sockets[0].close_connection(); }},
      {"forced close", [](hall&, polling_peer& p) { CHECK(p.post("42/other,[\"x\"]") == 200); }},
      {"parse error", [](hall&, polling_peer& p) { CHECK(p.post("x") == 200); }},
      {"parse error", [](hall&, polling_peer& p) { CHECK(p.post("42[\"x\"]\x1e") == 200); }},
      {"parse error", [](hall&, polling_peer& p) { CHECK(p.post("b!!") == 200); }},
      {"parse error", [](hall&, polling_peer& p) { CHECK(p.post("\xff") == 200); }},
      {"server shutting down", [](hall& h, polling_peer&) { h.server->stop(); }},
      {"ping timeout", [](hall& h, polling_peer&) { h.run(50s); }},
  };
  for (way const& one : ways) {
    INFO("reason " << one.reason << " number " << &one - ways);
    hall h;
    polling_peer p(h);
    p.join();
    REQUIRE(h.connects == 1);
    one.end(h, p);
    h.run(100ms);
    CHECK(h.reasons == strings{std::string(one.reason)});
    CHECK(h.disconnecting == 1);
    h.run(2min);
    CHECK(h.reasons.size() == 1);
    CHECK(h.counters().opened == h.counters().closed);
    CHECK(h.counters().objects == 0);
  }
}

TEST_CASE("sim: rooms, unions and exceptions reach whom they name, once",
          "[sim][socketio][semantics]") {
  hall h;
  io_peer a(h), b(h), d(h);
  polling_peer c(h);
  a.join();
  b.join();
  c.join();
  d.join();
  auto const& s = h.sockets;
  CHECK(s[0].join("x"));
  CHECK(!s[0].join("x"));
  CHECK(s[0].join("y"));
  CHECK(s[1].join("y"));
  CHECK(s[2].join("x"));
  auto const reached = [&] {
    h.run();
    std::string who;
    auto const note = [&](char name, strings const& got) {
      who.append(count(got, "42[\"e\"]"), name);
    };
    note('a', a.packets());
    note('b', b.packets());
    note('c', c.packets());
    note('d', d.packets());
    return who;
  };
  auto const got = [&](std::size_t taken, std::string const& who) {
    CHECK(taken == who.size());
    CHECK(reached() == who);
  };
  (void)reached();
  got(h.server->emit("e"), "abcd");
  got(h.server->to("x").emit("e"), "ac");
  got(h.server->to("x").to("y").emit("e"), "abc");
  got(h.server->to("x").except("y").emit("e"), "c");
  got(h.server->except("x").emit("e"), "bd");
  got(h.server->except("x").except("y").emit("e"), "d");
  got(h.server->to("nobody").emit("e"), "");
  got(h.server->except("nobody").emit("e"), "abcd");
  got(h.server->to(s[3].id()).emit("e"), "d");
  got(h.server->to(s[3].id()).to("x").emit("e"), "acd");
  got(h.server->except(s[3].id()).emit("e"), "abc");
  got(h.server->all().except(s[0]).except(s[1]).emit("e"), "cd");
  got(s[0].to("x").emit("e"), "c");
  got(s[0].broadcast().emit("e"), "bcd");
  got(s[0].to("x").to("y").emit("e"), "bc");
  got(s[0].everybody().emit("e"), "abcd");
  got(s[0].except("y").emit("e"), "cd");
  got(h.server->room("y").emit("e"), "ab");
  got(h.server->room("y").except(s[0]).emit("e"), "b");
  auto const y = h.server->room("y");
  CHECK(y.size() == 2);
  h.server->to("x").sockets_leave("y");
  CHECK(y.size() == 1);
  got(y.emit("e"), "b");
  h.server->to("y").sockets_leave("y");
  CHECK(y.size() == 0);
  got(y.emit("e"), "");
  h.server->all().sockets_join({"y", "z"});
  got(y.emit("e"), "abcd");
  CHECK(h.server->to("z").size() == 4);
  // An operator is a value: what is derived from one leaves it as it is.
  auto const op = h.server->to("x");
  auto const more = op.to("y").except("z");
  got(op.emit("e"), "ac");
  got(more.emit("e"), "");
  // Its own id is a room that it may leave, and then isn't reached by it.
  CHECK(s[3].leave(s[3].id()));
  got(h.server->to(s[3].id()).emit("e"), "");
  auto rooms = s[0].rooms();
  std::sort(rooms.begin(), rooms.end());
  strings expected{id_of(s[0]), "x", "y", "z"};
  std::sort(expected.begin(), expected.end());
  CHECK(rooms == expected);
  h.server->to("x").disconnect_sockets();
  got(h.server->emit("e"), "bd");
  CHECK(h.reasons.size() == 2);
}

TEST_CASE("sim: room events come in order", "[sim][socketio][semantics]") {
  hall h;
  strings seen;
  h.server->on_room([&](hawser::room_event const& what) {
    static constexpr std::string_view names[] = {"create", "join", "leave", "remove"};
    bool const own = !h.sockets.empty() && what.room == h.sockets[0].id();
    seen.push_back(std::string(names[static_cast<std::size_t>(what.what)]) + " " +
                   (own || what.room.size() == 20 ? "id" : std::string(what.room)) +
                   (what.id.empty() ? "" : " by"));
  });
  io_peer a(h), b(h);
  a.join();
  CHECK(seen == strings{"create id", "join id by"});
  seen.clear();
  (void)h.sockets[0].join("x");
  (void)h.sockets[0].join("x");
  b.join();
  (void)h.sockets[1].join("x");
  CHECK(seen == strings{"create x", "join x by", "create id", "join id by", "join x by"});
  seen.clear();
  (void)h.sockets[1].leave("x");
  (void)h.sockets[1].leave("x");
  CHECK(seen == strings{"leave x by"});
  seen.clear();
  a.say("41");
  std::sort(seen.begin(), seen.end());
  CHECK(seen == strings{"leave id by", "leave x by", "remove id", "remove x"});
}

TEST_CASE("sim: whoever ends a socket on its room's event gets no connect event for it",
          "[sim][socketio][semantics]") {
  hall h;
  h.server->on_room([&](hawser::room_event const& what) {
    if (what.what == hawser::room_event::type::join) h.server->disconnect_sockets(true);
  });
  io_peer a(h);
  CHECK(has(a.join(), "close 1000"));
  CHECK(h.connects == 0);
  CHECK(h.reasons.empty());
  CHECK(h.disconnecting == 0);
  h.run(1min);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: guards decide about joining, sending and receiving", "[sim][socketio][semantics]") {
  hall h;
  std::vector<int> got;
  h.server->may_join([](hawser::socket, std::string_view room) { return room != "secret"; });
  h.server->may_send([](hawser::socket, hawser::event_view const& what) {
    if (what.name() == "throw") throw std::runtime_error("no");
    return what.name() != "forbidden";
  });
  h.server->on("forbidden", [&](int) { got.push_back(-1); });
  h.server->on("throw", [&](int) { got.push_back(-2); });
  h.server->on("fine", [&](int n) { return got.push_back(n), n; });
  io_peer a(h), b(h);
  a.join();
  b.join();
  CHECK(!h.sockets[0].join("secret"));
  CHECK(h.sockets[0].join("open"));
  CHECK(h.counters().joins_refused == 1);
  (void)a.packets();
  a.say("421[\"forbidden\",1]");
  a.say("42[\"forbidden\",1]");
  a.say("422[\"fine\",2]");
  CHECK(got == std::vector<int>{2});
  CHECK(a.packets() == strings{"431[{\"error\":\"not allowed\"}]", "432[2]"});
  CHECK(h.counters().events_refused == 2);
  b.say("42[\"throw\",1]");  // says no, and no more
  CHECK(got == std::vector<int>{2});
  CHECK(h.counters().handler_failures == 1);
  CHECK(h.sockets[1].connected());
  // A socket's own.
  h.sockets[0].use([](hawser::event_view const& what) { return what.size() < 2; });
  a.say("423[\"fine\",3,4]");
  a.say("42[\"fine\",5]");
  CHECK(got == std::vector<int>{2, 5});
  CHECK(a.packets() == strings{"433[{\"error\":\"not allowed\"}]"});
  (void)b.packets();
  h.server->may_receive([&](hawser::socket s) { return s == h.sockets[1]; });
  CHECK(h.server->emit("news", 1) == 1);
  CHECK(h.sockets[0].emit("direct") == std::error_code());
  h.run();
  CHECK(a.packets() == strings{"42[\"direct\"]"});
  CHECK(b.packets() == strings{"42[\"news\",1]"});
  CHECK(h.counters().events_refused == 5);
}

TEST_CASE("sim: middleware is asked in order, and may take its time",
          "[sim][socketio][semantics]") {
  hall h;
  strings asked;
  std::vector<hawser::decision> open;
  h.server->authenticate([&](hawser::handshake const& who, hawser::decision d) {
    asked.push_back("auth " + std::string(who.token()));
    open.push_back(std::move(d));
  });
  h.server->use([&](hawser::socket s, hawser::decision d) {
    asked.push_back("first " + std::to_string(s.data<int>() ? *s.data<int>() : 0));
    CHECK(!s.connected());
    CHECK(s.emit("early") == errc::not_open);
    open.push_back(std::move(d));
  });
  h.server->use([&](hawser::socket, hawser::decision d) {
    asked.push_back("second");
    d.accept();
  });
  io_peer a(h);
  (void)a.packets();
  a.say("40{\"token\":\"t\"}");
  CHECK(asked == strings{"auth t"});
  CHECK(a.packets().empty());
  open[0].accept(7);
  h.run();
  CHECK(asked == strings{"auth t", "first 7"});
  // Steps that come now are for others.
  h.server->use([&](hawser::socket, hawser::decision d) {
    asked.push_back("third");
    d.accept();
  });
  open[1].accept();
  h.run();
  CHECK(asked == strings{"auth t", "first 7", "second"});
  REQUIRE(h.connects == 1);
  CHECK(*h.sockets[0].data<int>() == 7);
  CHECK(a.packets() == strings{"40{\"sid\":\"" + id_of(h.sockets[0]) + "\"}"});

  // Refused, with data; then again by the same connection.
  io_peer b(h);
  (void)b.packets();
  b.say("40");
  open[2].reject("go away", json::object({{"code", 3}}));
  h.run();
  CHECK(b.packets() == strings{"44{\"message\":\"go away\",\"data\":{\"code\":3}}"});
  b.say("40");
  open[3] = hawser::decision(std::move(open[0]));  // drops the one that waits
  h.run();
  CHECK(b.packets() == strings{"44{\"message\":\"Not authorized\"}"});
  CHECK(h.counters().sockets_refused == 2);
  CHECK(h.counters().rejected_refused == 2);
  CHECK(h.reasons.empty());

  // Gone while it is asked about: by itself, and with its session.
  b.say("40");
  b.say("41");
  open[4].accept();
  h.run();
  b.say("40");
  b.reset();
  h.run();
  open[5].accept();
  h.run();
  CHECK(h.connects == 1);
  CHECK(h.reasons.empty());
  // Twice at once is a violation.
  io_peer d(h);
  d.say("40");
  d.say("40");
  CHECK(d.packets().back().starts_with("close"));
  CHECK(h.connects == 1);
  // An event before the answer, too.
  io_peer e(h);
  e.say("40");
  e.say("42[\"x\"]");
  h.run();
  CHECK(e.packets().back().starts_with("close"));
  open.clear();
  h.run(1min);
  CHECK(h.connects == 1);
}

TEST_CASE("sim: dynamic namespaces come with their first socket and go with the last",
          "[sim][socketio][semantics]") {
  hall h;
  std::vector<hawser::nsp> children;
  strings got;
  int auth_seen = 0;
  auto parent = h.server->of([&](std::string_view name, json const& auth) {
    auth_seen += auth.is_null() ? 0 : 1;
    return name.starts_with("/room-");
  });
  parent.on_child([&](hawser::nsp child) { children.push_back(child); });
  parent.on("say", [&](hawser::socket s, std::string_view text) {
    got.push_back(std::string(s.nsp()) + " " + std::string(text));
  });
  int connects = 0, gone = 0;
  parent.on_connect([&](hawser::socket) { ++connects; });
  parent.on_disconnect([&](hawser::socket s, disconnect_reason) {
    ++gone;
    CHECK(s.nsp() == "/room-1");
  });
  io_peer a(h), b(h);
  (void)a.packets();
  a.say("40/room-1,{\"k\":1}");
  CHECK(auth_seen == 1);
  CHECK(a.packets().at(0).starts_with("40/room-1,{\"sid\":"));
  b.say("40/room-1,");
  b.say("40/room-2,");
  REQUIRE(children.size() == 2);
  CHECK(children[0].name() == "/room-1");
  a.say("42/room-1,[\"say\",\"x\"]");
  b.say("42/room-2,[\"say\",\"y\"]");
  CHECK(got == strings{"/room-1 x", "/room-2 y"});
  (void)a.packets();
  (void)b.packets();
  CHECK(children[0].emit("e") == 2);
  CHECK(children[1].emit("e") == 1);
  CHECK(parent.emit("p") == 3);
  h.run();
  CHECK(a.packets() == strings{"42/room-1,[\"e\"]", "42/room-1,[\"p\"]"});
  CHECK(count(b.packets(), "42/room-2,[\"p\"]") == 1);
  a.say("40/other,");
  CHECK(a.packets() == strings{"44/other,{\"message\":\"Invalid namespace\"}"});
  a.say("41/room-1,");
  CHECK(children[0].name() == "/room-1");
  b.say("41/room-1,");
  CHECK(gone == 2);
  CHECK(!children[0]);
  CHECK(children[0].name().empty());
  CHECK(children[0].emit("e") == 0);
  CHECK(children[1].name() == "/room-2");
  CHECK(parent.emit("p") == 1);
  a.say("40/room-1,");
  REQUIRE(children.size() == 3);
  CHECK(!children[0]);  // not the same
  CHECK(children[2].emit("e") == 1);
  // Found by name while it is there, made for good when asked for otherwise.
  CHECK(h.server->of("room-2").emit("e") == 1);
  auto fixed = h.server->of("/room-9");
  a.say("40/room-9,");
  a.say("41/room-9,");
  CHECK(children.size() == 3);
  CHECK(fixed.name() == "/room-9");
  CHECK(connects == 4);
}

TEST_CASE("sim: the sockets of a session end in the order in which they came",
          "[sim][socketio][semantics]") {
  hall h;
  strings gone;
  for (std::string const name : {"/a", "/b", "/c", "/d"}) {
    h.server->of(name).on_disconnect(
        [&gone, name](hawser::socket, disconnect_reason) { gone.push_back(name); });
  }
  io_peer p(h);
  for (std::string const name : {"/c", "/a", "/d", "/b"}) {
    CHECK(p.join(name).back().starts_with("40" + name));
  }
  p.say("41/d,");
  CHECK(gone == strings{"/d"});
  p.say("41/c,");
  CHECK(p.join("/d").back().starts_with("40/d"));
  CHECK(p.join("/c").back().starts_with("40/c"));
  p.say("41/c,");
  CHECK(gone == strings{"/d", "/c", "/c"});
  gone.clear();
  p.reset();
  h.run();
  CHECK(gone == strings{"/a", "/b", "/d"});
}

TEST_CASE("sim: handlers may be added, removed and replaced while they run",
          "[sim][socketio][semantics]") {
  hall h;
  strings ran;
  h.server->once("e", [&] { ran.push_back("once"); });
  h.server->on("e", [&] {
    ran.push_back("first");
    h.server->on("e", [&] { ran.push_back("added"); });
    if (ran.size() > 3) CHECK(h.server->off("e"));
  });
  h.server->on("e", [&] { ran.push_back("second"); });
  io_peer a(h);
  a.join();
  a.say("42[\"e\"]");
  CHECK(ran == strings{"once", "first", "second"});
  ran.clear();
  ran.push_back("-");
  ran.push_back("-");
  ran.push_back("-");
  a.say("42[\"e\"]");
  CHECK(ran == strings{"-", "-", "-", "first"});
  ran.clear();
  a.say("42[\"e\"]");
  CHECK(ran.empty());
  CHECK(h.counters().events_unhandled == 1);
  CHECK(!h.server->off("e"));

  // The whole table, from one of its handlers and from the one that sees all.
  auto const fresh = [&](std::string name) {
    hawser::event_handlers table;
    table.on("e", [&ran, name] { ran.push_back(name); });
    return table;
  };
  h.server->on("e", [&, keep = std::string(50, 'k')] {
    ran.push_back("old");
    h.server->handlers(fresh("new"));
    CHECK(keep == std::string(50, 'k'));
  });
  h.server->on("e", [&] { ran.push_back("old too"); });
  a.say("42[\"e\"]");
  a.say("42[\"e\"]");
  CHECK((ran == strings{"old", "old too", "new"} || ran == strings{"old", "new"}));
  ran.clear();
  int seen = 0;
  h.server->on_any([&, keep = std::string(50, 'k')](hawser::socket s, hawser::event_view const&) {
    ++seen;
    h.server->handlers(fresh("newer"));
    CHECK(keep == std::string(50, 'k'));
    s.on_any([&, kept = std::string(50, 'k')](hawser::event_view const&) {
      ++seen;
      h.sockets[0].on_any([&](hawser::event_view const&) { ++seen; });
      CHECK(kept == std::string(50, 'k'));
    });
  });
  h.server->on_any_outgoing(
      [&, keep = std::string(50, 'k')](hawser::socket, hawser::event_view const&) {
        h.server->handlers(fresh("newest"));
        CHECK(keep == std::string(50, 'k'));
      });
  a.say("42[\"e\"]");
  a.say("42[\"e\"]");
  (void)h.sockets[0].emit("x");
  a.say("42[\"e\"]");
  CHECK(ran.back() == "newest");
  CHECK(seen >= 4);
  h.sockets[0].use([&, keep = std::string(50, 'k')](hawser::event_view const&) {
    h.sockets[0].use([](hawser::event_view const&) { return false; });
    return keep == std::string(50, 'k');
  });
  ran.clear();
  a.say("42[\"e\"]");
  a.say("42[\"e\"]");
  CHECK(ran == strings{"newer"});
}

TEST_CASE("sim: no event is handled after the socket has gone", "[sim][socketio][semantics]") {
  hall h;
  int handled = 0;
  h.server->on("end", [&](hawser::socket s) {
    ++handled;
    (void)s.disconnect();
  });
  h.server->on("end", [&] { handled += 100; });
  h.server->on("after", [&] { handled += 1000; });
  {
    polling_peer p(h);
    p.join();
    h.sockets[0].on("end", [&] { handled += 10'000; });
    CHECK(p.post("42[\"end\"]\x1e"
                 "42[\"after\"]") == 200);
    CHECK(handled == 1);
    CHECK(h.reasons.size() == 1);
  }
  io_peer p(h);
  p.join();
  p.send(text("42[\"end\"]") + text("42[\"after\"]") + text("42[\"after\"]"));
  h.run();
  CHECK(handled == 2);
  CHECK(h.reasons.size() == 2);
}

TEST_CASE("sim: a handler that throws costs its client the session and nobody else",
          "[sim][socketio][semantics]") {
  hall h;
  h.server->on("throw", [](int) { throw std::runtime_error("x"); });
  h.server->on("fine", [](int n) { return n; });
  io_peer a(h), b(h);
  polling_peer c(h);
  a.join();
  b.join();
  c.join();
  a.say("42[\"throw\",1]");
  CHECK(has(a.packets(), "close 1011"));
  CHECK(c.post("42[\"throw\",1]\x1e"
               "421[\"fine\",1]") == 200);
  CHECK(c.packets() == strings{"1"});
  b.say("421[\"fine\",1]");
  CHECK(has(b.packets(), "431[1]"));
  CHECK(h.counters().handler_failures >= 1);
  CHECK(h.reasons.size() >= 1);
  CHECK(h.sockets.back().connected() == false);
}

TEST_CASE("sim: arguments that don't fit call nobody and are told", "[sim][socketio][semantics]") {
  hall h;
  strings bad;
  int called = 0;
  h.server->on("e", [&](int, std::string_view) { ++called; });
  h.server->on_bad_event([&](hawser::socket, std::string_view name, std::error_code error) {
    bad.emplace_back(name);
    CHECK(error == errc::argument_mismatch);
  });
  io_peer a(h);
  a.join();
  for (auto const* const what : {"[\"e\"]", "[\"e\",1]", "[\"e\",1,2]", "[\"e\",1.5,\"x\"]",
                                 "[\"e\",\"1\",\"x\"]", "[\"e\",null,\"x\"]"}) {
    a.say("42"s + what);
  }
  CHECK(bad == strings(6, "e"));
  CHECK(h.counters().argument_mismatches == 6);
  a.say("42[\"e\",1,\"x\",2]");
  CHECK(called == 1);
  a.say("42[7,1]");  // a number is a name, too
  CHECK(h.counters().events_unhandled == 1);
  h.server->on("7", [&](int n) { called += n; });
  a.say("42[7,10]");
  CHECK(called == 11);
}

TEST_CASE("sim: who watches sees every event, and may emit", "[sim][socketio][semantics]") {
  hall h;
  strings in, out;
  h.server->on_any([&](hawser::socket, hawser::event_view const& what) {
    in.push_back(std::string(what.name()) + " " + std::to_string(what.size()));
  });
  h.server->on_any_outgoing([&](hawser::socket s, hawser::event_view const& what) {
    out.emplace_back(what.name());
    if (what.name() == "news") (void)s.emit("echo", std::string(300, 'e'));
  });
  h.server->on("ask", [](int n) { return n; });
  io_peer a(h), b(h);
  polling_peer c(h);
  a.join();
  b.join();
  c.join();
  a.say("421[\"ask\",5]");
  a.say("42[\"nobody\"]");
  CHECK(in == strings{"ask 1", "nobody 0"});
  CHECK(out.empty());
  (void)a.packets();
  (void)b.packets();
  CHECK(h.server->emit("news", 1, "two") == 3);
  h.run();
  std::string const echo = "42[\"echo\",\"" + std::string(300, 'e') + "\"]";
  for (auto const& got : {a.packets(), b.packets(), c.packets()}) {
    CHECK(got == strings{"42[\"news\",1,\"two\"]", echo});
  }
  CHECK(count(out, "news") == 3);
  CHECK(count(out, "echo") == 3);
  // With acknowledgements.
  out.clear();
  h.server->emit_with_ack("all", [](std::error_code, std::vector<int>) {});
  h.sockets[0].emit_with_ack("one", [](std::error_code, int) {});
  CHECK(count(out, "all") == 3);
  CHECK(count(out, "one") == 1);
  // Who ends sockets in the middle of a broadcast does no harm.
  h.server->on_any_outgoing(
      [&](hawser::socket, hawser::event_view const&) { h.server->disconnect_sockets(); });
  CHECK(h.server->emit("last") == 3);
  CHECK(h.reasons.size() == 3);
  CHECK(h.server->emit("last") == 0);
}

TEST_CASE("sim: unreliable events are dropped for who isn't ready", "[sim][socketio][semantics]") {
  hall h;
  polling_peer p(h);
  io_peer w(h);
  p.join();
  w.join();
  (void)w.packets();
  CHECK(h.sockets[0].unreliable().emit("v", 1) == errc::dropped);
  CHECK(h.server->unreliable().emit("v", 2) == 1);
  h.run();
  CHECK(w.packets() == strings{"42[\"v\",2]"});
  CHECK(h.counters().messages_dropped == 2);
  p.poll();
  CHECK(h.sockets[0].unreliable().emit("v", 3) == std::error_code());
  CHECK(h.sockets[0].unreliable().emit("v", 4) == errc::dropped);
  h.run();
  CHECK(p.polled() == 200);
  CHECK(p.body == "42[\"v\",3]");
}

TEST_CASE("sim: fetch_sockets describes who is meant", "[sim][socketio][semantics]") {
  hall h;
  io_peer a(h, {}, "X-Note: yes\r\n"), b(h);
  a.join({}, "{\"k\":1}");
  b.join();
  (void)h.sockets[0].join("x");
  int told = 0;
  h.server->to("x").fetch_sockets(
      [&](std::error_code error, std::vector<hawser::socket_description> const& found) {
        ++told;
        CHECK(!error);
        REQUIRE(found.size() == 1);
        CHECK(found[0].id == h.sockets[0].id());
        CHECK(found[0].handshake.dump().find("\"x-note\":\"yes\"") != std::string::npos);
        CHECK(found[0].handshake.dump().find("\"auth\":{\"k\":1}") != std::string::npos);
        auto rooms = found[0].rooms;
        CHECK(rooms.size() == 2);
      });
  CHECK(told == 0);  // never inline
  h.run();
  CHECK(told == 1);
  h.server->fetch_sockets(
      [&](std::error_code, std::vector<hawser::socket_description> const& found) {
        told += static_cast<int>(found.size());
      });
  h.run();
  CHECK(told == 3);
}

TEST_CASE("sim: acknowledgements of a broadcast, whole and in part", "[sim][socketio][semantics]") {
  hall h;
  std::vector<std::unique_ptr<io_peer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<io_peer>(h));
    peers.back()->join();
  }
  struct outcome {
    std::error_code error;
    std::vector<int> answers;
  };
  std::vector<outcome> told;
  auto const ask = [&] {
    h.server->timeout(1s).emit_with_ack(
        "q", [&](std::error_code error, std::vector<int> const& answers) {
          told.push_back({error, answers});
        });
    h.run();
  };
  ask();
  for (int i = 0; i < 4; ++i)
    peers[static_cast<std::size_t>(i)]->say("430[" + std::to_string(i) + "]");
  REQUIRE(told.size() == 1);
  CHECK(!told[0].error);
  CHECK(told[0].answers == std::vector<int>{0, 1, 2, 3});
  ask();
  peers[1]->say("431[7,8]");
  peers[1]->say("431[9]");  // a second answer is one too many
  CHECK(h.counters().unknown_acks == 1);
  h.run(2s);
  REQUIRE(told.size() == 2);
  CHECK(told[1].error == errc::ack_timeout);
  CHECK(told[1].answers == std::vector<int>{7});
  peers[2]->say("431[1]");  // late
  CHECK(h.counters().unknown_acks == 2);
  CHECK(told.size() == 2);
  ask();
  peers[0]->say("432[1]");
  peers[1]->say("432[2]");
  peers[2]->reset();
  h.run();
  CHECK(told.size() == 2);
  peers[3]->say("432[\"no number\"]");
  REQUIRE(told.size() == 3);
  CHECK(told[2].error == errc::disconnected);
  CHECK(told[2].answers == std::vector<int>{1, 2});
  // Nobody to ask.
  h.server->to("nobody").emit_with_ack("q",
                                       [&](std::error_code error, std::vector<int> const& answers) {
                                         told.push_back({error, answers});
                                       });
  CHECK(told.size() == 3);
  h.run();
  REQUIRE(told.size() == 4);
  CHECK(!told[3].error);
  CHECK(told[3].answers.empty());
}

namespace {

struct recovering : hall {
  std::vector<int> recovered;
  strings auths;
  recovering()
      : hall([](auto& numbers) {
          numbers.recovery.enabled = true;
          numbers.recovery.window = 60s;
        }) {
    server->authenticate([this](hawser::handshake const& who, hawser::decision d) {
      auths.push_back(who.auth().dump());
      if (who.token() == "bad") return d.reject("no");
      d.accept();
    });
    server->on_connect([this](hawser::socket s) {
      ++connects;
      sockets.push_back(s);
      recovered.push_back(s.recovered() ? 1 : 0);
    });
  }
};

struct credentials {
  std::string sid, pid, offset;
  explicit credentials(std::string const& connected)
      : sid(between(connected, "\"sid\":\"", "\"")),
        pid(between(connected, "\"pid\":\"", "\"")),
        offset(between(connected, "\"offset\":\"", "\"")) {}
  std::string auth(bool with_offset = true) const {
    return "{\"pid\":\"" + pid + "\"" + (with_offset ? ",\"offset\":\"" + offset + "\"" : "") + "}";
  }
};

// The packet that connects, whatever came before it.
std::string connected_by(strings const& packets) {
  for (auto const& one : packets) {
    if (one.starts_with("40")) return one;
  }
  return {};
}
std::string offset_of(std::string const& event) {
  auto const end = event.rfind('"');
  auto const begin = event.rfind('"', end - 1) + 1;
  return event.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("sim: a lost connection is taken up: rooms, data and what was missed, once",
          "[sim][socketio][semantics]") {
  recovering h;
  auto a = std::make_unique<io_peer>(h);
  io_peer watcher(h);
  watcher.join();
  credentials one(connected_by(a->join()));
  REQUIRE(!one.pid.empty());
  auto s = h.sockets.back();
  (void)s.join("x");
  (void)s.set_data(std::string("kept"));
  (void)s.emit("e", 1);
  h.run();
  CHECK(s.unreliable().emit("v", 2) == std::error_code());
  h.run();
  auto const before = a->packets();
  REQUIRE(before.size() == 2);
  CHECK(offset_of(before[0]) == offset_of(before[1]));  // what can't be recovered moves nothing
  one.offset = offset_of(before[1]);
  a->reset();
  h.run(1s);
  CHECK(h.reasons == strings{"transport error"});
  h.server->to("x").emit("missed", 1);
  h.server->to("y").emit("not for it", 1);
  h.server->except("x").emit("not for it", 2);
  h.server->emit("missed", 2, hawser::as_bytes("bytes"));
  h.server->to(one.sid).emit("missed", 3);
  h.server->unreliable().emit("not for it", 3);
  (void)h.sockets[0].broadcast().emit("missed", 4);
  a = std::make_unique<io_peer>(h);
  (void)a->packets();
  auto const back = a->join({}, one.auth());
  strings names;
  for (auto const& packet : back) names.push_back(between(packet, "[\"", "\""));
  CHECK(h.recovered.back() == 1);
  REQUIRE(back.size() == 6);
  CHECK(names == strings{"missed", "missed", "", "missed", "missed", ""});
  CHECK(back[2] == "bbytes");
  credentials again(back[5]);
  CHECK(again.sid == one.sid);
  CHECK(again.pid == one.pid);
  s = h.sockets.back();
  CHECK(s.recovered());
  CHECK(s.id() == one.sid);
  CHECK(*s.data<std::string>() == "kept");
  CHECK(h.server->to("x").size() == 1);
  CHECK(h.auths.size() == 3);  // asked again
  CHECK(h.counters().sockets_recovered == 1);
  // A second use gets a new session, while the first goes on.
  io_peer thief(h);
  (void)thief.packets();
  auto const stolen = thief.join({}, one.auth());
  h.run(2s);
  a->say("3");
  h.run(2s);
  auto more = thief.packets();
  auto const told = connected_by(stolen).empty() ? connected_by(more) : connected_by(stolen);
  // `a` answers no ping here but the one above, which was in time or not: never both.
  bool const kept = h.sockets.back().recovered() == false;
  CHECK((kept || !s.connected()));
  CHECK(!told.empty());
}

TEST_CASE("sim: a session that is alive is not given away", "[sim][socketio][semantics]") {
  recovering h;
  io_peer a(h);
  credentials const one(connected_by(a.join()));
  io_peer thief(h);
  (void)thief.packets();
  thief.say("40" + one.auth());
  h.run(100ms);
  CHECK(a.packets() == strings{"2"});  // is it there?
  CHECK(thief.packets().empty());
  a.say("3");
  credentials const other(connected_by(thief.packets()));
  CHECK(other.sid != one.sid);
  CHECK(other.pid != one.pid);
  CHECK(h.recovered == std::vector<int>{0, 0});
  CHECK(h.reasons.empty());
}

TEST_CASE("sim: a connection that is half open gives its session up",
          "[sim][socketio][semantics]") {
  recovering h;
  io_peer a(h);
  credentials const one(connected_by(a.join()));
  a.connection().cut();
  h.server->emit("missed", 1);
  h.run();
  io_peer b(h);
  (void)b.packets();
  b.say("40" + one.auth());
  h.run(900ms);
  CHECK(b.packets().empty());
  h.run(200ms);
  auto const got = b.packets();
  REQUIRE(got.size() == 2);
  CHECK(got[0].starts_with("42[\"missed\",1,"));
  CHECK(credentials(got[1]).sid == one.sid);
  CHECK(h.reasons == strings{"transport close"});
  CHECK(h.recovered == std::vector<int>{0, 1});
}

TEST_CASE("sim: recovery before the first event, without an offset, and when it can't be",
          "[sim][socketio][semantics]") {
  struct variant {
    bool with_offset;
    std::function<void(recovering&, credentials&)> between;
    bool comes_back;
  };
  variant const variants[] = {
      {true, [](recovering&, credentials&) {}, true},
      {false, [](recovering&, credentials&) {}, true},
      {true, [](recovering& h, credentials&) { h.run(59s); }, true},
      {true, [](recovering& h, credentials&) { h.run(61s); }, false},
      {true, [](recovering&, credentials& c) { c.offset = "nonsense"; }, false},
      {true, [](recovering&, credentials& c) { c.pid = "nonsense"; }, false},
      {true, [](recovering&, credentials& c) { c.offset += "99"; }, false},
      {true,
       [](recovering& h, credentials&) {
         for (int i = 0; i < 1001; ++i) h.server->emit("flood", i);
       },
       false},
      {true,
       [](recovering& h, credentials&) {
         for (int i = 0; i < 1000; ++i) h.server->emit("flood", i);
       },
       true},
  };
  for (variant const& one : variants) {
    INFO("variant " << &one - variants);
    recovering h;
    auto a = std::make_unique<io_peer>(h);
    credentials who(connected_by(a->join()));
    a->reset();
    h.run(1ms);
    one.between(h, who);
    a = std::make_unique<io_peer>(h);
    a->say("40" + who.auth(one.with_offset));
    h.run(2s);
    CHECK(h.recovered == std::vector<int>{0, one.comes_back ? 1 : 0});
    credentials const now(connected_by(a->packets()));
    CHECK((now.sid == who.sid) == one.comes_back);
    CHECK((now.pid == who.pid) == one.comes_back);
  }
}

TEST_CASE("sim: who left on purpose, or is refused, does not recover",
          "[sim][socketio][semantics]") {
  for (int how = 0; how < 4; ++how) {
    INFO("how " << how);
    recovering h;
    auto a = std::make_unique<io_peer>(h);
    credentials const who(connected_by(a->join()));
    if (how == 0) a->say("41");
    if (how == 1) (void)h.sockets[0].disconnect();
    if (how == 2) a->say("42{");
    if (how == 3) a->reset();
    h.run(1ms);
    a = std::make_unique<io_peer>(h);
    (void)a->packets();
    if (how == 3) {
      a->say("40{\"token\":\"bad\",\"pid\":\"" + who.pid + "\",\"offset\":\"" + who.offset + "\"}");
      CHECK(a->packets() == strings{"44{\"message\":\"no\"}"});
      // Refused once, its session still waits for who may have it.
      a->say("40" + who.auth());
      CHECK(h.recovered == std::vector<int>{0, 1});
      continue;
    }
    a->say("40" + who.auth());
    CHECK(h.recovered == std::vector<int>{0, 0});
  }
}
