// Feeds arbitrary polling bodies to the payload reader and holds it against a plain decoder; what
// was read is written, and reads the same again.
#include <hawser/codec/eio/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hawser;

void require(bool holds) {
  if (!holds) std::abort();
}

struct record {
  int type;
  bool binary;
  std::string data;
  bool operator==(record const&) const = default;
};

struct reading {
  std::vector<record> packets;
  errc error{};
};

/// Digit by digit, by another way than the library's; false for what isn't strict base64.
bool plain_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  std::string_view digits = text;
  for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
  unsigned bits = 0, held = 0;
  for (char const c : digits) {
    std::size_t const value = codec::base64_alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<unsigned>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
    bits &= (1u << held) - 1;
  }
  return held < 6 && bits == 0;
}

reading plain(std::string_view body, std::size_t max) {
  reading all;
  if (!codec::is_utf8(as_bytes(body))) return {{}, errc::invalid_utf8};
  for (;;) {
    if (all.packets.size() == max) {
      all.error = errc::too_many_packets;
      return all;
    }
    std::string_view const one = body.substr(0, body.find(eio::separator));
    record packet{4, false, {}};
    if (one.starts_with('b')) {
      packet.binary = true;
      if (!plain_base64(one.substr(1), packet.data)) all.error = errc::bad_base64;
    } else if (one.empty() || one[0] < '0' || one[0] > '6') {
      all.error = errc::bad_engine_packet;
    } else {
      packet.type = one[0] - '0';
      packet.data = one.substr(1);
    }
    if (all.error != errc{}) return all;
    all.packets.push_back(packet);
    if (one.size() == body.size()) return all;
    body.remove_prefix(one.size() + 1);
  }
}

reading read(std::string_view body, std::size_t max) {
  using status = eio::payload_reader::status;
  reading all;
  std::vector<char> copy(body.begin(), body.end());
  eio::payload_reader reader({reinterpret_cast<std::byte*>(copy.data()), copy.size()}, {max});
  eio::packet packet;
  status now = reader.next(packet);
  for (; now == status::packet; now = reader.next(packet)) {
    all.packets.push_back(
        {static_cast<int>(packet.type), packet.binary, std::string(as_text(packet.data))});
  }
  all.error = reader.error();
  require((now == status::violation) == (all.error != errc{}));
  require(reader.next(packet) == now && reader.error() == all.error);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t const max = data[0] == 0 ? 10'000 : data[0];
  std::string_view const body(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const all = read(body, max);
  auto const expected = plain(body, max);
  require(all.packets == expected.packets);
  require(all.error == expected.error);

  byte_buffer out;
  eio::payload_writer writer(out);
  for (auto const& packet : all.packets) {
    std::string text(1, static_cast<char>('0' + packet.type));
    text += packet.data;
    std::size_t const after = packet.binary ? writer.size_with_binary(packet.data.size())
                                            : writer.size_with_text(text.size());
    packet.binary ? writer.add_binary(as_bytes(packet.data)) : writer.add_text(text);
    require(writer.size() == after && out.size() == after);
  }
  // Every payload has one text.
  if (all.error == errc{}) require(as_text(out.view()) == body);
  if (!all.packets.empty()) {
    auto const again = read(as_text(out.view()), max);
    require(again.error == errc{} && again.packets == all.packets);
  }
  return 0;
}
