// Whole recorded conversations of the official client with the official server, the client's side
// played again: the server's packets have to be the same ones in the same order.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/capture.hpp"
#include "support/fixtures.hpp"

using namespace golden;
using namespace hawser_test;
using simdjson::dom::element;

namespace {

// What one side said on a connection until the other one did.
struct chunk {
  bool from_client;
  std::string bytes;
};
using connection = std::vector<chunk>;
using session = std::map<int, connection>;  // by number

std::map<std::string, session> read_sessions(std::size_t& count) {
  std::map<std::string, session> all;
  count = for_each_fixture("wire-session.jsonl", [&](std::string const& name, element line) {
    auto const dot = name.rfind(".conn");
    connection& one = all[name.substr(0, dot)][std::stoi(name.substr(dot + 5))];
    for (element const part : line["tcp"].get_array()) {
      one.push_back(
          {std::string_view(part["dir"]) == "c2s", from_hex(std::string_view(part["hex"]))});
    }
  });
  return all;
}

// Ids that the server chose, there and here.
class names {
 public:
  void learn(std::string_view theirs, std::string_view ours) {
    for (char const* const key : {"sid", "pid"}) {
      auto const there = quoted(theirs, key);
      auto const here = quoted(ours, key);
      if (!there.empty() && !here.empty()) ours_[there] = here;
    }
    // The offset of an event is its last argument, as a client sees it.
    if (!without_offset(std::string(theirs)).ends_with("\"*\"]")) return;
    auto const last = [](std::string_view packet) {
      auto const begin = packet.rfind('"', packet.size() - 3) + 1;
      return std::string(packet.substr(begin, packet.size() - begin - 2));
    };
    ours_[last(theirs)] = last(ours);
  }
  std::string patched(std::string text) const {
    for (auto const& [there, here] : ours_) {
      auto const at = text.find(there);
      bool const whole =
          at != std::string::npos && at > 0 && (text[at - 1] == '=' || text[at - 1] == '"') &&
          (at + there.size() == text.size() ||
           std::string_view("\" &").find(text[at + there.size()]) != std::string_view::npos);
      if (whole) text.replace(at, there.size(), here);
    }
    return text;
  }

