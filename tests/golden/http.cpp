// Every captured HTTP request: what it is answered, after what went before it.
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "golden/capture.hpp"
#include "support/fixtures.hpp"

using namespace golden;
using namespace hawser_test;
using simdjson::dom::element;

namespace {

// A request of a scenario, or of none: then only the answer was captured.
struct step {
  std::string name{};
  std::string request{};
  bool held = false;  // answered later
};
struct scenario {
  std::string name;
  std::vector<step> steps;
  settings how{};
};

std::string get() { return "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"; }
std::string poll() {
  return "GET /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: x\r\n\r\n";
}
std::string post(std::string const& body) {
  return "POST /socket.io/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: "
         "x\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// With the id of the session that there is, unless it was to be unknown.
std::string with_sid(std::string request, std::string const& sid) {
  auto const at = request.find("&sid=");
  if (at == std::string::npos || request.compare(at, 9, "&sid=nope") == 0) return request;
  auto const end = request.find_first_of(" &", at + 5);
  return request.replace(at + 5, end - at - 5, sid);
}

using answers = std::map<std::string, lines>;

struct vector_line {
  std::string request;
  lines answer;
  bool with_headers = false;
};

std::map<std::string, vector_line> read_vectors() {
  std::map<std::string, vector_line> all;
  for_each_fixture("wire-http.jsonl", [&](std::string const& name, element line) {
    vector_line& one = all[name];
    std::string_view part;
    if (line["request"]["hex"].get(part) == simdjson::SUCCESS) one.request = from_hex(part);
    std::int64_t status = 0;
    if (line["response_status"].get(status) != simdjson::SUCCESS) {
      one.answer = {"nothing"};
      one.with_headers = true;
      return;
    }
    std::string body;
    if (line["response_body_dechunked"].get(part) == simdjson::SUCCESS) {
      body = part;
    } else {
      body = from_hex(std::string_view(line["response_body"]["hex"]));
    }
    std::string head = "HTTP/1.1 " + std::to_string(status);
    one.with_headers = line["response_head"].get(part) == simdjson::SUCCESS;
    if (one.with_headers) head = part;
    one.answer = described_answer(head, body, one.with_headers);
  });
  return all;
}

std::vector<scenario> scenarios(std::map<std::string, vector_line> const& vectors) {
  settings second;
  second.max_payload = 20;
  second.cookie_and_cors = true;
  step const open{"", get()};
  std::vector<scenario> all{
      {"http.chain",
       {open,
        {"http.poll-connect-post"},
        {"http.poll-connect-get"},
        {"http.poll-post-multi"},
        {"http.poll-get-ack"},
        {"http.poll-post-sendme"},
        {"http.poll-get-multi-binary"},
        {"http.poll-post-binary"},
        {"http.poll-post-octet"},
        {"http.poll-after-error"}}},
      {"http.overlap", {open, {"http.poll-overlap-first", poll(), true}, {"http.poll-overlap"}}},
      {"http.close",
       {open,
        {"http.poll-pending-on-close", poll(), true},
        {"http.poll-post-close"},
        {"http.poll-after-close"}}},
      {"http.kick",
       {open,
        {"", post("40")},
        {"", poll()},
        {"http.poll-server-disconnect-close", poll(), true},
        {"", post("42[\"kickall\"]")}}},
      {"http.garbage", {open, {"http.poll-post-garbage"}, {"http.poll-post-garbage-next"}}},
      {"http.empty", {open, {"http.poll-post-empty"}, {"http.poll-post-empty-next"}}},
      {"http.put", {open, {"http.poll-put"}}},
      {"http.mismatch", {open, {"http.sid-transport-mismatch"}}},
      {"http.large", {open, {"http.payload-too-large"}}, second},
      {"http.cookie", {{"http.handshake-cookie-cors"}}, second},
      {"http.preflight", {{"http.options-cors"}}, second},
      {"http.eio3", {{"http.handshake-eio3"}}, second},
  };
  // All others stand alone.
  for (auto const& [name, line] : vectors) {
    bool used = false;
    for (auto const& one : all) {
      for (auto const& each : one.steps) used = used || each.name == name;
    }
    if (!used) all.push_back({name, {{name}}});
  }
  for (auto& one : all) {
    for (auto& each : one.steps) {
      if (each.request.empty()) each.request = vectors.at(each.name).request;
    }
  }
  return all;
}

// Each request on a connection of its own, in order.
lines play(capture& at, scenario const& what, std::map<std::string, vector_line> const& vectors,
           answers& seen) {
  std::vector<http_client> clients;
  std::string sid;
  for (step const& each : what.steps) {
    clients.emplace_back(at, with_sid(each.request, sid));
    if (sid.empty()) sid = quoted(clients.back().body(), "sid");
  }
  at.run(10ms);
  lines all;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    auto const& name = what.steps[i].name;
    lines const answer = clients[i].is_answered()
                             ? described_answer(clients[i].head(), clients[i].body(),
                                                name.empty() || vectors.at(name).with_headers)
                             : lines{"nothing"};
    if (!name.empty()) seen[name] = answer;
    all.push_back("# " + name);
    all.insert(all.end(), answer.begin(), answer.end());
  }
  return all;
}

}  // namespace

TEST_CASE("golden: HTTP requests", "[golden]") {
  auto const vectors = read_vectors();
  CHECK(vectors.size() == 40);
  difference_check table("http.");
  std::size_t count = 0;
  for (scenario const& one : scenarios(vectors)) {
    CAPTURE(one.name);
    answers seen;
    lines const generic =
        at_every_cut(one.how, [&](capture& at) { return play(at, one, vectors, seen); });
    for (auto const& [name, answer] : seen) {
      table.note(name, vectors.at(name).answer, answer);
      ++count;
    }
    if (!capture::has_types(one.name)) continue;
    settings typed = one.how;
    typed.typed = one.name;
    CHECK(at_every_cut(typed, [&](capture& at) { return play(at, one, vectors, seen); }) ==
          generic);
  }
  CHECK(count == vectors.size());
  table.finish();
}
