// Every captured conversation on a WebSocket, and every upgrade that was refused.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/capture.hpp"
#include "support/fixture_json.hpp"

using namespace golden;
using namespace hawser_test;
using simdjson::dom::element;

namespace {

using hawser::json;

// What was captured in the order in which it was, and what it says that a client saw.
struct turn {
  enum class kind { client, server, close } what;
  int opcode = 1;
  std::string payload{};
};
struct conversation {
  std::string name;
  std::string target;
  std::vector<turn> turns;
  lines seen;    // by the client
  lines events;  // by handlers
  bool has_events = false;
  bool upgrades = false;  // begins with polling
};

conversation read_conversation(std::string const& name, element line) {
  conversation all{.name = name, .target = {}, .turns = {}, .seen = {}, .events = {}};
  std::string_view text;
  if (line["path"].get(text) == simdjson::SUCCESS) {
    all.target = text;
  } else {
    all.upgrades = true;
  }
  bool refused = false;
  bool closed = false;
  for (element const one : line["conversation"].get_array()) {
    std::int64_t number = 0;
    if (one["http_status"].get(number) == simdjson::SUCCESS) {
      all.seen.push_back(std::to_string(number) + ' ' + std::string(std::string_view(one["body"])));
      refused = true;
    } else if (one["close_code"].get(number) == simdjson::SUCCESS) {
      all.turns.push_back({turn::kind::close});
      closed = true;
    } else if (one["error"].get(text) == simdjson::SUCCESS) {
      all.seen.emplace_back(text);
    } else {
      turn made{turn::kind::client, std::string_view(one["kind"]) == "binary" ? 2 : 1,
                from_hex(std::string_view(one["hex"]))};
      if (std::string_view(one["dir"]) == "s2c") {
        made.what = turn::kind::server;
        all.seen.push_back(described({made.opcode, made.payload, {}}));
      }
      all.turns.push_back(std::move(made));
    }
  }
  bool open = false;
  if (line["connection_still_open"].get(open) == simdjson::SUCCESS) closed = !open;
  if (!refused) all.seen.emplace_back(closed ? "closed" : "open");
  // Upgrades: what the polls beside it got.
  element poll;
  for (char const* const key : {"polling_first_get", "polling_get_pending_during_probe"}) {
    if (line[key].get(poll) != simdjson::SUCCESS) continue;
    all.seen.push_back("poll " + without_chance(from_hex(std::string_view(poll["hex"]))));
  }
  simdjson::dom::array events;
  all.has_events = line["server_events"].get(events) == simdjson::SUCCESS;
  if (!all.has_events) return all;
  for (element const one : events) {
    json const event = json_of(one);
    std::string const what(*event[0].string());
    if (what == "error") continue;  // of its decoder
    std::string text_of = what;
    for (std::size_t i = 1; i < event.size(); ++i) {
      auto const words = what == "ack" ? std::nullopt : event[i].string();
      text_of += ' ' + (words ? std::string(*words) : event[i].dump());
    }
    all.events.push_back(std::move(text_of));
  }
  return all;
}

settings settings_of(std::string const& name) {
  settings how;
  how.recovery = name.starts_with("ws.csr-");
  if (name == "ws.connect-timeout" || name == "ws.ping-pong" || name == "ws.ping-timeout") {
    how.ping_interval = 200ms;
    how.ping_timeout = 150ms;
  }
  if (name == "ws.connect-timeout") how.connect_timeout = 300ms;
  return how;
}

// The id that an event asks to be acknowledged by: `42<id>[`.
std::optional<std::string> id_of(std::string_view packet) {
  if (!packet.starts_with("42")) return std::nullopt;
  auto const end = packet.find_first_not_of("0123456789", 2);
  if (end == 2 || end == packet.npos) return std::nullopt;
  return std::string(packet.substr(2, end - 2));
}
std::string without_id(std::string packet) {
  if (auto const id = id_of(packet)) packet.replace(2, id->size(), "#");
  return packet;
}

lines play(capture& at, conversation const& what) {
  lines polls;
  std::string target = what.target;
  std::optional<http_client> poll;
  bool const polls_beside = what.name == "ws.upgrade-by-hand";
  if (what.upgrades) {
    std::string const head = "GET /socket.io/?EIO=4&transport=polling";
    std::string const rest = " HTTP/1.1\r\nHost: localhost\r\n";
    http_client const open(at, head + rest + "\r\n");
    std::string const sid = "&sid=" + quoted(open.body(), "sid");
    target = "/socket.io/?EIO=4&transport=websocket" + sid;
    if (polls_beside) {
      http_client const post(at, "POST /socket.io/?EIO=4&transport=polling" + sid + rest +
                                     "Content-Length: 2\r\n\r\n40");
      http_client const first(at, head + sid + rest + "\r\n");
      polls.push_back("poll " + without_chance(first.body()));
      poll.emplace(at, head + sid + rest + "\r\n");
    }
  }
  std::string const origin =
      what.name == "ws.bad-origin-chars" ? "Origin: http://\xc3\xa9xample.com\r\n" : "";
  ws_client client(at, upgrade_request(target, origin));

  lines seen;
  std::vector<std::string> their_ids;
  std::size_t expected = 0;
  for (turn const& one : what.turns) {
    switch (one.what) {
      case turn::kind::server:
        if (auto const id = id_of(one.payload)) their_ids.push_back(*id);
        client.await(++expected);
        break;
      case turn::kind::close: client.await_end(); break;
      case turn::kind::client: {
        std::string payload = one.payload;
        // Acknowledges what was asked here, whatever its number was there.
        std::vector<std::string> our_ids;
        for (auto const& each : client.frames()) {
          if (auto const id = id_of(each.payload)) our_ids.push_back(*id);
        }
        for (std::size_t i = 0; i < their_ids.size() && i < our_ids.size(); ++i) {
          if (payload.starts_with("43" + their_ids[i])) {
            payload.replace(2, their_ids[i].size(), our_ids[i]);
          }
        }
        client.send(masked(one.opcode, payload));
        if (poll && payload == "2probe") at.run(150ms);
      }
    }
  }
  at.run(20ms);
  bool const refused = !client.head().starts_with("HTTP/1.1 101 ");
  if (refused) {
    seen.push_back(client.head().substr(9, 3) + ' ' + client.rest());
  } else {
    for (auto const& one : client.frames()) seen.push_back(without_id(described(one)));
    seen.emplace_back(client.is_closed() ? "closed" : "open");
    if (!client.is_closed()) client.send(masked(8, {}));
    at.run(20ms);
  }
  if (poll) polls.push_back("poll " + poll->body());
  seen.insert(seen.end(), polls.begin(), polls.end());
  return seen;
}

}  // namespace

