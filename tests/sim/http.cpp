#include "sim/harness.hpp"

using namespace sim;

namespace {

// "status:body" of each answer in a stream of answers that all have a Content-Length.
std::vector<std::string> answers(std::string_view stream) {
  std::vector<std::string> all;
  while (stream.starts_with("HTTP/1.1 ")) {
    auto const end = stream.find("\r\n\r\n");
    if (end == std::string_view::npos) break;
    auto const head = stream.substr(0, end + 2);
    auto const at = head.find("Content-Length: ");
    std::size_t const size =
        at == std::string_view::npos ? 0 : std::stoul(std::string(head.substr(at + 16)));
    if (stream.size() < end + 4 + size) break;
    all.push_back(std::string(head.substr(9, 3)) + ":" + std::string(stream.substr(end + 4, size)));
    stream.remove_prefix(end + 4 + size);
  }
  if (!stream.empty()) all.push_back("rest:" + std::string(stream));
  return all;
}
using texts = std::vector<std::string>;

std::string request(std::string const& line, std::string const& extra = {}) {
  return line + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n";
}

struct site : house {
  std::vector<hawser::http_reply> later;

  site() {
    server->get("/", [](hawser::http_request const&, hawser::http_reply r) { r.send(200, "home"); });
    server->post("/echo", [](hawser::http_request const& asked, hawser::http_reply r) {
      r.send(200, std::string(asked.body));
    });
    server->get_prefix("/n/", [](hawser::http_request const& asked, hawser::http_reply r) {
      r.send(200, std::string(asked.head.path().substr(3)));
    });
    server->get("/later", [this](hawser::http_request const&, hawser::http_reply r) {
      later.push_back(std::move(r));
    });
    server->get("/dropped", [](hawser::http_request const&, hawser::http_reply) {});
  }

  texts ask(std::string const& what) {
    peer p(*this, what);
    run(1ms);
    return answers(p.text());
  }
};

}  // namespace

TEST_CASE("sim: 16 pipelined requests are answered in order, at every split", "[sim][http]") {
  site s;
  std::string all;
  texts expected;
  for (int i = 0; i < 16; ++i) {
    all += request("GET /n/" + std::to_string(i));
    expected.push_back("200:" + std::to_string(i));
  }
  CHECK(s.ask(all) == expected);
  for (std::size_t split = 0; split <= all.size(); ++split) {
    peer p(s, all.substr(0, split));
    s.run(1ms);
    p.send(all.substr(split));
    s.run(1ms);
    if (answers(p.text()) != expected) FAIL("split at " << split);
    CHECK(!p.is_over());
  }
}

TEST_CASE("sim: a pipeline waits for an answer that comes later", "[sim][http]") {
  site s;
  peer p(s, request("GET /n/1") + request("GET /later") + request("GET /n/2") +
                request("GET /later") + request("GET /n/3", "Connection: close\r\n"));
  s.run(1s);
  CHECK(answers(p.text()) == texts{"200:1"});
  REQUIRE(s.later.size() == 1);
  s.later[0].send(404, "none");
  s.run(1s);
  CHECK(answers(p.text()) == texts{"200:1", "404:none", "200:2"});
  REQUIRE(s.later.size() == 2);
  s.later[1].send(200, "");
  s.run(1s);
  CHECK(answers(p.text()) == texts{"200:1", "404:none", "200:2", "200:", "200:3"});
  CHECK(p.eof());
  s.later.clear();
}

