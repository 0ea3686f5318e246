// Fuzzes a whole client on the memory network against a server that is a script.
#include <hawser/client.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <asio/io_context.hpp>

#include <hawser/codec/ws/handshake.hpp>
#include <hawser/testing/memory_network.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "script.hpp"

using namespace hawser_fuzz;
using namespace std::chrono_literals;

namespace {

template <class Backpressure, class Reconnect, class Queue>
class world {
 public:
  using policies = typename hawser::websocket_policies::with_transport<hawser::memory>::
      template with_backpressure<Backpressure>::template with_reconnect<
          Reconnect>::template with_offline_queue<Queue>;
  static constexpr bool reconnects = std::is_same_v<Reconnect, hawser::exponential_backoff>;
  using client_type = hawser::basic_client<policies>;

  world(std::uint8_t shape, script& input) : input_(input), shape_(shape), random_(shape) {
    net_.limit_handlers_at_one_time(200'000);
    require(!host_.error());
    renew();
  }

  void run() {
    for (int steps = 0; !input_.empty() && steps < 400; ++steps) step(input_.byte());
    finish();
  }

 private:
  void renew() {
    typename client_type::options numbers;
    numbers.transport.network = &net_;
    numbers.framing.max_message_size = 2000;
    numbers.framing.deflate.enabled = true;
    numbers.framing.deflate.threshold = 16;
    if ((shape_ & 1) != 0) {
      numbers.framing.deflate.kind = hawser::ws::compressor::dedicated;
      numbers.framing.deflate.server_no_context_takeover = false;
      numbers.framing.deflate.client_no_context_takeover = false;
    }
    if ((shape_ & 2) != 0) numbers.backpressure = {.max_bytes = 300, .max_messages = 4};
    if ((shape_ & 4) != 0) numbers.max_received = 2;
    if ((shape_ & 4) != 0) numbers.limits.partial_message_budget = 1000;
    if ((shape_ & 8) != 0) numbers.limits.rates.messages = {.per_second = 2, .burst = 3};
    numbers.subprotocols = {"chat", "echo"};
    numbers.random = random_.source();
    if constexpr (reconnects) {
      numbers.connect_timeout = 3s;
      numbers.reconnect = {.first_delay = 50ms, .max_delay = 1s};
      if ((shape_ & 1) != 0) numbers.reconnect.attempts = 2;
      numbers.offline_queue = {.max_messages = 3, .max_bytes = 500, .max_age = 5s};
      using hawser::overflow_rule;
      if ((shape_ & 6) == 2) numbers.offline_queue.overflow = overflow_rule::drop_oldest;
      if ((shape_ & 6) == 4) numbers.offline_queue.overflow = overflow_rule::replace_by_key;
    }
    opens_ = closes_ = 0;
    client_.emplace(io_, std::move(numbers));
    if ((shape_ & 16) != 0) {
      client_->on_message([this](hawser::message const& m) { on_message(m); });
    }
    client_->on_open([this] {
      require(++opens_ == closes_ + 1 && client_->is_open());
      if (opens_ % 4 == 3) client_->send("opened");
    });
    client_->on_close([this](hawser::close_event const&) { require(++closes_ == opens_); });
    client_->on_dropped([this](hawser::dropped_message const& what) {
      require(what.id > 0 && reconnects);
      inside();
    });
    client_->on_state([this](hawser::client_state now) {
      require(now != last_);
      last_ = now;
      inside();
    });
    last_ = hawser::client_state::disconnected;
    client_->on_error([this](hawser::attempt_failure const& why) {
      require(bool(why.error));
      inside();
    });
    client_->on_reconnect_attempt([this](std::uint32_t number) {
      require(number > 0 && reconnects);
      inside();
    });
    client_->on_reconnect([](std::uint32_t number) { require(number > 0); });
    client_->on_reconnect_error(
        [](hawser::attempt_failure const& why) { require(bool(why.error)); });
    client_->on_reconnect_failed([this] { inside(); });
    client_->on_drain([this] {
      if (++drains_ < 20) client_->send("drained");  // else it goes on for ever on a narrow link
    });
  }

  // Inside a handler: what the script has prepared for the next one.
  void inside() {
    require(client_.has_value());
    switch (std::exchange(next_, std::uint8_t{0}) % 9) {
      case 1: (void)client_->close(); break;
      case 2: connect(); break;
      case 3: client_->socket().terminate(); break;
      case 4: client_->send("from a handler"); break;
      case 5: client_->async_close(once()); break;
      case 6: client_->flush(); break;
      case 7: client_.reset(); break;
      case 8: throw 1;
      default: break;
    }
  }

  void on_message(hawser::message const& m) {
    auto const text = m.text();
    switch (text.empty() ? '\0' : text[0]) {
      case 'a': client_->close(); break;
      case 'b': connect(); break;
      case 'c': client_->socket().terminate(); break;
      case 'd': throw 1;
      case 'e': net_.stall(3s); break;
      case 'f': client_->flush(); break;
      case 'g':
        for (int i = 0; i < 40; ++i) client_->send("a longer message, again and again");
        break;
      case 'h': client_.reset(); break;
      default: client_->send(m);
    }
  }

  /// What must be called exactly once.
  auto once() {
    ++started_;
    return [this, called = std::make_shared<int>(0)](std::error_code, auto&&...) {
      require(++*called == 1);
      ++completed_;
    };
  }

  void connect() {
    if (client_) client_->async_connect("ws://localhost:" + std::to_string(host_.port()), once());
  }

  hawser::raw_peer<hawser::memory>* peer() {
    return host_.size() == 0 ? nullptr : &host_[host_.size() - 1];
  }

  void step(std::uint8_t code) {
    if (!client_) renew();
    auto* const at = peer();
    switch (code % 30) {
      case 0: connect(); break;
      case 1: client_->async_receive(once()); break;
      case 2: client_->async_close(once()); break;
      case 3: client_->async_close(hawser::close_code(input_.byte() + 999), "why", once()); break;
      case 4: client_->send(input_.bytes()); break;
      case 5: client_->send(hawser::as_bytes(input_.bytes()), {.key = 1}); break;
      case 6: client_->socket().terminate(); break;
      case 7: client_->flush(); break;
      case 8: client_.reset(); break;
      case 9:
        if (at) at->send(switching(*at, input_.byte()));
        break;
      case 10:
        if (at) at->send(input_.bytes());
        break;
      case 11:
        if (at) at->send(frame(input_.byte(), input_.bytes(), false));
        break;
      case 12:
        if (at) at->send(frame(0x81, input_.bytes(), false));
        break;
      case 13:
        if (at) at->send(frame(0x88, input_.bytes(), false));
        break;
      case 14:
        if (at) at->shutdown();
        break;
      case 15:
        if (at) at->reset();
        break;
      case 16:
        if (at) at->close();
        break;
      case 17:
        if (at) at->pause_reading(input_.byte() % 2 == 0);
        break;
      case 18: net_.last_connection().hold(); break;
      case 19: net_.last_connection().release(); break;
      case 20: net_.last_connection().cut(); break;
      case 21: net_.set_link(link_of(input_.byte())); break;
      case 22: net_.run_for(time_of(input_.byte())); break;
      case 23: net_.stall(time_of(input_.byte())); break;
      case 24: net_.fail_at(1u + input_.byte() % 32, fault_of(input_.byte())); break;
      case 25: client_->poll(0ms); break;
      case 26:  // connects and upgrades
        connect();
        net_.run_for(50ms);
        if (peer()) peer()->send(switching(*peer(), input_.byte()));
        break;
      case 27: next_ = input_.byte(); break;
      case 28:  // a server that reconnecting clients find
        for (int i = 0; i < 20 && client_ && !client_->is_open(); ++i) {
          net_.run_for(100ms);
          if (peer()) peer()->send(switching(*peer(), 0));
          net_.run_for(1ms);
        }
        break;
      default:
        client_->remote().post([this] {
          if (client_) client_->flush();
        });
    }
    if (code % 30 != 23) net_.run_ready();
    require(!net_.stuck());
    if (client_) check();
  }

  void check() {
    auto const& seen = client_->counters();
    require(seen.closed == closes_ && seen.opened == opens_ && opens_ - closes_ <= 1);
    require(client_->state() == last_);
    require(client_->waiting().messages <= 3 && client_->waiting().bytes <= 500);
    require(!client_->is_open() || seen.opened - seen.closed == 1);
    require(seen.objects < 24);
    require(started_ >= completed_);
  }

  static std::string switching(hawser::raw_peer<hawser::memory>& to, std::uint8_t how) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    std::string_view const text = to.text();
    auto const found = text.find(name);
    std::string key(found == text.npos ? "" : text.substr(found + name.size(), 24));
    to.take();
    std::string made;
    if ((how & 1) != 0) made += "HTTP/1.1 103 Early Hints\r\n\r\n";
    made += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    made += "Sec-WebSocket-Accept: " + hawser::ws::accept_key(key) + "\r\n";
    if ((how & 2) != 0) {
      made += "Sec-WebSocket-Extensions: permessage-deflate";
      if ((how & 4) != 0) made += "; server_no_context_takeover; client_no_context_takeover";
      made += "\r\n";
    }
    if ((how & 8) != 0) made += "Sec-WebSocket-Protocol: echo\r\n";
    return made + "\r\n";
  }

