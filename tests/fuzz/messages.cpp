// Fuzzes whole messages, compressed and not: what arrives in any cut, and what goes both ways.
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/ws/deflate.hpp>
#include <hawser/policy/websocket_framing.hpp>
#include <hawser/testing/seeded_random.hpp>

#include "frames.hpp"

using namespace hawser_fuzz;
using hawser::framing_event;
using hawser::message_kind;
using framing = hawser::websocket_framing;
using type = framing_event::type;

namespace {

struct said {
  type what{};
  message_kind kind{};
  hawser::close_code code{};
  errc error{};
  std::string payload;
  bool operator==(said const&) const = default;
};

/// Decodes in pieces and checks what every event promises.
void receive(framing::peer& peer, framing::shared& state, std::string_view in, cutter& cuts,
             std::vector<said>& out) {
  while (!in.empty()) {
    std::string piece(in.substr(0, cuts.next()));
    in.remove_prefix(piece.size());
    hawser::mutable_bytes rest(reinterpret_cast<std::byte*>(piece.data()), piece.size());
    for (;;) {
      std::size_t const before = rest.size();
      auto const now = peer.decode(rest, state);
      require(peer.unfinished().held <= state.limits().max_message_size);
      if (now.what == type::need_more) break;
      said made{now.what, now.kind, now.code, now.error, std::string(hawser::as_text(now.payload))};
      if (now.what == type::message) {
        require(made.payload.size() <= state.limits().max_message_size);
        require(made.kind == message_kind::binary || utf8_state(made.payload) == 1);
      }
      if (now.what == type::close) require(utf8_state(made.payload) == 1);
      bool const repeated = !out.empty() && out.back() == made;
      if (now.what == type::violation && rest.size() == before && repeated) break;
      out.push_back(std::move(made));
    }
  }
}

framing::options options_for(std::uint8_t numbers) {
  framing::options made;
  made.max_message_size = numbers % 2 == 0 ? 4096 : 200'000;
  made.deflate.enabled = true;
  made.deflate.threshold = 0;
  return made;
}

ws::deflate_agreement agreement_for(std::uint8_t flags) {
  ws::deflate_agreement made;
  made.server_no_context_takeover = (flags & 1) != 0;
  made.client_no_context_takeover = (flags & 2) != 0;
  made.server_window_bits = static_cast<std::uint8_t>(9 + (flags >> 2) % 7);
  made.client_window_bits = static_cast<std::uint8_t>(9 + (flags >> 5) % 7);
  return made;
}

}  // namespace

// Bytes 0 to 2: cut, sizes, agreement. The rest is what a server says, then what both say.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 3) return 0;
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 3, size - 3);
  auto const numbers = options_for(data[1]);
  auto const agreed = agreement_for(data[2]);
  hawser::seeded_random random(data[0]);

  std::vector<said> seen[2];
  for (int cut = 0; cut < 2; ++cut) {
    framing::shared state(numbers, random.source());
    framing::peer reader(ws::role::client);
    reader.agree(agreed);
    cutter cuts(cut == 0 ? 1 : data[0]);
    receive(reader, state, bytes, cuts, seen[cut]);
    reader.release(state);
  }
  require(seen[0] == seen[1]);

  framing::shared here(numbers, random.source());
  framing::shared there(numbers, random.source());
  framing::peer server(ws::role::server), client(ws::role::client);
  server.agree(agreed);
  client.agree(agreed);
  std::string_view rest = bytes.substr(0, numbers.max_message_size / 2);
  for (cutter lengths(data[0]), cuts(data[1]); !rest.empty();) {
    std::string_view const body = rest.substr(0, lengths.next());
    rest.remove_prefix(body.size());
    bool const text = utf8_state(body) == 1;
    hawser::outgoing const message{text ? message_kind::text : message_kind::binary,
                                   hawser::as_bytes(body), body.size() % 7 != 0};
    for (auto* from : {&server, &client}) {
      auto& state = from == &server ? here : there;
      auto const encoded = from->encode(message, state);
      std::string wire(hawser::as_text(encoded.head_view()));
      wire += hawser::as_text(encoded.body);
      std::vector<said> got;
      receive(from == &server ? client : server, from == &server ? there : here, wire, cuts, got);
      require(got.size() == 1 && got[0].what == type::message && got[0].payload == body);
      require((got[0].kind == message_kind::text) == text);
    }
  }
  server.release(here);
  client.release(there);
  return 0;
}
