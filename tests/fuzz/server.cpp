// Fuzzes a whole server on the memory network: what peers say, when, and what breaks meanwhile.
#include <hawser/server.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>

#include <hawser/testing/memory_network.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "script.hpp"

using namespace hawser_fuzz;
using namespace std::chrono_literals;
using hawser::memory_peer;

namespace {

template <class Backpressure>
class world {
 public:
  using policies =
      hawser::websocket_policies::with_transport<hawser::memory>::with_backpressure<Backpressure>;
  using server_type = hawser::basic_server<policies>;

  world(std::uint8_t shape, script& input) : input_(input), random_(shape) {
    net_.limit_handlers_at_one_time(200'000);
    typename server_type::options numbers;
    numbers.transport.network = &net_;
    numbers.framing.max_message_size = 2000;
    numbers.framing.deflate.enabled = true;
    numbers.framing.deflate.threshold = 16;
    if ((shape & 1) != 0) {
      numbers.framing.deflate.kind = hawser::ws::compressor::dedicated;
      numbers.framing.deflate.server_no_context_takeover = false;
      numbers.framing.deflate.client_no_context_takeover = false;
    }
    if ((shape & 2) != 0) numbers.backpressure = {.max_bytes = 300, .max_messages = 4};
    if ((shape & 4) != 0) {
      numbers.max_connections = 2;
      numbers.limits.partial_message_budget = 1000;
      numbers.max_early_bytes = 40;
      numbers.max_body_size = 50;
    }
    if ((shape & 8) != 0) numbers.limits.rates.messages = {.per_second = 2, .burst = 3};
    if ((shape & 8) != 0) numbers.limits.rates.control = {.per_second = 1, .burst = 3};
    numbers.send_buffer = 1024;
    numbers.subprotocols = {"chat", "echo"};
    numbers.random = random_.source();
    server_.emplace(io_, std::move(numbers));
    if ((shape & 16) != 0) {
      server_->authenticate([this](hawser::handshake const&, hawser::decision d) {
        waiting_.push_back(std::move(d));
      });
    }
    handlers();
    require(!server_->listen({.port = 80}));
  }

  void run() {
    for (int steps = 0; !input_.empty() && steps < 400 && server_; ++steps) step(input_.byte());
    finish();
  }

 private:
  void handlers() {
    server_->on_open([this](hawser::websocket s) {
      require(open_.insert(s.id()).second && ended_.count(s.id()) == 0);
      s.join("all");
    });
    server_->on_message([this](hawser::websocket s, hawser::message const& m) {
      require(open_.count(s.id()) == 1);
      on_message(s, m);
    });
    server_->on_close([this](hawser::websocket s, hawser::close_event const&) {
      require(open_.erase(s.id()) == 1 && ended_.insert(s.id()).second);
      if ((ended_.size() & 3) == 3) server_->to("all").send("somebody left");
    });
    server_->on_drain([this](hawser::websocket s) {
      require(open_.count(s.id()) == 1);
      if (++drains_ < 20) s.send("drained");  // else it goes on for ever on a narrow link
    });
    server_->on_error([](std::error_code error, std::string_view) { require(bool(error)); });
    server_->get("/",
                 [](hawser::http_request const&, hawser::http_reply r) { r.send(200, "hello"); });
    server_->get("/late", [this](hawser::http_request const&, hawser::http_reply r) {
      replies_.push_back(std::move(r));
    });
    server_->post("/", [](hawser::http_request const& q, hawser::http_reply r) {
      r.send(200, std::string(q.body));
    });
  }

  void on_message(hawser::websocket const& s, hawser::message const& m) {
    auto const text = m.text();
    switch (text.empty() ? '\0' : text[0]) {
      case 'a': server_->to("all").send(m); break;
      case 'b': s.to("all").send(m, {.key = text.size() % 3}); break;
      case 'c': s.close(hawser::close_code::normal, "asked"); break;
      case 'd': server_->to("all").except("few").send(m); break;
      case 'e': s.join("few"); break;
      case 'f': s.leave(text.size() % 2 == 0 ? "few" : "all"); break;
      case 'g':
        for (int i = 0; i < 40; ++i) s.send(std::string_view("a longer message, again and again"));
        break;
      case 'h': s.send(std::string(1900, 'h')); break;
      case 'i': throw std::runtime_error("asked");
      case 'j': s.terminate(); break;
      case 'k': server_->for_each([](hawser::websocket other) { other.close(); }); break;
      case 'l': server_->for_each([](hawser::websocket other) { other.terminate(); }); break;
      case 'm': server_->flush(); break;
      case 'n': server_->stop(); break;
      case 'o': server_->drain({.window = 1s, .deadline = 3s}); break;
      case 'p': later_ = s; break;
      case 'q': net_.stall(3s); break;
      case 'r': server_.reset(); return;
      default: s.send(m);
    }
    require(s.queued().bytes < 200'000);
  }

  memory_peer* peer() { return peers_[at_ % peers_.size()].get(); }

  void step(std::uint8_t code) {
    at_ = code >> 5;
    auto& slot = peers_[at_ % peers_.size()];
    if (!slot && (code & 31) < 15) {
      slot = std::make_unique<memory_peer>(net_, std::uint16_t{80});
      net_.run_ready();
    }
    switch (code & 31) {
      case 0: slot->send(upgrade(input_.byte())); break;
      case 1: slot->send(input_.bytes()); break;
      case 2: slot->send(frame(input_.byte(), input_.bytes(), true)); break;
      case 3: slot->send(frame(0x81, input_.bytes(), true)); break;
      case 4: slot->send(frame(0x88, input_.bytes(), true)); break;
      case 5: slot->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); break;
      case 6: slot->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"); break;
      case 7: slot->send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n"); break;
      case 8: slot->shutdown(); break;
      case 9: slot->reset(); break;
      case 10: slot.reset(); break;
      case 11: slot->pause_reading(true); break;
      case 12: slot->pause_reading(false); break;
      case 13: slot->connection().hold(); break;
      case 14: slot->connection().release(); break;
      case 15:
        if (slot) slot->connection().cut();
        break;
      case 16:
        if (slot) slot->connection().set_link(link_of(input_.byte()));
        break;
      case 17: net_.set_link(link_of(input_.byte())); break;
      case 18: net_.run_for(time_of(input_.byte())); break;
      case 19: net_.stall(time_of(input_.byte())); break;
      case 20: net_.fail_at(1u + input_.byte() % 32, fault_of(input_.byte())); break;
      case 21: server_->to("all").send(input_.bytes()); break;
      case 22: server_->all().send(hawser::as_bytes(input_.bytes()), {.key = 1}); break;
      case 23: later_.send(input_.bytes()); break;
      case 24: later_.close(); break;
      case 25: later_.terminate(); break;
      case 26: decide(input_.byte()); break;
      case 27: replies_.clear(); break;
      case 28: server_->flush(); break;
      case 29: server_->poll(0ms); break;
      case 30:
        server_->remote().post([this] {
          if (server_) server_->flush();
        });
        break;
      default: net_.run_ready();
    }
    if ((code & 31) < 17) net_.run_ready();
    require(!net_.stuck());
    if (server_) check();
  }

  void decide(std::uint8_t how) {
    if (waiting_.empty()) return;
    auto d = std::move(waiting_.back());
    waiting_.pop_back();
    if (how % 3 == 0) d.accept(std::string("data"));
    if (how % 3 == 1) d.reject("no");
  }

  void check() {
    auto const& seen = server_->counters();
    require(seen.opened - seen.closed == server_->size() && server_->size() == open_.size());
    require(seen.closed == ended_.size());
    require(seen.objects < 100);
  }

  static std::string upgrade(std::uint8_t how) {
    std::string made =
        "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if ((how & 1) != 0) made += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    if ((how & 2) != 0) made += "Sec-WebSocket-Protocol: echo\r\n";
    if ((how & 4) != 0) made += "Origin: https://elsewhere.example\r\n";
    return made + "\r\n";
  }

  // Everybody leaves: nothing may be left.
  void finish() {
    waiting_.clear();
    replies_.clear();
    for (auto& one : peers_) one.reset();
    for (int i = 0; i < 4; ++i) net_.run_for(60s);
    require(!net_.stuck());
    if (server_) {
      check();
      auto const& seen = server_->counters();
      require(server_->size() == 0 && open_.empty());
      require(seen.objects == 0 && seen.partial_bytes == 0);
      require(later_.queued().messages == 0 && !later_.is_open());
      server_.reset();
    }
    net_.run_for(1s);
    require(net_.live_streams() == 0 && net_.live_timers() == 0 && net_.live_listeners() == 0);
    require(net_.pending_waits() == 0);
    require(later_.send("x") == hawser::errc::not_open);
  }

  script& input_;
  hawser::seeded_random random_;
  asio::io_context io_;
  hawser::memory_network net_{io_};
  std::optional<server_type> server_;
  std::vector<hawser::decision> waiting_;
  std::vector<hawser::http_reply> replies_;
  std::array<std::unique_ptr<memory_peer>, 4> peers_;
  std::set<std::uint64_t> open_;
  std::set<std::uint64_t> ended_;
  hawser::websocket later_;
  std::size_t at_ = 0;
  int drains_ = 0;
};

template <class Backpressure>
void play(std::uint8_t shape, script& input) {
  world<Backpressure>(shape, input).run();
}

}  // namespace

// The first byte chooses options and backpressure; then steps, each a byte (which, and of which
// peer) and what it needs.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  script input(data + 1, size - 1);
  switch (data[0] >> 5) {
    case 0:
    case 1:
    case 2: play<hawser::latest_by_key>(data[0], input); break;
    case 3: play<hawser::pause_reading>(data[0], input); break;
    default: play<hawser::disconnect_slow>(data[0], input);
  }
  return 0;
}