  // Everybody leaves: nothing may be left, and everything was answered once.
  void finish() {
    next_ = 0;
    host_.close();
    for (std::size_t i = 0; i < host_.size(); ++i) host_[i].close();
    for (auto& one : net_.connections()) one.release();
    // What nobody takes keeps the client from reading, so from learning that it is over.
    for (int i = 0; i < 8; ++i) {
      if (client_) client_->async_receive(once());
      if (client_) client_->async_receive(once());
      net_.run_for(30s);
    }
    require(!net_.stuck());
    if (client_ && reconnects) {  // it would go on trying
      (void)client_->close();
      net_.run_for(30s);
    }
    if (client_) {
      check();
      auto const& seen = client_->counters();
      require(!client_->is_open() && !client_->is_connecting() && seen.opened == seen.closed);
      require(seen.objects == 0 && seen.partial_bytes == 0);
      require(started_ == completed_);
      client_.reset();
    }
    net_.run_for(1s);
    require(started_ == completed_);
    require(net_.live_streams() == 0 && net_.live_timers() == 0);
    require(net_.pending_waits() == 0);
  }

  script& input_;
  std::uint8_t shape_;
  hawser::seeded_random random_;
  asio::io_context io_;
  hawser::memory_network net_{io_};
  hawser::memory_host host_{net_};
  std::optional<client_type> client_;
  hawser::client_state last_ = hawser::client_state::disconnected;
  std::uint8_t next_ = 0;  // what the next handler does
  std::size_t opens_ = 0;
  std::size_t closes_ = 0;
  std::size_t started_ = 0;
  std::size_t completed_ = 0;
  int drains_ = 0;
};

template <class Backpressure, class Reconnect = hawser::no_reconnect,
          class Queue = hawser::no_queue>
void play(std::uint8_t shape, script& input) {
  world<Backpressure, Reconnect, Queue>(shape, input).run();
}

}  // namespace

// The first byte chooses options and policies; then steps, each a byte and what it needs.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  script input(data + 1, size - 1);
  switch (data[0] >> 5) {
    case 0:
    case 1:
    case 2: play<hawser::latest_by_key>(data[0], input); break;
    case 3: play<hawser::pause_reading>(data[0], input); break;
    case 4:
    case 5:
      play<hawser::latest_by_key, hawser::exponential_backoff, hawser::bounded_queue>(data[0],
                                                                                      input);
      break;
    default: play<hawser::disconnect_slow>(data[0], input);
  }
  return 0;
}