TEST_CASE("golden: WebSocket conversations", "[golden]") {
  difference_check table("ws.");
  std::size_t const count = for_each_fixture("wire-ws.jsonl", [&](auto const& name, auto line) {
    CAPTURE(name);
    conversation one = read_conversation(name, line);
    for (auto& each : one.seen) each = without_id(each);
    settings how = settings_of(name);
    lines const ours = at_every_cut(how, [&](capture& at) { return play(at, one); });
    lines theirs = one.seen;
    theirs.insert(theirs.end(), one.events.begin(), one.events.end());
    lines compared = ours;
    if (!one.has_events) {  // what a client sees ends with the state of the connection
      std::erase_if(compared, [](auto const& line_of) {
        return line_of.starts_with("connection ") || line_of.starts_with("disconnect ") ||
               line_of.starts_with("event ");
      });
    }
    table.note(name, theirs, compared);
    if (!capture::has_types(name)) return;
    how.typed = name;
    CHECK(at_every_cut(how, [&](capture& at) { return play(at, one); }) == ours);
  });
  CHECK(count == 64);
  table.finish();
}

TEST_CASE("golden: refused upgrades, byte by byte", "[golden]") {
  difference_check table("ws-raw.");
  std::size_t const count = for_each_fixture("wire-ws-raw.jsonl", [&](auto const& name, auto line) {
    CAPTURE(name);
    auto const lines_of = [](std::string whole) {
      lines all;
      for (std::size_t end = 0; (end = whole.find("\r\n")) != std::string::npos;) {
        all.push_back(whole.substr(0, end));
        whole.erase(0, end + 2);
      }
      if (whole.size() == 2 && whole[0] == '\x88') whole = "a closing frame";
      if (!whole.empty()) all.push_back(whole);
      return all;
    };
    std::string const request = from_hex(std::string_view(line["request"]["hex"]));
    lines const ours = at_every_cut({}, [&](capture& at) {
      ws_client client(at, request);
      at.run(700ms);
      return lines_of(client.head() + client.rest());
    });
    table.note(name, lines_of(from_hex(std::string_view(line["response_raw_hex"]))), ours);
  });
  CHECK(count == 4);
  table.finish();
}

TEST_CASE("golden: a number is the name of an event, however large", "[golden]") {
  at_every_cut({}, [](capture& at) {
    ws_client client(at, upgrade_request("/socket.io/?EIO=4&transport=websocket"));
    for (char const* const one : {"40", "42[7]", "42[-7]", "42[18446744073709551615]"}) {
      client.send(masked(1, one));
    }
    lines const events(at.events().begin() + 1, at.events().end());
    CHECK(events == lines{"event / [7]", "event / [-7]", "event / [18446744073709551615]"});
    CHECK_FALSE(client.is_closed());
    return events;
  });
}

TEST_CASE("golden: who asks for too much breaks the protocol, and has sent packets all the same",
          "[golden]") {
  auto const reason_of = [](auto&& flood) {
    capture at(settings{});
    ws_client client(at, upgrade_request("/socket.io/?EIO=4&transport=websocket"));
    client.send(masked(1, "40"));
    flood(client);
    CHECK(client.is_closed());
    REQUIRE_FALSE(at.events().empty());
    return at.events().back();
  };
  CHECK(reason_of([](ws_client& client) {
          for (int i = 0; i < 200; ++i) client.send(masked(1, "431[]"));
        }) == "disconnect / forced close");
  CHECK(reason_of([](ws_client& client) {
          for (int i = 0; i < 20; ++i) client.send(masked(1, "40/dyn-" + std::to_string(i)));
        }).ends_with(" forced close"));
  CHECK(reason_of([](ws_client& client) {
          for (int i = 0; i < 20; ++i) client.send(masked(1, "40/nowhere"));
        }) == "disconnect / forced close");
}
