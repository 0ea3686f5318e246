// Fuzzes a whole Socket.IO client on the memory network: its user connects, emits, leaves and goes,
// opposite a server that is a script: answers, payloads, frames and packets that mean something or
// nothing, and what breaks meanwhile.
#include <hawser/client.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include <hawser/codec/ws/handshake.hpp>
#include <hawser/testing/memory_network.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "script.hpp"
#include "socketio_peers.hpp"

using namespace hawser_fuzz;
using namespace std::chrono_literals;

namespace {

using hawser::client_socket;
using hawser::client_state;
using hawser::disconnect_reason;
using hawser::errc;

constexpr std::string_view names[] = {"/", "/chat", "/no"};

/// A server of Engine.IO as a script: it reads requests, and says what it is told to.
class scripted_server {
 public:
  explicit scripted_server(hawser::memory_network& net) : host_(net, 80) {
    require(!host_.error());
  }

  /// Answers what has been asked, as a server should.
  void serve(std::uint8_t how) {
    for (std::size_t i = 0; i < host_.size(); ++i) {
      if (kinds_.size() <= i) kinds_.resize(i + 1);
      while (read(i, how)) {
      }
    }
  }
  /// To the session, by whatever way there is.
  void say(std::string_view packet) { say_all(packet, {}); }
  void say_all(std::string_view first, std::string_view attachment) {
    if (socket_ && (upgraded_ || !poll_)) {
      host_[*socket_].send(frame(0x81, first, false));
      if (!attachment.empty()) host_[*socket_].send(frame(0x82, attachment, false));
      return;
    }
    if (!poll_) return;
    std::string body(first);
    if (!attachment.empty()) {
      body +=
          "\x1e"
          "b" +
          hawser::codec::base64_encode(hawser::as_bytes(attachment));
    }
    answer_poll(body);
  }
  void answer_poll(std::string_view body) {
    if (poll_) host_[*std::exchange(poll_, std::nullopt)].send(answer(body));
  }
  void say_on_socket(std::string_view bytes) {
    if (socket_) host_[*socket_].send(bytes);
  }
  /// The probe is answered, and the poll, so that the client can go on.
  void upgrade() {
    if (!socket_) return;
    host_[*socket_].send(frame(0x81, "3probe", false));
    answer_poll("6");
    upgraded_ = true;
  }
  hawser::raw_peer<hawser::memory>* peer(std::uint8_t which) {
    return host_.size() == 0 ? nullptr : &host_[host_.size() - 1 - which % host_.size()];
  }
  void close() {
    host_.close();
    for (std::size_t i = 0; i < host_.size(); ++i) host_[i].close();
  }

  static std::string answer(std::string_view body, int status = 200) {
    return "HTTP/1.1 " + std::to_string(status) +
           " OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

 private:
  enum class kind : std::uint8_t { http, websocket };

  static std::string open_packet(std::uint8_t how) {
    std::string made = "0{\"sid\":\"abcdefghijklmnopqrstuvwx\",\"upgrades\":[";
    if ((how & 1) != 0) made += "\"websocket\"";
    made += "],\"pingInterval\":5000,\"pingTimeout\":3000,\"maxPayload\":";
    return made + ((how & 2) != 0 ? "100}" : "1000000}");
  }

  // One request, or some frames. False when there is none.
  bool read(std::size_t i, std::uint8_t how) {
    auto& from = host_[i];
    std::string_view const text = from.text();
    if (kinds_[i] == kind::websocket) return from.take(), false;
    auto const end = text.find("\r\n\r\n");
    if (end == text.npos) return false;
    std::string_view const head = text.substr(0, end);
    bool const known = head.substr(0, head.find("\r\n")).find("&sid=") != head.npos;
    std::size_t size = 0;
    if (auto const at = head.find("Content-Length: "); at != head.npos) {
      (void)std::from_chars(head.data() + at + 16, head.data() + head.size(), size);
    }
    if (text.size() < end + 4 + size) return false;
    if (auto const at = head.find("Sec-WebSocket-Key: "); at != head.npos) {
      std::string const key(head.substr(at + 19, 24));
      from.consume(end + 4);
      kinds_[i] = kind::websocket;
      socket_ = i;
      upgraded_ = !known;
      if (!known) poll_.reset();
      from.send(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: " +
          hawser::ws::accept_key(key) + "\r\n\r\n");
      if (!known) from.send(frame(0x81, open_packet(how), false));
      return true;
    }
    bool const posts = head.starts_with("POST");
    from.consume(end + 4 + size);
    if (posts) return from.send(answer("ok")), true;
    poll_ = i;
    if (known) return true;
    socket_.reset();
    upgraded_ = false;
    answer_poll(open_packet(how));
    return true;
  }

  hawser::memory_host host_;
  std::vector<kind> kinds_;
  std::optional<std::size_t> poll_, socket_;
  bool upgraded_ = false;
};

template <class Framing, class Reconnect, class Queue>
class world {
 public:
  using policies =
      typename hawser::policies<>::with_transport<hawser::memory>::template with_framing<
          Framing>::template with_reconnect<Reconnect>::template with_offline_queue<Queue>;
  using client_type = hawser::basic_client<policies>;
  using parser = typename Framing::parser;