TEST_CASE("sim: methods, bodies and unknown paths are answered as HTTP wants it", "[sim][http]") {
  site s;
  CHECK(s.ask(request("GET /")) == texts{"200:home"});
  CHECK(s.ask(request("GET /?a=b")) == texts{"200:home"});
  CHECK(s.ask(request("GET /none")) == texts{"404:Not Found"});
  CHECK(s.ask(request("GET /dropped")) == texts{"500:Internal Server Error"});
  CHECK(s.ask(request("POST /echo", "Content-Length: 5\r\n") + "12345") == texts{"200:12345"});
  CHECK(s.ask(request("POST /echo", "Transfer-Encoding: chunked\r\n") +
              "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" + request("GET /")) ==
        texts{"200:abcde", "200:home"});
  CHECK(s.ask(request("POST /echo", "Content-Length: 0\r\n")) == texts{"200:"});
  {
    peer p(s, request("HEAD /") + request("GET /n/x"));
    s.run(1ms);
    auto const got = std::string(p.text());
    CHECK(got.find("Content-Length: 4") != std::string::npos);
    CHECK(got.find("home") == std::string::npos);
    CHECK(got.ends_with("\r\n\r\nx"));
  }
  {
    peer p(s, request("POST /"));
    s.run(1ms);
    CHECK(p.status() == 405);
    CHECK(p.head().find("Allow: GET, HEAD") != std::string::npos);
  }
  {
    peer p(s, request("POST /echo", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    s.run(1ms);
    CHECK(p.status() == 100);
    p.send("hello");
    s.run(1ms);
    CHECK(answers(p.text()) == texts{"200:hello"});
  }
  CHECK(s.counters().http_requests == 10);
}

TEST_CASE("sim: requests that can't be served get their status and the connection ends",
          "[sim][http]") {
  site s;
  struct row {
    std::string what;
    int status;
  };
  for (auto const& one : std::vector<row>{
           {request("GET /", "Bad Name: x\r\n"), 400},
           {"GET / HTTP/1.1\r\n\r\n", 400},
           {"GET /\r\n\r\n", 400},
           {request("GET /" + std::string(20'000, 'x')), 414},
           {request("GET /", "X: " + std::string(20'000, 'x') + "\r\n"), 431},
           {request("POST /echo", "Content-Length: 2000000\r\n"), 413},
           {request("POST /echo", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
           {request("POST /echo", "Transfer-Encoding: chunked\r\n") + "5;a=b\r\n", 400},
           {request("GET /", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 12\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            426},
           {request("GET /", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n"),
            400},
       }) {
    peer p(s, one.what + request("GET /"));
    s.run(10ms);
    INFO(one.what.substr(0, 200));
    CHECK(p.status() == one.status);
    CHECK(p.text().find("home") == std::string::npos);  // nothing behind it is answered
    s.run(3s);
    CHECK(p.is_over());
  }
  s.run(10s);
  CHECK(s.counters().objects == 0);
  CHECK(s.opens == 0);
}

TEST_CASE("sim: a server without routes answers plain requests with 426", "[sim][http]") {
  house h;
  peer p(h, request("GET /"));
  h.run();
  CHECK(p.status() == 426);
  CHECK(p.head().find("Upgrade: websocket") != std::string::npos);
}

TEST_CASE("sim: a chunked body is read at every split", "[sim][http]") {
  site s;
  std::string const all = request("POST /echo", "Transfer-Encoding: chunked\r\n") +
                          "a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n" + request("GET /n/next");
  for (std::size_t split = 0; split <= all.size(); ++split) {
    peer p(s, all.substr(0, split));
    s.run(1ms);
    p.send(all.substr(split));
    s.run(1ms);
    if (answers(p.text()) != texts{"200:0123456789x", "200:next"}) FAIL("split at " << split);
  }
}

TEST_CASE("sim: frames glued to an upgrade request are delivered once, at every split",
          "[sim][http]") {
  bool const decide_later = GENERATE(false, true);
  std::string const all = request("GET /n/0") + upgrade() + text("one") + wire(9, "p") +
                          text("two") + wire(1, "th", false) + wire(0, "ree");
  for (std::size_t split = 0; split <= all.size(); ++split) {
    site s;
    std::optional<hawser::decision> open;
    s.server->authenticate([&](hawser::handshake const&, hawser::decision d) {
      decide_later ? (void)open.emplace(std::move(d)) : d.accept();
    });
    peer p(s, all.substr(0, split));
    s.run(1ms);
    p.send(all.substr(split));
    s.run(1ms);
    if (decide_later) {
      REQUIRE(open);
      CHECK(s.messages.empty());
      open->accept();
      s.run(1ms);
    }
    auto const got = s.messages;
    if (got != texts{"one", "two", "three"}) FAIL("split at " << split);
  }
}

TEST_CASE("sim: who says too much before the decision is refused", "[sim][http]") {
  house h;
  std::vector<hawser::decision> kept;
  h.server->authenticate(
      [&](hawser::handshake const&, hawser::decision d) { kept.push_back(std::move(d)); });
  peer p(h, upgrade() + text(std::string(20'000, 'x')));
  h.run();
  CHECK(p.status() == 400);
  kept.clear();
  h.run(10s);
  CHECK(h.opens == 0);
  CHECK(h.counters().objects == 0);
}

TEST_CASE("sim: a connection that somebody else accepted is adopted at any stage", "[sim][http]") {
  site s;
  hawser::memory_context context(s.io.get_executor(), {.network = &s.net});
  hawser::memory_acceptor acceptor(context);
  REQUIRE(!acceptor.open({.port = 90}));
  std::string const all = upgrade() + text("early") + text("bird");
  for (std::size_t split = 0; split <= all.size(); ++split) {
    peer p(s, all.substr(split), 90);
    s.run(1ms);
    auto taken = acceptor.accept();
    REQUIRE(taken);
    s.messages.clear();
    s.server->adopt(std::move(*taken), hawser::as_bytes(all.substr(0, split)));
    s.run(1ms);
    if (s.messages != texts{"early", "bird"}) FAIL("split at " << split);
    CHECK(p.texts() == texts{"early", "bird"});
    CHECK(p.is_open());
  }
  // With the request parsed by the host.
  hawser::http::request_parser parser;
  auto const parsed = parser.parse(upgrade());
  REQUIRE(parsed.done);
  peer p(s, "", 90);
  s.run(1ms);
  auto taken = acceptor.accept();
  REQUIRE(taken);
  s.messages.clear();
  auto const rest = text("behind");
  s.server->adopt(std::move(*taken), hawser::as_bytes(rest), parser.take());
  p.send(text("more"));
  s.run(1ms);
  CHECK(s.messages == texts{"behind", "more"});
  CHECK(p.is_open());
}
