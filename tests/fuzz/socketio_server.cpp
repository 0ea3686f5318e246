// Fuzzes a whole Socket.IO server on the memory network: peers that poll, upgrade, connect to
// namespaces and emit, what handlers do about it, and what breaks meanwhile.
#include <hawser/server.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include <hawser/testing/memory_network.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "script.hpp"
#include "socketio_peers.hpp"

using namespace hawser_fuzz;
using namespace std::chrono_literals;
using hawser::memory_peer;

namespace {

using hawser::socket;  // here it hides the function of the system

constexpr hawser::event<"pos", std::uint32_t, double> position{.delivery = hawser::latest};

template <class Framing, class Backpressure>
class world {
 public:
  using policies = hawser::policies<>::with_transport<hawser::memory>::template with_framing<
      Framing>::template with_backpressure<Backpressure>;
  using server_type = hawser::basic_server<policies>;

  world(std::uint8_t shape, std::uint8_t more, script& input) : input_(input), random_(shape) {
    net_.limit_handlers_at_one_time(200'000);
    server_.emplace(io_, numbers(shape, more));
    if ((shape & 16) != 0) {
      server_->allow_request([this](hawser::handshake const&, hawser::decision d) {
        waiting_.push_back(std::move(d));
      });
    }
    server_->on_error([](std::error_code error, std::string_view) { require(bool(error)); });
    server_->on_connection_error([](hawser::connection_error const& e) {
      require(!e.message.empty() || e.code != hawser::eio::refusal::forbidden);
    });
    serve(*server_);
    namespaces(more);
    require(!server_->listen({.port = 80}));
  }

  void run() {
    for (int steps = 0; !input_.empty() && steps < 400 && server_; ++steps) step(input_.byte());
    finish();
  }

 private:
  auto numbers(std::uint8_t shape, std::uint8_t more) {
    typename server_type::options made;
    made.transport.network = &net_;
    made.random = random_.source();
    made.framing.max_message_size = 3'000;
    made.framing.deflate.enabled = (more & 1) != 0;
    made.framing.deflate.threshold = 16;
    made.send_buffer = 1024;
    made.heartbeat = {.ping_interval = 5s, .ping_timeout = 3s};
    made.engine.cookie.name = (more & 2) != 0 ? "io" : "";
    if ((more & 2) != 0) made.engine.cors.origins = {"https://elsewhere.example"};
    made.engine.compression_threshold = 20;
    if ((shape & 1) != 0) {
      made.framing.max_message_size = 300;
      made.framing.max_attachments = 2;
      made.framing.max_packets = 4;
      made.framing.values = {.max_depth = 4, .max_values = 20, .max_number = 10};
      made.sockets = {.connect_timeout = 2s,
                      .decision_timeout = 1s,
                      .max_pending = 1,
                      .max_namespaces = 2,
                      .max_connect_errors = 2,
                      .ack_timeout = 1s,
                      .max_acks = 2,
                      .max_unknown_acks = 2,
                      .max_child_namespaces = 2};
      made.max_connections = 4;
      made.limits.partial_message_budget = 1'000;
      made.rooms = {.max_rooms_per_member = 3, .max_room_name = 20};
    }
    if ((shape & 2) != 0) {
      made.recovery.enabled = true;
      made.recovery.max_sessions = 2;
      made.recovery.max_packets = 10;
      made.recovery.max_log_bytes = 4'000;
    }
    if ((shape & 4) != 0) made.backpressure = {.max_bytes = 400, .max_messages = 4};
    if ((shape & 8) != 0) made.limits.rates.messages = {.per_second = 2, .burst = 5};
    return made;
  }

  void namespaces(std::uint8_t more) {
    auto chat = server_->of("/chat");
    serve(chat);
    chat.authenticate([this](hawser::handshake const& who, hawser::decision d) {
      if (who.auth()["late"].is_null()) return d.accept(std::string("data"));
      waiting_.push_back(std::move(d));
    });
    chat.use([this](socket s, hawser::decision d) {
      require(!s.connected() && s.emit("early") == hawser::errc::not_open && !s.join("early"));
      if (s.data<std::string>() == nullptr) return d.reject("no", json::object({{"code", 1}}));
      if (++steps_ % 4 == 3) throw std::runtime_error("asked");
      d.accept();
    });
    auto many = server_->of([](std::string_view name, json const& auth) {
      if (!auth["throw"].is_null()) throw std::runtime_error("asked");
      return name.starts_with("/d");
    });
    serve(many);
    many.on_child([this](hawser::nsp child) {
      require(child.name().starts_with("/d"));
      child_ = child;
    });
    if ((more & 4) != 0) {
      chat.may_join([](socket, std::string_view room) { return room != "few"; });
      chat.may_send([](socket, hawser::event_view const& what) { return what.size() < 4; });
      chat.may_receive([this](socket) { return ++steps_ % 3 != 0; });
    }
    if ((more & 8) != 0) {
      server_->on_any([this](socket s, hawser::event_view const& what) {
        require(here_.count(s) == 1);
        if (what.name() == "off") (void)s.disconnect();
      });
      server_->on_any_outgoing([](socket s, hawser::event_view const& what) {
        require(s.connected() && !what.name().empty());
      });
      server_->on_room([this](hawser::room_event const& e) {
        if (++steps_ % 16 == 0) server_->to(e.room).emit("room", e.id);
      });
    }
  }

  // One connect event gives one disconnect event, and nothing is delivered but between them.
  template <class Nsp>
  void serve(Nsp& in) {
    in.on_connect([this](socket s) {
      require(s.connected() && here_.insert(s).second && gone_.count(s) == 0);
      if (++steps_ % 2 == 0) s.join("all");
    });
    in.on_disconnecting([this](socket s, hawser::disconnect_reason) {
      require(here_.count(s) == 1 && leaving_.insert(s).second);
      if (++steps_ % 4 == 0) s.to("all").emit("leaves", s.id());
      if (steps_ % 8 == 1) (void)s.disconnect(true);
    });
    in.on_disconnect([this](socket s, hawser::disconnect_reason why) {
      require(!hawser::describe(why).empty() && leaving_.count(s) == 1);
      require(here_.erase(s) == 1 && gone_.insert(s).second);
      require(s.emit("late") == hawser::errc::not_open && !s.connected());
      if (++steps_ % 4 == 2 && server_) server_->to("all").emit("left", 1, 2.5);
    });
    in.on_bad_event([](socket, std::string_view, std::error_code why) { require(bool(why)); });
    events(in);
  }

  template <class Nsp>
  void events(Nsp& in) {
    in.on("m", [this](socket s, double a, double b) {
      require(here_.count(s) == 1 && s.connected());
      (void)s.emit("m", a, b);
    });
    in.on("v", [this](socket s, hawser::event_view const& what) {
      require(here_.count(s) == 1);
      (void)s.emit("v", what);
    });
    in.on("j", [](socket s, std::string_view room) { return s.join(room); });
    in.on("l", [](socket s, std::string_view room) { return s.leave(room), s.rooms(); });
    in.on("t", [](socket s, std::string_view room, json const& what) {
      return s.everybody().to(room).except("few").emit("t", what);
    });
    in.on("b", [](socket s, hawser::bytes_view bytes) { s.broadcast().emit("b", bytes, bytes); });
    in.on("p", [](socket s, std::uint32_t who) { s.broadcast().emit(position, who, 1.5); });
    in.on("u", [](socket s, json const& what) { (void)s.unreliable().emit("u", what); });
    in.on("k", [this](socket, json const&, hawser::ack<json> done) {
      acks_.push_back(std::move(done));
    });
    in.on("q", [](socket s) {
      for (int i = 0; i < 30; ++i) (void)s.emit("q", "a longer event, again and again", i);
      require(s.queued().bytes < 200'000);
    });
    in.on("a", [this](socket s, json const& what) {
      s.timeout(2s).emit_with_ack("a", what, told_once<json>());
    });
    in.on("A", [this](socket s) {
      s.everybody().timeout(2s).emit_with_ack("A", 1, told_once<std::vector<json>>());
    });
    in.on("f", [this](socket s) { fetch(s.everybody()); });
    in.on("x", [] { throw std::runtime_error("asked"); });
    in.on("d", [](socket s, bool close) { (void)s.disconnect(close); });
    in.on("c", [](socket s) { (void)s.close_connection(); });
    in.on("D", [](socket s, bool close) { s.everybody().disconnect_sockets(close); });
    in.on("J", [](socket s, std::string_view room) { s.everybody().sockets_join(room); });
    in.on("L", [](socket s, std::string_view room) { s.everybody().sockets_leave(room); });
    in.on("s", [this](socket s) { later_ = s; });
    in.on("o", [this](socket s) { own_handlers(s); });
    in.once("O", [](socket s) { (void)s.emit("O"); });
    in.on("h", [this](socket, std::optional<int> how) { server(how.value_or(0)); });
  }

  void own_handlers(socket const& s) {
    s.once("m", [this, s](double) { require(s.connected() && here_.count(s) == 1); });
    s.on("n", [s] { s.off("n"); });
    s.use([](hawser::event_view const& what) { return what.name() != "no"; });
    s.on_any([](hawser::event_view const& what) {
      if (what.name() == "X") throw std::runtime_error("asked");
    });
    s.on_any_outgoing([](hawser::event_view const& what) { require(what.size() < 10'000); });
  }

  void server(int how) {
    if (!server_) return;
    switch (how) {
      case 0: server_->flush(); break;
      case 1: server_->drain({.window = 1s, .deadline = 3s}); break;
      case 2: server_->stop(); break;
      case 3: server_.reset(); break;
      case 4: server_->off("m"); break;
      case 5:
        server_->handlers(std::move(
            hawser::event_handlers().on("m", [](socket s, json) { (void)s.emit("new"); })));
        break;
      case 6: net_.stall(4s); break;
      case 7: server_->of("/chat").disconnect_sockets(); break;
      default: server_->emit("all", how);
    }
  }

  // A handler of acknowledgements that has to be called once, as long as there is a server.
  template <class Result>
  auto told_once() {
    ++asked_;
    return [this, told = false](std::error_code, Result) mutable {
      require(!std::exchange(told, true));
      ++told_;
      if (told_ % 8 == 7 && server_) server_->emit("told");
    };
  }
  void fetch(hawser::broadcast_operator const& whom) {
    ++asked_;
    whom.fetch_sockets([this](std::error_code, std::vector<hawser::socket_description> found) {
      ++told_;
      for (auto const& one : found) require(one.id.size() == 20);
    });
  }

  std::string packet(bool polls) { return writer_.packet(input_, heard_, polls); }
  std::string const& sid(std::uint8_t code) const { return heard_.sids[code % 3]; }

  void step(std::uint8_t code) {
    auto& slot = peers_[(code >> 5) % peers_.size()];
    if (!slot && (code & 31) < 17) {
      slot = std::make_unique<memory_peer>(net_, std::uint16_t{80});
      net_.run_ready();
    }
    switch (code & 31) {
      case 0: slot->send(ask("transport=polling", "Accept-Encoding: gzip\r\n")); break;
      case 1: slot->send(upgrade("transport=websocket", (code & 32) != 0)); break;
      case 2: slot->send(ask("transport=polling&sid=" + sid(input_.byte()))); break;
      case 3: slot->send(upgrade("transport=websocket&sid=" + sid(input_.byte()), false)); break;
      case 4: slot->send(frame(0x81, "2probe", true)); break;
      case 5: slot->send(frame(0x81, "5", true)); break;
      case 6:
      case 7: slot->send(packet(false)); break;
      case 8: slot->send(post(sid(code >> 5), packet(true))); break;
      case 9: slot->send(post(sid(input_.byte()), packet(true))); break;
      case 10: slot->send(frame(0x81, input_.bytes(), true)); break;
      case 11: slot->send(frame(input_.byte(), input_.bytes(), true)); break;
      case 12: slot->send(post(sid(input_.byte()), input_.bytes())); break;
      case 13: slot->send(input_.bytes()); break;
      case 14:
        slot->send((code & 32) != 0 ? frame(0x81, "3", true) : post(sid(code >> 6), "3"));
        break;
      case 15: slot->shutdown(); break;
      case 16: slot->reset(); break;
      case 17: slot.reset(); break;
      case 18: decide(input_.byte()); break;
      case 19: answer(input_.byte()); break;
      case 20:
      case 21: net_.run_for(time_of(input_.byte())); break;
      case 22: net_.fail_at(1u + input_.byte() % 32, fault_of(input_.byte())); break;
      case 23: net_.set_link(link_of(input_.byte())); break;
      case 24: later(input_.byte()); break;
      case 25: child_.emit("child", 1), fetch(child_.all()); break;
      case 26: server(input_.byte() % 16); break;
      case 27: server_->poll(0ms); break;
      case 28: server_->to("all").emit("bytes", hawser::as_bytes(input_.bytes())); break;
      case 29: (void)server_->remote().emit(server_->all(), "remote", json(1)); break;
      case 30: connected(slot, code); return;
      default: pause(slot); break;
    }
    net_.run_ready();
    require(!net_.stuck());
    listen();
    if (server_) check();
  }

  // The usual beginning, so that the fuzzer has not to find it: a WebSocket in one namespace.
  void connected(std::unique_ptr<memory_peer>& slot, std::uint8_t code) {
    slot = std::make_unique<memory_peer>(net_, std::uint16_t{80});
    slot->send(upgrade("transport=websocket", false));
    net_.run_ready();
    static constexpr std::string_view names[] = {"/", "/chat", "/d1"};
    slot->send(writer_.connect(names[(code >> 5) % std::size(names)]));
    net_.run_ready();
    listen();
  }

  void pause(std::unique_ptr<memory_peer>& slot) {
    if (slot) slot->pause_reading((steps_ & 1) == 0);
  }

  void listen() {
    for (auto& one : peers_) {
      if (one) heard_.read(one->take());
    }
  }

  void decide(std::uint8_t how) {
    if (waiting_.empty()) return;
    auto d = std::move(waiting_.back());
    waiting_.pop_back();
    if (how % 3 == 0) d.accept(std::string("data"));
    if (how % 3 == 1) d.reject("no");
  }
  void answer(std::uint8_t how) {
    if (acks_.empty()) return;
    auto done = std::move(acks_.back());
    acks_.pop_back();
    if (how % 2 == 0) (void)done(json("late"));
    require(how % 2 != 0 || !done);
  }
  void later(std::uint8_t how) {
    if (!later_.anchored()) return;
    switch (how % 6) {
      case 0: (void)later_.emit("later"); break;
      case 1: later_.emit_with_ack("later", told_once<json>()); break;
      case 2: (void)later_.disconnect(); break;
      case 3: (void)later_.disconnect(true); break;
      case 4: (void)later_.close_connection(); break;
      default: later_.to("all").emit_with_ack("later", told_once<std::vector<json>>());
    }
  }

  void check() {
    auto const& seen = server_->counters();
    require(seen.sockets_connected == here_.size() + gone_.size());
    require(leaving_.size() == gone_.size());
    require(seen.opened - seen.closed <= seen.opened && seen.objects < 100);
    require(server_->size() == seen.opened - seen.closed);
  }

  // Everybody leaves: nothing may be left.
  void finish() {
    waiting_.clear();
    acks_.clear();
    for (auto& one : peers_) one.reset();
    for (int i = 0; i < 4; ++i) net_.run_for(60s);
    require(!net_.stuck());
    if (server_) {
      check();
      auto const& seen = server_->counters();
      require(server_->size() == 0 && here_.empty() && seen.objects == 0 &&
              seen.partial_bytes == 0);
      require(asked_ == told_);
      require(server_->all().size() == 0 && server_->room("all").size() == 0);
      server_.reset();
    }
    net_.run_for(1s);
    require(net_.live_streams() == 0 && net_.live_timers() == 0 && net_.live_listeners() == 0);
    require(net_.pending_waits() == 0);
    require(later_.emit("x") == hawser::errc::not_open && !child_);
  }

  script& input_;
  hawser::seeded_random random_;
  asio::io_context io_;
  hawser::memory_network net_{io_};
  packet_writer<typename Framing::parser> writer_;
  std::optional<server_type> server_;
  std::vector<hawser::decision> waiting_;
  std::vector<hawser::ack<json>> acks_;
  std::array<std::unique_ptr<memory_peer>, 5> peers_;
  secrets heard_;
  struct by_number {
    bool operator()(socket const& a, socket const& b) const {
      return a.number().number() < b.number().number();
    }
  };
  std::set<socket, by_number> here_, leaving_, gone_;
  socket later_;
  hawser::nsp child_;
  std::size_t asked_ = 0, told_ = 0;
  unsigned steps_ = 0;
};

template <class Framing, class Backpressure>
void play(std::uint8_t shape, std::uint8_t more, script& input) {
  world<Framing, Backpressure>(shape, more, input).run();
}

}  // namespace

// The first two bytes choose options, parser and backpressure; then steps, each a byte (which, and
// of which peer) and what it needs.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  script input(data + 2, size - 2);
  std::uint8_t const shape = data[0], more = data[1];
  if (more >= 128) {
    play<hawser::msgpack_framing, hawser::pause_reading>(shape, more, input);
  } else {
    play<hawser::socketio_framing, hawser::latest_by_key>(shape, more, input);
  }
  return 0;
}
