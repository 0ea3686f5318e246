// Two servers joined by an adapter of the test's own: everything that the concept carries.
#include "sim/socketio_harness.hpp"

#include <map>
#include <set>

#include <hawser/policy/adapter.hpp>

using namespace sim;

namespace {

/// Nodes of one process; what is published reaches the others at once.
struct bus {
  struct node {
    hawser::cluster_inbox* inbox;
    std::set<std::string, std::less<>> open;
  };
  std::vector<node> nodes;
  struct awaited {
    hawser::cluster_inbox* asker;
    std::size_t due = 0;  // answers of sockets that were asked
    bool counted = false;
  };
  std::map<std::uint64_t, awaited> requests;
  int published = 0;
  bool is_deaf = false;  // answers get lost
};

class bus_adapter {
 public:
  struct options {
    bus* joined = nullptr;
  };
  static constexpr bool alone = false;

  bus_adapter(options const& numbers, hawser::cluster_inbox& inbox)
      : bus_(numbers.joined), inbox_(&inbox) {
    bus_->nodes.push_back({&inbox, {}});
  }
  ~bus_adapter() {
    std::erase_if(bus_->nodes, [&](bus::node const& one) { return one.inbox == inbox_; });
  }
  bus_adapter(bus_adapter const&) = delete;
  bus_adapter& operator=(bus_adapter const&) = delete;

  std::error_code open(std::string_view nsp) {
    mine().open.emplace(nsp);
    return {};
  }
  void close(std::string_view nsp) { mine().open.erase(std::string(nsp)); }

  std::error_code publish(hawser::cluster_operation const& what) {
    ++bus_->published;
    if (what.request != 0) bus_->requests[what.request] = {inbox_};
    for (auto const& one : std::vector<bus::node>(bus_->nodes)) {
      if (one.inbox != inbox_) one.inbox->perform(what);
    }
    if (what.request == 0) return {};
    bus::awaited const& asked = bus_->requests[what.request];
    bool const whole =
        what.verb == hawser::cluster_verb::fetch || (asked.counted && asked.due == 0);
    if (bus_->is_deaf) {
      inbox_->finished(what.request, make_error_code(errc::ack_timeout));
    } else if (whole) {
      inbox_->finished(what.request, {});
    }
    return {};
  }

  void answer(hawser::cluster_answer const& reply) {
    bus::awaited& asked = bus_->requests[reply.request];
    if (bus_->is_deaf) return;
    if (reply.socket) return asked.asker->found(reply.request, *reply.socket);
    if (reply.is_count) {
      asked.counted = true;
      asked.due += reply.count;
      return asked.asker->asked(reply.request, reply.count);
    }
    asked.asker->answered(reply.request, reply.arguments);
    if (--asked.due == 0) asked.asker->finished(reply.request, {});
  }

  std::size_t others(std::string_view nsp) const {
    std::size_t count = 0;
    for (auto const& one : bus_->nodes) {
      count += one.inbox != inbox_ && one.open.contains(nsp) ? 1u : 0u;
    }
    return count;
  }

 private:
  bus::node& mine() {
    return *std::find_if(bus_->nodes.begin(), bus_->nodes.end(),
                         [&](bus::node const& one) { return one.inbox == inbox_; });
  }
  bus* bus_;
  hawser::cluster_inbox* inbox_;
};
static_assert(hawser::adapter_policy<bus_adapter>);

using clustered = io_plain::with_adapter<bus_adapter>;

/// Two servers, on ports 80 and 81, and a client of each in the room "lobby".
struct pair : world {
  using server_type = hawser::basic_server<clustered>;
  bus joined;
  std::unique_ptr<server_type> first, second;
  std::unique_ptr<io_peer> one, two;

  pair() {
    first = make(80);
    second = make(81);
    one = std::make_unique<io_peer>(*this);
    two = std::make_unique<io_peer>(*this, std::string(), std::string(), std::uint16_t{81});
    for (auto* const at : {one.get(), two.get()}) (void)at->join();
    run();
    joined.published = 0;
  }
  std::unique_ptr<server_type> make(std::uint16_t port) {
    auto numbers = this->template options<server_type>();
    numbers.adapter.joined = &joined;
    auto made = std::make_unique<server_type>(io, std::move(numbers));
    made->on_connect([](hawser::socket s) { s.join("lobby"); });
    REQUIRE(!made->listen({.port = port}));
    return made;
  }
};

}  // namespace