 private:
  std::map<std::string, std::string> ours_;
};

// The packets of a polling body, each a line.
void add_packets(lines& to, std::string_view body) {
  while (!body.empty()) {
    auto const end = std::min(body.find('\x1e'), body.size());
    to.push_back(without_chance(std::string(body.substr(0, end))));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

std::string_view body_of(std::string_view answer) {
  return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
}

bool is_upgrade(connection const& one) {
  return one.front().bytes.find("Upgrade: websocket") != std::string::npos;
}

// A WebSocket, a step at a time.
class ws_player {
 public:
  ws_player(capture& at, connection const& all, names& known, bool offsets)
      : all_(&all),
        known_(&known),
        offsets_(offsets),
        client_(at, known.patched(all.front().bytes)) {}

  // To the end of what the client says next, and of what the server says to that. False: all is
  // said.
  bool step() {
    if (next_ == all_->size()) return false;
    if ((*all_)[next_].from_client) {
      std::string said = (*all_)[next_++].bytes;
      for (auto const& one : take_frames(said)) {
        std::string const payload = known_->patched(one.payload);
        client_.send(payload == one.payload ? one.wire : masked(one.opcode, payload));
      }
      CHECK(said.empty());
    }
    while (next_ < all_->size() && !(*all_)[next_].from_client) {
      theirs_bytes_ += (*all_)[next_++].bytes;
      if (theirs_bytes_.starts_with("HTTP/")) theirs_bytes_ = std::string(body_of(theirs_bytes_));
      for (auto& one : take_frames(theirs_bytes_)) theirs_.push_back(std::move(one));
    }
    bool const ends = !theirs_.empty() && theirs_.back().opcode == 8;
    ends ? client_.await_end() : client_.await(theirs_.size());
    auto const& ours = client_.frames();
    for (; learned_ < std::min(theirs_.size(), ours.size()); ++learned_) {
      known_->learn(theirs_[learned_].payload, ours[learned_].payload);
    }
    return next_ < all_->size();
  }

  void add(lines& theirs, lines& ours) {
    for (auto const& one : theirs_) theirs.push_back(line_of(one));
    for (auto const& one : client_.frames()) ours.push_back(line_of(one));
    if (client_.is_closed()) ours.emplace_back("closed");
  }

 private:
  std::string line_of(frame const& one) const {
    if (one.opcode == 8) return "closed";
    std::string line = described(one);
    return offsets_ ? without_offset(std::move(line)) : line;
  }

  connection const* all_;
  names* known_;
  bool offsets_;
  std::size_t next_ = 1;  // behind the request
  std::string theirs_bytes_;
  std::vector<frame> theirs_;
  std::size_t learned_ = 0;
  ws_client client_;
};

// One HTTP request after the other, but no poll before the last one was answered: the server may
// put into one answer what was in two.
class polling_player {
 public:
  polling_player(capture& at, names& known) : at_(&at), known_(&known) {}

  void request(connection const& one) {
    auto const& asked = one.front().bytes;
    std::string_view const answered = body_of(one.back().bytes);
    if (!asked.starts_with("GET")) {
      http_client const post(*at_, known_->patched(asked));
      CHECK(post.body() == answered);
      settle();
      return;
    }
    add_packets(theirs_, answered);
    waiting_.push_back(&one);
    settle();
  }

  /// Answers that came, and the next poll.
  void settle() {
    for (;;) {
      if (poll_ && poll_->is_answered()) {
        known_->learn(body_of(polled_->back().bytes), poll_->body());
        add_packets(ours_, poll_->body());
        poll_.reset();
      }
      if (poll_ || waiting_.empty() || is_over()) return;
      polled_ = waiting_.front();
      waiting_.pop_front();
      poll_.emplace(*at_, known_->patched(polled_->front().bytes));
    }
  }

  void add(lines& theirs, lines& ours) {
    theirs.insert(theirs.end(), theirs_.begin(), theirs_.end());
    ours.insert(ours.end(), ours_.begin(), ours_.end());
  }

 private:
  // The poll that ends the session is let go with a noop.
  bool is_over() const { return ours_.size() > 1 && ours_.back() == "6"; }

  capture* at_;
  names* known_;
  std::deque<connection const*> waiting_;
  connection const* polled_ = nullptr;
  std::optional<http_client> poll_;
  lines theirs_;
  lines ours_;
};

struct outcome {
  lines theirs;
  lines ours;
};

outcome play(capture& at, std::string const& name, session const& what) {
  outcome seen;
  names known;
  bool const recovers = name == "session.csr-inmemory";
  std::vector<ws_player> sockets;
  polling_player polling(at, known);
  for (auto const& [number, one] : what) {
    if (!is_upgrade(one)) {
      polling.request(one);
      // The WebSocket beside it has probed, and waits for this one: it goes on when all is said.
      if (!sockets.empty()) at.run(150ms);
      polling.settle();
      continue;
    }
    sockets.emplace_back(at, one, known, recovers);
    if (name == "session.polling-upgrade") {
      sockets.back().step();  // 2probe
      continue;
    }
    while (sockets.back().step()) {
    }
    if (recovers && number == 1) at.emit_missed();
  }
  if (name == "session.polling-upgrade") {
    while (sockets.back().step()) {
    }
  }
  polling.settle();
  polling.add(seen.theirs, seen.ours);
  for (auto& one : sockets) one.add(seen.theirs, seen.ours);
  return seen;
}

}  // namespace

TEST_CASE("golden: recorded sessions", "[golden]") {
  difference_check table("session.");
  std::size_t count = 0;
  for (auto const& [name, what] : read_sessions(count)) {
    CAPTURE(name);
    settings how;
    how.recovery = name == "session.csr-inmemory";
    outcome seen;
    auto const again = [&](capture& at) {
      seen = play(at, name, what);
      return seen.ours;
    };
    {
      capture at(how);
      again(at);
      table.note(name, seen.theirs, seen.ours);
    }
    lines const generic = at_every_cut(how, again);
    if (!capture::has_types(name)) continue;
    how.typed = name;
    CHECK(at_every_cut(how, again) == generic);
  }
  CHECK(count == 24);
  table.finish();
}

TEST_CASE("golden: what a refused client is told", "[golden]") {
  std::size_t const count = for_each_fixture("wire-client.jsonl", [](auto const& name, auto line) {
    CAPTURE(name);
    bool const by_middleware = name == "client.connect-error-mw";
    CHECK((by_middleware || name == "client.connect-error-nope"));
    std::string const nsp = by_middleware ? "/mw" : "/nope";
    capture at(settings{});
    ws_client client(at, upgrade_request("/socket.io/?EIO=4&transport=websocket"));
    client.send(masked(1, "40" + nsp + ','));
    REQUIRE(client.frames().size() == 2);
    std::string const said = client.frames()[1].payload;
    std::string const head = "44" + nsp + ',';
    REQUIRE(said.starts_with(head));
    simdjson::dom::parser parser;
    simdjson::dom::element const payload = parser.parse(said.substr(head.size()));
    CHECK(std::string_view(payload["message"]) == std::string_view(line["message"]));
    element data;
    bool const has_data = payload["data"].get(data) == simdjson::SUCCESS;
    CHECK(has_data == line["data"].is_object());
    if (has_data) CHECK(simdjson::minify(data) == simdjson::minify(element(line["data"])));
  });
  CHECK(count == 2);
}
