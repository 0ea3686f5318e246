// What a client has put into its journal arrives, whatever ends client, server and connections.
#include "sim/socketio_harness.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdlib.h>

#include <hawser/endpoint/journal_queue.hpp>

using namespace sim;

namespace {

using durable = io_plain::with_offline_queue<hawser::journal_queue>;
using note_client = hawser::basic_client<durable>;

class folder {
 public:
  folder() {
    std::filesystem::path const memory = "/dev/shm";
    auto const& above = is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (above / "hawser-client-journal-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  std::string stem() const { return path_ + "/notes"; }
  std::string file() const { return hawser::journal_path(stem(), "/"); }

  std::string contents() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void fill(std::string_view bytes) const {
    std::ofstream(file(), std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }

 private:
  std::string path_;
};

// A server that looks at the ids of notes, and forgets every so manieth acknowledgement.
struct notary : hall {
  std::vector<std::string> handled;
  std::map<std::string, int> arrived;  // by id
  int forgets = 0;
  int asked = 0;

  void listen() {
    server->on("note", [this](std::string text, std::string id, hawser::ack<bool> done) {
      if (arrived[id]++ == 0) handled.push_back(text);
      if (forgets == 0 || ++asked % forgets != 0) (void)done(true);
    });
  }

  std::unique_ptr<note_client> open(folder const& where) {
    auto numbers = options<note_client>();
    numbers.engine.transports = {hawser::eio::transport_kind::websocket};
    numbers.offline_queue.path = where.stem();
    numbers.sockets.ack_timeout = 2s;
    numbers.reconnect = {.first_delay = 100ms, .max_delay = 1s};
    auto made = std::make_unique<note_client>(io, std::move(numbers));
    (void)made->socket();
    return made;
  }
};

std::vector<std::string> notes(int count) {
  std::vector<std::string> made;
  for (int i = 0; i < count; ++i) made.push_back("note " + std::to_string(i));
  return made;
}

}  // namespace

TEST_CASE("sim: a journal that is cut at every byte gives back what was accepted, and no more",
          "[sim][client][journal]") {
  folder where;
  auto const all = notes(4);
  std::vector<std::size_t> ends;  // of the file, when a note had been accepted
  {
    notary n;
    auto const client = n.open(where);
    ends.push_back(where.contents().size());
    for (auto const& text : all) {
      REQUIRE(!client->emit("note", text));
      ends.push_back(where.contents().size());
    }
  }
  std::string const whole = where.contents();
  REQUIRE(whole.size() == ends.back());
  for (std::size_t cut = ends.front(); cut <= whole.size(); ++cut) {
    where.fill(std::string_view(whole).substr(0, cut));
    std::size_t accepted = 0;
    while (accepted < all.size() && ends[accepted + 1] <= cut) ++accepted;
    notary n;
    n.listen();
    auto const client = n.open(where);
    REQUIRE(client->waiting().messages == accepted);
    REQUIRE(!client->connect("ws://x"));
    n.run(1s);
    REQUIRE(n.handled == std::vector(all.begin(), all.begin() + static_cast<long>(accepted)));
    REQUIRE(client->waiting().messages == 0);
  }
}

TEST_CASE("sim: notes of a client that is killed again and again are handled once, in order",
          "[sim][client][journal]") {
  auto const seed = GENERATE(range(1u, 13u));
  folder where;
  hawser::seeded_random chance(seed);
  auto const some = [&](std::uint64_t most) { return chance.source().next() % most; };
  notary n;
  n.forgets = 3;
  n.listen();
  auto client = n.open(where);
  std::vector<std::string> accepted;
  int killed = 0;
  for (int step = 0; step < 300; ++step) {
    switch (some(8)) {
      case 0:
      case 1:
      case 2: {
        std::string text = "note " + std::to_string(step);
        REQUIRE(!client->emit("note", text));
        accepted.push_back(std::move(text));
        break;
      }
      case 3: (void)client->connect("ws://x"); break;
      case 4:
        for (auto& one : n.net.connections()) one.reset();
        break;
      case 5:
        if (some(3) == 0) {
          n.restart();
          n.listen();
        }
        break;
      case 6:
        if (some(3) != 0) break;
        client.reset();
        client = n.open(where);
        ++killed;
        break;
      default: n.run(std::chrono::milliseconds(some(2'000)));
    }
  }
  (void)client->connect("ws://x");
  n.net.run_until([&] { return client->waiting().messages == 0; }, 1h);
  CHECK(n.handled == accepted);
  CHECK(killed > 0);
  CHECK(accepted.size() > 50);
  int twice = 0;
  for (auto const& [id, count] : n.arrived) twice += count > 1;
  CHECK(twice > 0);  // on the wire, at least once
}

TEST_CASE("sim: the owner of a note in a journal is told when it is acknowledged",
          "[sim][client][journal]") {
  folder where;
  notary n;
  n.forgets = 2;
  n.listen();
  auto client = n.open(where);
  std::vector<std::string> told;
  for (auto const& text : notes(3)) {
    client->emit_with_ack("note", text, [&, text](std::error_code error, bool yes) {
      told.push_back(error ? error.message() : text + (yes ? "" : "?"));
    });
  }
  n.run(1s);
  CHECK(told.empty());
  REQUIRE(!client->connect("ws://x"));
  n.run(1min);
  CHECK(told == notes(3));
  // One that the client doesn't live to hear of arrives all the same.
  REQUIRE(!client->disconnect());
  n.run(1s);
  client->emit_with_ack("note", "the last", [&](std::error_code, bool) { told.push_back("no"); });
  client.reset();  // the journal is free at once
  client = n.open(where);
  REQUIRE(!client->connect("ws://x"));
  n.run(1min);
  CHECK(n.handled.back() == "the last");
  CHECK(told.size() == 3);
}
