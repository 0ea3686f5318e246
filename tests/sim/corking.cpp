#include "sim/harness.hpp"

using namespace sim;

namespace {

// Of any size, and not the same byte twice in a row.
std::string content(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('!' + (i * 7 + size) % 90);
  return out;
}

}  // namespace

TEST_CASE("sim: messages of every short size come back as they were, in one write", "[sim]") {
  auto const send_buffer = GENERATE(std::size_t{64} * 1024, std::size_t{200}, std::size_t{139});
  bool const at_once = GENERATE(false, true);
  house in([&](house::options_type& numbers) { numbers.send_buffer = send_buffer; });
  in.echo = false;
  in.then = [&](hawser::websocket s, hawser::message const& what) {
    CHECK(!s.send(what, {.at_once = at_once}));
  };
  peer one(in);
  in.run(1ms);
  std::string said;
  for (std::size_t size = 0; size <= 300; ++size) said += wire(size % 2 ? 1 : 2, content(size));
  one.send(said);
  in.run(1ms);
  auto const back = one.frames();
  REQUIRE(back.size() == 301);
  for (std::size_t size = 0; size < back.size(); ++size) {
    CHECK(back[size].opcode == (size % 2 ? 1 : 2));
    CHECK(back[size].payload == content(size));
  }
  CHECK(in.counters().messages_out == 301);
}

TEST_CASE("sim: what is said to another than the one being read from is not corked", "[sim]") {
  house in;
  in.echo = false;
  in.then = [&](hawser::websocket s, hawser::message const& what) {
    for (auto const& to : in.sockets) CHECK(!to.send(what));
    CHECK(!s.send("me"));
  };
  peer one(in), other(in);
  in.run(1ms);
  one.send(text("a") + text("b"));
  in.run(1ms);
  CHECK(one.texts() == std::vector<std::string>{"a", "me", "b", "me"});
  CHECK(other.texts() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("sim: short and long messages, control frames and a close stay in their order", "[sim]") {
  house in;
  in.echo = false;
  in.then = [&](hawser::websocket s, hawser::message const&) {
    CHECK(!s.send("short"));
    CHECK(!s.send(content(40'000)));
    CHECK(!s.send("again"));
    CHECK(!s.close(close_code::normal, "done"));
    CHECK(s.send("too late") == errc::not_open);
  };
  peer one(in);
  in.run(1ms);
  one.send(wire(9, "ping") + text("go"));
  in.run(1ms);
  auto const back = one.frames();
  REQUIRE(back.size() == 5);
  CHECK(back[0].opcode == 10);
  CHECK(back[1].payload == "short");
  CHECK(back[2].payload == content(40'000));
  CHECK(back[3].payload == "again");
  CHECK(code_of(back[4]) == 1000);
}