  world(std::uint8_t shape, std::uint8_t more, script& input)
      : input_(input), shape_(shape), more_(more), random_(shape) {
    net_.limit_handlers_at_one_time(200'000);
    renew();
  }

  void run() {
    for (int steps = 0; !input_.empty() && steps < 400; ++steps) step(input_.byte());
    finish();
  }

 private:
  // -- the user ----------------------------------------------------------------------------------

  void renew() {
    typename client_type::options made;
    made.transport.network = &net_;
    made.random = random_.source();
    made.framing.max_message_size = 3'000;
    made.connect_timeout = 3s;
    made.dial_timeout = 2s;
    using hawser::eio::transport_kind;
    if ((shape_ & 1) != 0) made.engine.transports = {transport_kind::websocket};
    if ((shape_ & 3) == 2) made.engine.transports = {transport_kind::polling};
    if ((shape_ & 4) != 0) made.engine.try_all = true;
    made.engine.request_timeout = 2s;
    made.engine.upgrade_timeout = 2s;
    made.engine.max_poll_size = 5'000;
    if ((shape_ & 8) != 0) made.sockets.retries = 1;
    if ((shape_ & 16) != 0) made.sockets.delivery_ids = true;
    made.sockets.connect_timeout = 2s;
    made.sockets.ack_timeout = 3s;
    made.sockets.max_acks = 3;
    made.sockets.max_namespaces = 2;
    made.sockets.max_early_bytes = 500;
    made.max_received = 2;
    if ((shape_ & 32) != 0) made.backpressure = {.max_bytes = 400, .max_messages = 4};
    if ((shape_ & 64) != 0) made.keep_cookies = true;
    if ((shape_ & 128) != 0) made.reconnect_when_refused = true;
    if constexpr (requires { made.reconnect.first_delay; }) {
      made.reconnect = {.first_delay = 50ms, .max_delay = 1s};
      if ((more_ & 1) != 0) made.reconnect.attempts = 2;
    }
    if constexpr (requires { made.offline_queue.max_messages; }) {
      made.offline_queue = {.max_messages = 3, .max_bytes = 600, .max_age = 5s};
      if ((more_ & 6) == 2) made.offline_queue.overflow = hawser::overflow_rule::drop_oldest;
      if ((more_ & 6) == 4) made.offline_queue.overflow = hawser::overflow_rule::replace_by_key;
    }
    here_ = {};
    opens_ = closes_ = asked_ = told_ = 0;
    client_.emplace(io_, std::move(made));
    client_->on_state([this](client_state now) {
      require(now != last_);
      last_ = now;
      inside();
    });
    last_ = client_state::disconnected;
    client_->on_open([this] { ++opens_, inside(); });
    client_->on_close([this](disconnect_reason why, std::error_code) {
      require(!hawser::describe(why).empty());
      ++closes_;
      inside();
    });
    client_->on_error([this](hawser::attempt_failure const& why) {
      require(bool(why.error));
      inside();
    });
    client_->on_reconnect_attempt([this](std::uint32_t number) {
      require(number > 0);
      inside();
    });
    client_->on_reconnect([](std::uint32_t number) { require(number > 0); });
    client_->on_reconnect_failed([this] { inside(); });
    client_->on_ping([this] { inside(); });
    client_->on_upgrade([this] {
      require(client_->transport() == "websocket");
      inside();
    });
    furnish(*client_, 0);
    if ((more_ & 8) != 0) furnish(client_->socket("/chat"), 1);
  }

  template <class Nsp>
  void furnish(Nsp const& in, std::size_t which) {
    in.on_connect([this, which](client_socket s) {
      require(!std::exchange(here_[which], true) && s.connected() && !s.id().empty());
      inside();
    });
    in.on_disconnect([this, which](disconnect_reason) {
      require(std::exchange(here_[which], false));
      inside();
    });
    in.on_connect_error([this, which](hawser::connect_failure const& why) {
      require(bool(why.error) && !here_[which]);
      inside();
    });
    in.on("m", [this](client_socket s, double, double) { require(s.connected()), inside(); });
    in.on("v", [this](client_socket s, hawser::event_view const& what) {
      (void)s.emit("v", what);
      inside();
    });
    in.on("k", [this](json const&, hawser::ack<json> done) { acks_.push_back(std::move(done)); });
    in.on("q", [](client_socket s) {
      for (int i = 0; i < 20; ++i) (void)s.emit("q", "a longer event, again and again", i);
    });
    in.on("x", [] { throw std::runtime_error("asked"); });
    in.on("d", [](client_socket s) { (void)s.disconnect(); });
    in.on("c", [this] {
      if (client_) client_->close();
    });
    in.on("h", [this] { client_.reset(); });
    in.once("O", [this] { inside(); });
    in.on("off", [](client_socket s) { (void)s.off("m"); });
    in.on_bad_event([](std::string_view, std::error_code why) { require(bool(why)); });
    in.on_dropped([this](hawser::event_view const& what, std::error_code why) {
      require(!what.name().empty() && bool(why));
      inside();
    });
    if ((more_ & 16) != 0) {
      in.on_any([this](hawser::event_view const&) { inside(); });
      in.on_any_outgoing([this](hawser::event_view const&) { inside(); });
    }
    if ((more_ & 32) != 0) {
      in.auth([this](hawser::auth_reply reply) {
        late_ = reply;
        inside();
        if (++inside_ % 3 != 0) reply(json::object({{"token", 1}}));
      });
    }
  }

  // Inside a handler: what the script has prepared for the next one.
  void inside() {
    require(client_.has_value());
    if (++inside_ % 4 != 1 || next_ == 0) return;
    verb(std::exchange(next_, std::uint8_t{0}));
  }

  /// What must be called exactly once.
  auto once() {
    ++started_;
    return [this, called = std::make_shared<int>(0)](std::error_code, auto&&...) {
      require(++*called == 1);
      ++completed_;
    };
  }
  // It may wait for as long as there is a client.
  auto received() {
    ++receives_;
    return [this, called = std::make_shared<int>(0)](std::error_code, auto&&...) {
      require(++*called == 1);
      ++receives_done_;
    };
  }
  auto told_once() {
    ++asked_;
    return [this, told = false](std::error_code, json const&) mutable {
      require(!std::exchange(told, true) && client_.has_value());
      ++told_;
      inside();
    };
  }

  void verb(std::uint8_t code) {
    if (!client_) return;
    auto& c = *client_;
    auto const chat = (code & 32) != 0 ? c.socket("/chat") : c.socket();
    switch (code % 26) {
      case 0: c.async_connect("http://localhost/", once()); break;
      case 1: (void)c.connect((code & 64) != 0 ? "ws://localhost:81/" : "ws://localhost/"); break;
      case 2: c.close(); break;
      case 3: c.async_close(once()); break;
      case 4: (void)chat.connect(); break;
      case 5: chat.async_connect(once()); break;
      case 6: (void)chat.disconnect(); break;
      case 7: (void)chat.emit("m", 1, 2.5); break;
      case 8: (void)chat.emit("bytes", std::vector<std::byte>(code), "text"); break;
      case 9: (void)chat.unreliable().emit("u", code); break;
      case 10: chat.emit_with_ack("a", 1, told_once()); break;
      case 11: chat.timeout(1s).emit_with_ack("a", "b", told_once()); break;
      case 12: chat.template async_emit_with_ack<json>("A", 1, once()); break;
      case 13: chat.async_receive(received()); break;
      case 14: c.flush(); break;
      case 15: (void)c.remote().emit(chat, "remote", json(1)); break;
      case 16: (void)c.remote().post([this] { inside(); }); break;
      case 17: chat.auth(json::object({{"a", code}})); break;
      case 18:
        if (late_) (*late_)(json::object({{"late", true}}));
        break;
      case 19: chat.on("v", [](json const&) {}); break;
      case 20: (void)chat.emit("large", std::string(std::size_t{code} * 8, 'x')); break;
      case 21:
        if (!acks_.empty()) {
          auto done = std::move(acks_.back());
          acks_.pop_back();
          (void)done(json("yes"));
        }
        break;
      case 22: (void)chat.emit(newest, code); break;
      case 23: net_.stall(2s); break;
      case 24: (void)(chat.waiting().bytes + chat.nsp().size() + chat.id().size()); break;
      default:
        if ((code & 64) != 0) client_.reset();
    }
  }

  // -- the server --------------------------------------------------------------------------------

  // A packet that means something: as text, and what is attached.
  void packet(std::uint8_t code) {
    hawser::outgoing_packet made{.nsp = names[(code >> 5) % std::size(names)]};
    json content;
    switch (code % 8) {
      case 0:
      case 1:
        made.type = sio::packet_type::connect;
        content = json::object({{"sid", "id of the socket"}});
        if (code % 8 == 1) content["pid"] = json("secret"), content["offset"] = json("o1");
        break;
      case 2:
        made.type = sio::packet_type::connect_error;
        content = json::object({{"message", "no"}, {"data", 1}});
        break;
      case 3: made.type = sio::packet_type::disconnect; break;
      case 4:
        made.type = sio::packet_type::ack;
        made.id = input_.byte() % 8;
        content = json::array({"yes"});
        break;
      default:
        if (code % 8 == 5) made.id = code;
        content = some_event(input_.byte());
    }
    if (!content.is_null()) {
      made.payload = {[](void const* self, hawser::value_writer& out, std::string_view) {
                        write_value(out, *static_cast<json const*>(self));
                      },
                      &content};
    }
    auto const encoded = parser_.encode(made);
    std::string const main(hawser::as_text(encoded.main));
    if (encoded.kind == hawser::message_kind::binary) {  // of msgpack: what no text can carry
      return server_->say_on_socket(frame(0x82, main, false));
    }
    std::string attached;
    if (!encoded.attachments.empty()) attached = hawser::as_text(encoded.attachments.front());
    server_->say_all(main, attached);
  }

  void step(std::uint8_t code) {
    if (!client_) renew();
    switch (code & 31) {
      case 0: verb(0); break;
      case 1:
      case 2:
      case 3: verb(input_.byte()); break;
      case 4: next_ = input_.byte(); break;
      case 5:
      case 6: server_->serve(code >> 5); break;
      case 7:
      case 8:
      case 9: packet(input_.byte()); break;
      case 10: server_->say("2"); break;
      case 11: server_->upgrade(); break;
      case 12: server_->say(input_.bytes()); break;
      case 13: server_->answer_poll(input_.bytes()); break;
      case 14: server_->say_on_socket(frame(input_.byte(), input_.bytes(), false)); break;
      case 15:
        if (auto* const at = server_->peer(code >> 5)) at->send(input_.bytes());
        break;
      case 16:
        if (auto* const at = server_->peer(code >> 5)) {
          at->send(scripted_server::answer(input_.bytes(), 200 + input_.byte()));
        }
        break;
      case 17:
        if (auto* const at = server_->peer(code >> 5)) at->shutdown();
        break;
      case 18:
        if (auto* const at = server_->peer(code >> 5)) at->reset();
        break;
      case 19:
        if (auto* const at = server_->peer(code >> 5)) at->pause_reading((code & 128) != 0);
        break;
      case 20:  // restarts
        server_.reset();
        net_.run_for(time_of(code >> 5));
        server_.emplace(net_);
        break;
      case 21:
      case 22: net_.run_for(time_of(input_.byte())); break;
      case 23: net_.stall(time_of(input_.byte())); break;
      case 24: net_.fail_at(1u + input_.byte() % 32, fault_of(input_.byte())); break;
      case 25: net_.set_link(link_of(input_.byte())); break;
      case 26: client_->poll(0ms); break;
      case 27: server_->say("1"); break;
      case 28: net_.last_connection().cut(); break;
      case 29: client_.reset(); break;
      case 30: connected(code); return;
      default: serve_again(); break;
    }
    settle();
  }

  // The usual beginning, so that the fuzzer has not to find it.
  void connected(std::uint8_t code) {
    verb(0);
    net_.run_for(1ms);
    server_->serve(code >> 5);
    net_.run_for(1ms);
    server_->serve(code >> 5);
    if (client_) server_->say("40{\"sid\":\"id of the socket\"}");
    settle();
  }
  void serve_again() {
    for (int i = 0; i < 3; ++i) {
      net_.run_for(50ms);
      server_->serve(1);
    }
  }
  void settle() {
    net_.run_ready();
    require(!net_.stuck());
    if (client_) check();
  }

  void check() {
    auto const& seen = client_->counters();
    require(seen.objects < 40);
    require(closes_ <= opens_ && opens_ - closes_ <= 1);
    require(seen.opened == opens_ && seen.closed == closes_);
    require(client_->socket().connected() == here_[0]);
    require(client_->state() == last_);
    require(started_ >= completed_ && told_ <= asked_);
  }

  // -- the end -----------------------------------------------------------------------------------

  // Everybody leaves: nothing may be left, and everything was answered once.
  void finish() {
    next_ = 0;
    acks_.clear();
    server_->close();
    for (auto& one : net_.connections()) one.release();
    if (client_) client_->close();
    for (int i = 0; i < 4; ++i) net_.run_for(60s);
    require(!net_.stuck());
    if (client_) {
      check();
      auto const& seen = client_->counters();
      require(client_->state() == client_state::disconnected && !client_->is_open());
      require(!here_[0] && !here_[1] && opens_ == closes_);
      require(seen.objects == 0 && seen.partial_bytes == 0);
      // What is sent again until it is acknowledged waits for the next connection.
      require((shape_ & 8) != 0 || (started_ == completed_ && asked_ == told_));
      client_->close();
      client_.reset();
    }
    server_.reset();
    net_.run_for(1s);
    require(started_ == completed_ && receives_ == receives_done_);
    require(net_.live_streams() == 0 && net_.live_timers() == 0 && net_.live_listeners() == 0);
    require(net_.pending_waits() == 0);
  }

  static constexpr hawser::event<"pos", std::uint32_t> newest{.delivery = hawser::latest};

  script& input_;
  std::uint8_t shape_, more_;
  hawser::seeded_random random_;
  asio::io_context io_;
  hawser::memory_network net_{io_};
  std::optional<scripted_server> server_{std::in_place, net_};
  parser parser_{hawser::packet_limits()};
  std::optional<client_type> client_;
  std::vector<hawser::ack<json>> acks_;
  std::optional<hawser::auth_reply> late_;
  std::array<bool, 2> here_{};
  client_state last_ = client_state::disconnected;
  std::uint8_t next_ = 0;  // what the next handler does
  unsigned inside_ = 0;
  std::size_t opens_ = 0, closes_ = 0;
  std::size_t started_ = 0, completed_ = 0, receives_ = 0, receives_done_ = 0;
  std::size_t asked_ = 0, told_ = 0;
};

template <class Framing, class Reconnect, class Queue>
void play(std::uint8_t shape, std::uint8_t more, script& input) {
  world<Framing, Reconnect, Queue>(shape, more, input).run();
}

}  // namespace

// The first two bytes choose options and policies; then steps, each a byte and what it needs.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  script input(data + 2, size - 2);
  std::uint8_t const shape = data[0], more = data[1];
  switch (more >> 6) {
    case 0:
    case 1:
      play<hawser::socketio_framing, hawser::exponential_backoff, hawser::bounded_queue>(
          shape, more, input);
      break;
    case 2:
      play<hawser::socketio_framing, hawser::no_reconnect, hawser::no_queue>(shape, more, input);
      break;
    default:
      play<hawser::msgpack_framing, hawser::exponential_backoff, hawser::bounded_queue>(shape, more,
                                                                                        input);
  }
  return 0;
}