TEST_CASE("adapter: a broadcast reaches the sockets of other servers", "[sim][socketio][adapter]") {
  pair both;
  CHECK(both.first->emit("hello", 1, "x") == 1);  // those of this server
  both.run();
  CHECK(both.one->packets() == strings{R"(42["hello",1,"x"])"});
  CHECK(both.two->packets() == strings{R"(42["hello",1,"x"])"});

  both.second->to("lobby").emit("room");
  both.second->to("nobody").emit("lost");
  both.run();
  CHECK(both.one->packets() == strings{R"(42["room"])"});
  CHECK(both.two->packets() == strings{R"(42["room"])"});
  CHECK(both.joined.published == 3);

  both.first->local().emit("mine");
  both.first->except("lobby").emit("lost");
  both.run();
  CHECK(both.one->packets() == strings{R"(42["mine"])"});
  CHECK(both.two->packets().empty());
}

TEST_CASE("adapter: a socket's broadcast leaves out that socket alone",
          "[sim][socketio][adapter]") {
  pair both;
  both.first->on("say", [](hawser::socket s, int what) { s.to("lobby").emit("said", what); });
  both.one->say(R"(42["say",7])");
  both.run();
  CHECK(both.one->packets().empty());
  CHECK(both.two->packets() == strings{R"(42["said",7])"});
}

TEST_CASE("adapter: joining, leaving and disconnecting from afar", "[sim][socketio][adapter]") {
  pair both;
  both.first->all().sockets_join("deck");
  CHECK(both.first->room("deck").size() == 1);
  CHECK(both.second->room("deck").size() == 1);
  both.second->to("deck").sockets_leave("lobby");
  CHECK(both.first->room("lobby").size() == 0);
  CHECK(both.second->room("lobby").size() == 0);
  both.first->disconnect_sockets();
  both.run();
  CHECK(both.one->packets() == strings{"41"});
  CHECK(both.two->packets() == strings{"41"});
}

TEST_CASE("adapter: sockets are described, of all servers", "[sim][socketio][adapter]") {
  pair both;
  int told = 0;
  std::set<std::string> ids;
  auto const keep = [&](std::error_code error, std::vector<hawser::socket_description> all) {
    ++told;
    CHECK_FALSE(error);
    for (auto const& one : all) {
      ids.insert(one.id);
      CHECK(std::find(one.rooms.begin(), one.rooms.end(), "lobby") != one.rooms.end());
      CHECK(one.handshake["url"].string() == engine_path + "websocket");
    }
  };
  both.first->fetch_sockets(keep);
  both.run();
  CHECK(told == 1);
  CHECK(ids.size() == 2);
  both.first->local().fetch_sockets([&](std::error_code error, auto const& all) {
    CHECK_FALSE(error);
    CHECK(all.size() == 1);
    ++told;
  });
  both.run();
  CHECK(told == 2);
  both.joined.is_deaf = true;
  both.first->fetch_sockets([&](std::error_code error, auto const& all) {
    CHECK(error == errc::ack_timeout);
    CHECK(all.size() == 1);
    ++told;
  });
  both.run();
  CHECK(told == 3);
}

TEST_CASE("adapter: acknowledgements of all servers' sockets", "[sim][socketio][adapter]") {
  pair both;
  std::vector<int> answers;
  std::optional<std::error_code> outcome;
  both.first->emit_with_ack("ask", 1, [&](std::error_code error, std::vector<int> all) {
    outcome = error;
    answers = std::move(all);
  });
  both.run();
  CHECK(both.one->packets() == strings{R"(420["ask",1])"});
  CHECK(both.two->packets() == strings{R"(420["ask",1])"});
  CHECK_FALSE(outcome);
  both.two->say("430[20]");
  CHECK_FALSE(outcome);
  both.one->say("430[10]");
  both.run();
  REQUIRE(outcome);
  CHECK_FALSE(*outcome);
  CHECK(answers == std::vector<int>{20, 10});
}

TEST_CASE("adapter: servers emit to each other", "[sim][socketio][adapter]") {
  pair both;
  std::vector<std::string> heard;
  both.first->on_server_event("tick", [&](int) { heard.emplace_back("first"); });
  both.second->on_server_event("tick", [&](int n) { heard.push_back(std::to_string(n)); });
  CHECK_FALSE(both.first->server_side_emit("tick", 5));
  CHECK(heard == std::vector<std::string>{"5"});
}

TEST_CASE("adapter: namespaces open and close with their last socket", "[sim][socketio][adapter]") {
  pair both;
  for (auto* const server : {both.first.get(), both.second.get()}) {
    server->of([](std::string_view name, json const&) { return name.starts_with("/g-"); });
  }
  both.one->say("40/g-1,");
  CHECK(both.joined.nodes[0].open.contains("/g-1"));
  CHECK_FALSE(both.joined.nodes[1].open.contains("/g-1"));
  both.one->say("41/g-1,");
  CHECK_FALSE(both.joined.nodes[0].open.contains("/g-1"));
  both.first.reset();
  both.second->emit("alone");
  both.run();
  CHECK(both.two->packets() == strings{R"(42["alone"])"});
}
