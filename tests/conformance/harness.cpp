#include "conformance/harness.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <hawser/testing/memory_network.hpp>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

namespace conformance {
namespace {

using on_memory = hawser::websocket_policies::with_transport<hawser::memory>;
using peer_type = hawser::raw_peer<hawser::memory>;

hawser::websocket_framing::options framing_of(subject_options const& options) {
  hawser::websocket_framing::options framing;
  framing.max_message_size = options.max_message_size;
  if (options.deflate == contexts::none) return framing;
  framing.deflate.enabled = true;
  framing.deflate.threshold = 0;
  if (options.deflate == contexts::dedicated) {
    framing.deflate.kind = hawser::ws::compressor::dedicated;
    framing.deflate.server_max_window_bits = 15;
    framing.deflate.server_no_context_takeover = false;
    framing.deflate.client_no_context_takeover = false;
  }
  return framing;
}

happening happening_of(hawser::message const& what, bool keep) {
  return {what.is_text() ? 't' : 'b', keep ? std::string(what.text()) : std::string()};
}

subject::farewell farewell_of(hawser::close_event const& event) {
  return {static_cast<unsigned>(event.code), std::string(event.reason), event.by_peer,
          event.error.value()};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The value of a header, or of an extension's parameter; good enough for what hawser writes.
std::string value_of(std::string_view text, std::string_view name, std::string_view ends) {
  auto const at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return std::string(text.substr(0, text.find_first_of(ends)));
}

std::string header_of(std::string_view head, std::string const& name) {
  return value_of(head, "\r\n" + name + ": ", "\r");
}

int bits_of(std::string_view params, std::string const& name) {
  auto const text = value_of(params, name + "=", "; ,");
  return text.empty() ? 15 : std::stoi(text);
}

// RFC 6455 section 1.3 has these two.
constexpr char const* sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr char const* sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// What both directions share: the network and the peer.
class on_network : public subject {
 protected:
  explicit on_network(side of) : subject(of) {}

  void settle() { network.run_ready(); }

  void transmit(std::string_view bytes) override {
    peer->send(bytes);
    settle();
    collect();
  }

  void collect() override {
    std::size_t const used = reader->read(peer->text());
    peer->consume(used);
  }

  std::string take_head() {
    auto const end = peer->text().find("\r\n\r\n");
    if (end == std::string_view::npos) return {};
    std::string head(peer->text().substr(0, end + 4));
    peer->consume(head.size());
    return head;
  }

  asio::io_context io{1};
  hawser::memory_network network{io};
  peer_type* peer = nullptr;
};

class server_subject final : public on_network {
 public:
  explicit server_subject(subject_options const& options)
      : on_network(side::server),
        server_(io, {.transport = {.network = &network}, .framing = framing_of(options)}) {
    server_.on_message([this](hawser::websocket from, hawser::message const& what) {
      delivered.push_back(happening_of(what, keep_delivered));
      (void)from.send(what);
    });
    server_.on_close([this](hawser::websocket, hawser::close_event const& event) {
      farewells.push_back(farewell_of(event));
    });
    failed_ = server_.listen({.port = 80});
  }

 private:
  std::string begin(compression const* how) override {
    if (failed_) return "can't listen: " + failed_.message();
    dialled_.emplace(network, std::uint16_t{80});
    peer = &*dialled_;
    settle();
    if (!peer->connected()) return "can't connect";
    std::string request =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
    request += sample_key;
    if (how) request += "\r\nSec-WebSocket-Extensions: " + how->offer;
    peer->send(request + "\r\n\r\n");
    settle();
    std::string const head = take_head();
    if (!has(head, "HTTP/1.1 101 ")) return "no 101: " + head;
    if (header_of(head, "Sec-WebSocket-Accept") != sample_accept) return "a wrong accept key";
    std::string const agreed = header_of(head, "Sec-WebSocket-Extensions");
    if (!how) return agreed.empty() ? "" : "an extension that nobody offered: " + agreed;
    if (!has(agreed, "permessage-deflate")) return "compression declined: " + agreed;
    for (auto const& part : how->answered) {
      if (!has(agreed, part)) return "the answer lacks " + part + ": " + agreed;
    }
    agree(bits_of(agreed, "client_max_window_bits"), has(agreed, "client_no_context_takeover"),
          bits_of(agreed, "server_max_window_bits"), has(agreed, "server_no_context_takeover"));
    return {};
  }

  std::string finish() override {
    settle();
    collect();
    if (!peer->eof()) return "the server did not end the TCP connection";
    peer->shutdown();
    settle();
    auto const connection = dialled_->connection();
    bool const left = connection.is_open(hawser::memory_end::acceptor);
    dialled_.reset();
    settle();
    if (left) return "the server keeps the connection";
    return server_.size() == 0 ? "" : "the server counts the connection as open";
  }

  hawser::basic_server<on_memory> server_;
  std::error_code failed_;
  std::optional<hawser::memory_peer> dialled_;
};

class client_subject final : public on_network {
 public:
  explicit client_subject(subject_options const& options)
      : on_network(side::client),
        host_(network),
        client_(io, {.transport = {.network = &network}, .framing = framing_of(options)}) {
    client_.on_message([this](hawser::message const& what) {
      delivered.push_back(happening_of(what, keep_delivered));
      (void)client_.send(what);
    });
    client_.on_close(
        [this](hawser::close_event const& event) { farewells.push_back(farewell_of(event)); });
  }

 private:
  std::string begin(compression const* how) override {
    std::optional<std::error_code> connected;
    client_.async_connect("ws://localhost:" + std::to_string(host_.port()) + "/",
                          [&](std::error_code error) { connected = error; });
    settle();
    if (host_.size() == taken_) return "nobody connects";
    peer = &host_[taken_++];
    std::string const head = take_head();
    std::string const key = header_of(head, "Sec-WebSocket-Key");
    if (key.size() != 24) return "no request: " + head;
    std::string const offer = header_of(head, "Sec-WebSocket-Extensions");
    std::string reply =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        hawser::ws::accept_key(key) + "\r\n";
    if (how) {
      if (!has(offer, "permessage-deflate")) return "compression is not offered";
      // What the client asks for has to be granted; the rest is what the case asks for.
      std::string said = "permessage-deflate" + how->answer_more;
      bool const forgets = has(offer, "server_no_context_takeover");
      int const bits = bits_of(offer, "server_max_window_bits");
      if (forgets) said += "; server_no_context_takeover";
      if (bits < 15) said += "; server_max_window_bits=" + std::to_string(bits);
      reply += "Sec-WebSocket-Extensions: " + said + "\r\n";
      agree(bits, forgets, bits_of(said, "client_max_window_bits"),
            has(said, "client_no_context_takeover"));
    } else if (!offer.empty()) {
      return "an extension is offered that is not switched on: " + offer;
    }
    peer->send(reply + "\r\n");
    settle();
    if (!connected) return "the connect never ends";
    return *connected ? "not connected: " + connected->message() : "";
  }

  std::string finish() override {
    if (!network.last_connection().is_open(hawser::memory_end::dialler)) {
      return "the client did not wait for the server to end the TCP connection";
    }
    peer->shutdown();
    settle();
    collect();
    bool const left = network.last_connection().is_open(hawser::memory_end::dialler);
    peer->close();
    settle();
    if (left) return "the client keeps the connection";
    return client_.is_open() ? "the client counts the connection as open" : "";
  }

  hawser::memory_host host_;
  hawser::basic_client<on_memory> client_;
  std::size_t taken_ = 0;
};

// -- test data for compression --------------------------------------------------------------------

// A generator of our own, so that the data is the same everywhere.
class numbers {
 public:
  unsigned operator()(unsigned bound) noexcept {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_ = 42;
};

std::string make_data(exchange::source from) {
  static constexpr std::size_t size = 400'000;
  static constexpr char const* words[] = {
      "Wind",        "und",  "das",   "Meer", "t\xc3\xa4glich", "Schiff",      "ein",   "Tau",
      "h\xc3\xa4lt", "am",   "Kai",   "die",  "Nacht",          "gr\xc3\xbcn", "Hafen", "Licht",
      "von",         "fern", "nicht", "ohne", "Ruder"};
  numbers draw;
  auto const word = [&] { return std::string(words[draw(21)]); };
  std::string data;
  data.reserve(size + 1000);
  while (data.size() < size) {
    switch (from) {
      case exchange::source::json:
        data += "{\"id\":" + std::to_string(draw(100'000)) + ",\"name\":\"" + word() + ' ' +
                word() + "\",\"at\":[" + std::to_string(draw(9'000)) + "." +
                std::to_string(draw(1'000)) + "," + std::to_string(draw(9'000)) +
                "],\"open\":" + (draw(2) ? "true" : "false") + "},\n";
        break;
      case exchange::source::bitmap:  // neighbours resemble each other
        for (unsigned i = 0, level = draw(256); i < 512; ++i) {
          level = (level + draw(7) + 253) % 256;
          data += static_cast<char>(level);
        }
        break;
      case exchange::source::html:
        data += "<li class=\"" + word() + "\"><a href=\"/" + word() + "/" +
                std::to_string(draw(1000)) + ".html\">" + word() + " " + word() + "</a></li>\n";
        break;
      case exchange::source::document:  // compressed parts and a few lines between them
        data += std::to_string(draw(10'000)) + " 0 obj <</Length 800>> stream\n";
        for (unsigned i = 0; i < 800; ++i) data += static_cast<char>(draw(256));
        data += "\nendstream endobj\n";
        break;
      default: data += word() + (draw(12) ? " " : ".\n");
    }
  }
  return data;
}

std::string const& data_of(exchange::source from) {
  static std::string const all[] = {{},
                                    make_data(exchange::source::json),
                                    make_data(exchange::source::bitmap),
                                    make_data(exchange::source::prose),
                                    make_data(exchange::source::html),
                                    make_data(exchange::source::document)};
  return all[static_cast<std::size_t>(from)];
}

// The next `size` bytes of the data, round and round; text is not cut inside a character.
std::string next_message(exchange const& how, std::size_t& at) {
  if (how.from == exchange::source::stars) {
    return std::string(how.size, how.binary ? '\xfe' : '*');
  }
  std::string const& data = data_of(how.from);
  auto const inside = [&](std::size_t i) {
    return !how.binary && (static_cast<unsigned char>(data[i % data.size()]) & 0xc0) == 0x80;
  };
  while (inside(at)) ++at;
  std::size_t end = at + how.size;
  while (inside(end)) ++end;
  std::string message;
  for (; at < end; at += std::min(end - at, data.size() - at % data.size())) {
    message.append(data, at % data.size(), end - at);
  }
  at = end % data.size();
  return message;
}

// -- running a case -------------------------------------------------------------------------------

std::vector<happening> wanted(conformance_case const& row) {
  std::vector<happening> all;
  for (auto const& one : row.echoes) all.push_back({one.kind, one.data.text()});
  all.push_back({'c', row.close ? std::to_string(row.close) : std::string()});
  return all;
}

std::string differs(std::vector<happening> const& have, std::vector<happening> const& want) {
  if (have == want) return {};
  return "expected " + to_string(want) + "but got " + to_string(have);
}

// Gathers what may leave together, and cuts it as the case says.
class sender {
 public:
  sender(subject& to, conformance_case const& row) : to_(to), row_(row) {}

  void send(step const& what) {
    if (what.fragment > 0) {
      send_fragments(what);
    } else {
      send_frame({what.opcode, what.payload.text(), what.fin, what.rsv}, what.cuts);
    }
    if (what.pause) wait();
  }

  void flush() {
    std::size_t const piece = row_.cut.how == chop::mode::octets ? row_.cut.size : ready_.size();
    for (std::size_t at = 0; at < ready_.size(); at += piece) {
      to_.send(std::string_view(ready_).substr(at, piece));
    }
    ready_.clear();
  }

  std::string wrong{};

 private:
  void send_fragments(step const& what) {
    std::string const message = what.payload.text();
    for (std::size_t at = 0; at < message.size(); at += what.fragment) {
      unsigned const opcode = at == 0 ? what.opcode : continuation;
      bool const last = at + what.fragment >= message.size();
      send_frame({opcode, message.substr(at, what.fragment), last}, {});
    }
  }

  void send_frame(frame const& what, std::vector<std::size_t> const& cuts) {
    std::string const bytes = write(what, to_.peer_masks());
    std::size_t const head = bytes.size() - what.payload.size();
    std::size_t sent = 0;
    for (std::size_t const cut : cuts) {
      ready_.append(bytes, sent, head + cut - sent);
      sent = head + cut;
      wait();
    }
    ready_.append(bytes, sent);
    if (row_.cut.how == chop::mode::by_frame || ready_.size() > 256 * 1024) flush();
  }

  void wait() {
    flush();
    std::size_t const want = pauses_ < row_.at_pause.size() ? row_.at_pause[pauses_] : 0;
    ++pauses_;
    if (to_.seen().size() != want && wrong.empty()) {
      wrong = "at wait " + std::to_string(pauses_) + ": " + to_string(to_.seen());
    }
  }

  subject& to_;
  conformance_case const& row_;
  std::string ready_{};
  std::size_t pauses_ = 0;
};

std::string run_steps(subject& with, conformance_case const& row) {
  sender peer(with, row);
  bool closes = false;
  step const* goodbye = nullptr;
  for (auto const& one : row.steps) {
    if (one.opcode == closing && !goodbye) goodbye = &one;
    closes = closes || one.opcode == closing;
    peer.send(one);
  }
  peer.flush();
  if (!row.fails && !closes) {
    if (with.seen().size() != row.echoes.size()) return "echoes: " + to_string(with.seen());
    with.send(write({closing, close_body(1000)}, with.peer_masks()));
  }
  if (!peer.wrong.empty()) return peer.wrong;
  auto const want = wanted(row);
  if (auto const wrong = differs(with.seen(), want); !wrong.empty()) return wrong;
  std::vector<happening> messages;
  for (auto const& one : want) {
    if (one.kind == 't' || one.kind == 'b') messages.push_back(one);
  }
  if (with.delivered != messages) return "delivered: " + to_string(with.delivered);
  if (with.farewells.size() != 1) return "not one close event";
  auto const& said = with.farewells.front();
  if (said.code != (row.close ? row.close : 1005)) {
    return "the close event says " + std::to_string(said.code);
  }
  if (said.by_peer == row.fails || (said.error != 0) != row.fails) {
    return "the close event blames the wrong side";
  }
  if (!row.fails && goodbye && goodbye->payload.size > 2 &&
      said.reason != goodbye->payload.text().substr(2)) {
    return "the close event has another reason: " + said.reason;
  }
  return {};
}

std::string run_exchange(subject& with, exchange const& how) {
  std::size_t at = 0;
  with.keep_delivered = false;
  for (std::size_t i = 0; i < how.count; ++i) {
    std::string const message = next_message(how, at);
    with.send(with.pack(message, how.binary, how.fragment));
    auto& seen = with.reader->seen;
    if (seen.size() != 1 || seen[0].kind != (how.binary ? 'b' : 't') || seen[0].data != message) {
      return "message " + std::to_string(i) + ": got " + to_string(seen) + with.fault();
    }
    seen.clear();
  }
  if (with.delivered.size() != how.count) return "not every message was delivered once";
  with.send(write({closing, close_body(1000)}, with.peer_masks()));
  return differs(with.seen(), {{'c', "1000"}});
}

}  // namespace

subject::~subject() = default;

bool subject::peer_masks() const noexcept { return side_ == side::server; }

std::string subject::open(compression const* how) {
  reader = std::make_unique<frame_reader>(side_ == side::client);
  delivered.clear();
  farewells.clear();
  keep_delivered = true;
  deflate_.reset();
  inflate_.reset();
  return begin(how);
}

void subject::send(std::string_view bytes) { transmit(bytes); }

std::string subject::end() {
  std::size_t const before = reader->seen.size();
  std::string wrong = finish();
  if (!reader->fault.empty()) return reader->fault;
  if (wrong.empty() && reader->seen.size() != before) wrong = "more came at the end";
  return wrong;
}

void subject::agree(int peer_bits, bool peer_forgets, int hawser_bits, bool hawser_forgets) {
  deflate_ = std::make_unique<zlib_out>(peer_bits, peer_forgets);
  inflate_ = std::make_unique<zlib_in>(hawser_bits, hawser_forgets);
  reader->inflate = inflate_.get();
}

std::string subject::pack(std::string const& message, bool as_binary, std::size_t fragment) {
  std::string const payload = deflate_ ? (*deflate_)(message) : message;
  std::size_t const size = fragment == 0 ? std::max<std::size_t>(payload.size(), 1) : fragment;
  std::string out;
  std::size_t at = 0;
  do {
    bool const first = at == 0;
    unsigned const opcode = !first ? continuation : as_binary ? binary : text;
    out += write({opcode, payload.substr(at, size), at + size >= payload.size(),
                  first && deflate_ ? 4u : 0u},
                 peer_masks());
    at += size;
  } while (at < payload.size());
  return out;
}

std::unique_ptr<subject> make_subject(side of, subject_options const& options) {
  if (of == side::server) return std::make_unique<server_subject>(options);
  return std::make_unique<client_subject>(options);
}

std::string run(subject& with, conformance_case const& row) {
  auto const* const how = row.deflate ? &*row.deflate : nullptr;
  if (auto trouble = with.open(how); !trouble.empty()) return trouble;
  std::string wrong = row.messages ? run_exchange(with, *row.messages) : run_steps(with, row);
  std::string const ending = with.end();
  if (!with.fault().empty()) return with.fault();
  return wrong.empty() ? ending : wrong;
}

}  // namespace conformance
