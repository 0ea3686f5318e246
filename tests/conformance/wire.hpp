// Frames written and read by hand, and plain zlib: hawser's own codecs must not be their own judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace conformance {

/// What the peer sees of a connection, or the application of its messages. `kind` is 't' for text,
/// 'b' binary, 'i' ping, 'o' pong, 'c' close with the code in decimal (or nothing) as data.
struct happening {
  char kind = 0;
  std::string data{};

  friend bool operator==(happening const&, happening const&) = default;
};

/// For messages: long data is cut.
inline std::string to_string(happening const& one) {
  std::string text(1, one.kind);
  text += '(';
  if (one.data.size() > 60) return text + std::to_string(one.data.size()) + " bytes)";
  for (char const c : one.data) {
    bool const plain = c > 31 && c < 127;
    static constexpr char const* digits = "0123456789abcdef";
    auto const value = static_cast<unsigned char>(c);
    if (plain) {
      text += c;
    } else {
      text += '\\';
      text += digits[value >> 4];
      text += digits[value & 15];
    }
  }
  return text + ')';
}

inline std::string to_string(std::vector<happening> const& all) {
  std::string text;
  for (auto const& one : all) text += to_string(one) + ' ';
  return text;
}

/// A frame as the peer wants it on the wire, legal or not.
struct frame {
  unsigned opcode = 1;
  std::string payload{};
  bool fin = true;
  unsigned rsv = 0;                         // RSV1 is 4, RSV2 is 2, RSV3 is 1
  bool wrong_mask = false;                  // as the other role would send it
  int length_bits = 0;                      // 7, 16 or 64; 0: the shortest
  std::optional<std::uint64_t> claim = {};  // instead of the payload's size
};

inline void append_header(std::string& out, frame const& what, std::uint64_t size, bool masked) {
  std::uint64_t const length = what.claim.value_or(size);
  int bits = what.length_bits;
  if (bits == 0) bits = length < 126 ? 7 : length < 65536 ? 16 : 64;
  out += static_cast<char>((what.fin ? 128u : 0u) | (what.rsv << 4) | what.opcode);
  unsigned const mask_bit = masked ? 128u : 0u;
  unsigned const first = bits == 7 ? static_cast<unsigned>(length) : bits == 16 ? 126u : 127u;
  out += static_cast<char>(mask_bit | first);
  for (int shift = bits - 8; bits > 7 && shift >= 0; shift -= 8) {
    out += static_cast<char>((length >> shift) & 255);
  }
}

/// The frame's bytes; `masked` as a client sends it.
inline std::string write(frame const& what, bool masked) {
  if (what.wrong_mask) masked = !masked;
  std::string out;
  out.reserve(what.payload.size() + 14);
  append_header(out, what, what.payload.size(), masked);
  if (!masked) return out += what.payload;
  // Another key for every length and opcode; none of its bytes zero.
  unsigned const seed = static_cast<unsigned>(what.payload.size()) * 2654435761u + what.opcode;
  char key[4];
  for (unsigned i = 0; i < 4; ++i) key[i] = static_cast<char>(((seed >> (7 * i)) & 255) | 1);
  out.append(key, 4);
  std::size_t const at = out.size();
  out += what.payload;
  for (std::size_t i = at; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ key[(i - at) & 3]);
  }
  return out;
}

inline std::string close_body(unsigned code, std::string_view reason = {}) {
  std::string body;
  body += static_cast<char>((code >> 8) & 255);
  body += static_cast<char>(code & 255);
  return body.append(reason);
}

/// permessage-deflate as plain zlib does it. Both ends of RFC 7692 section 7.2.
class zlib_out {
 public:
  zlib_out(int window_bits, bool forgets) : forgets_(forgets) {
    deflateInit2(&stream_, 1, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY);
  }
  zlib_out(zlib_out const&) = delete;
  zlib_out& operator=(zlib_out const&) = delete;
  ~zlib_out() { deflateEnd(&stream_); }

  std::string operator()(std::string text) {
    std::string out(deflateBound(&stream_, static_cast<uLong>(text.size())) + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    if (forgets_) deflateReset(&stream_);
    if (text.empty()) return std::string(1, '\0');
    return out.substr(0, out.size() - 4);
  }

 private:
  z_stream stream_{};
  bool forgets_;
};

class zlib_in {
 public:
  zlib_in(int window_bits, bool forgets) : forgets_(forgets) {
    inflateInit2(&stream_, -window_bits);
  }
  zlib_in(zlib_in const&) = delete;
  zlib_in& operator=(zlib_in const&) = delete;
  ~zlib_in() { inflateEnd(&stream_); }

  /// Nothing if zlib refuses, because of what was sent or because it refers beyond the window or
  /// behind a context that was to be forgotten.
  std::optional<std::string> operator()(std::string data) {
    data.append("\x00\x00\xff\xff", 4);
    stream_.next_in = reinterpret_cast<Bytef*>(data.data());
    stream_.avail_in = static_cast<uInt>(data.size());
    std::string text;
    char room[16384];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(room);
      stream_.avail_out = sizeof room;
      int const status = inflate(&stream_, Z_SYNC_FLUSH);
      if (status != Z_OK && status != Z_BUF_ERROR) return std::nullopt;
      text.append(room, sizeof room - stream_.avail_out);
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    if (forgets_) inflateReset(&stream_);
    return text;
  }

 private:
  z_stream stream_{};
  bool forgets_;
};

/// Reads what hawser sends, and is pedantic about it.
class frame_reader {
 public:
  explicit frame_reader(bool expects_mask) : expects_mask_(expects_mask) {}

  zlib_in* inflate = nullptr;  ///< RSV1 is allowed with it
  std::vector<happening> seen{};
  std::string fault{};  ///< the first thing that RFC 6455 forbids
  std::size_t compressed = 0;

  /// Takes as many whole frames as there are; the number of bytes used.
  std::size_t read(std::string_view in) {
    std::size_t used = 0;
    while (fault.empty()) {
      std::size_t const size = read_one(in.substr(used));
      if (size == 0) break;
      used += size;
    }
    return used;
  }

 private:
  std::size_t wrong(char const* what) {
    fault = what;
    return 0;
  }

  static unsigned at(std::string_view in, std::size_t i) {
    return static_cast<unsigned char>(in[i]);
  }

  std::size_t read_one(std::string_view in) {
    if (in.size() < 2) return 0;
    if (!seen.empty() && seen.back().kind == 'c') return wrong("a frame behind Close");
    unsigned const opcode = at(in, 0) & 15;
    bool const control = opcode >= 8;
    bool const rsv1 = (at(in, 0) & 0x40) != 0;
    if ((at(in, 0) & 0x80) == 0) return wrong("a fragment, which hawser never sends");
    if ((at(in, 0) & 0x30) != 0) return wrong("RSV2 or RSV3");
    if (rsv1 && (!inflate || control)) return wrong("RSV1");
    bool const masked = (at(in, 1) & 0x80) != 0;
    if (masked != expects_mask_) return wrong(masked ? "masked" : "not masked");
    std::uint64_t length = at(in, 1) & 0x7f;
    if (control && length > 125) return wrong("a long control frame");
    std::size_t size = 2;
    if (length >= 126) {
      std::size_t const more = length == 126 ? 2 : 8;
      if (in.size() < size + more) return 0;
      length = 0;
      for (std::size_t i = 0; i < more; ++i) length = (length << 8) | at(in, size + i);
      size += more;
      if (length < 126 || (more == 8 && length < 65536))
        return wrong("a length that is not minimal");
    }
    std::size_t const key = size;
    if (masked) size += 4;
    if (in.size() < size || in.size() - size < length) return 0;
    std::string payload(in.substr(size, static_cast<std::size_t>(length)));
    for (std::size_t i = 0; masked && i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ in[key + (i & 3)]);
    }
    if (masked) check_key(in.substr(key, 4));
    size += payload.size();
    if (rsv1) {
      auto text = (*inflate)(std::move(payload));
      if (!text) return wrong("a message that plain zlib does not inflate");
      payload = std::move(*text);
      ++compressed;
    }
    take(opcode, std::move(payload));
    return fault.empty() ? size : 0;
  }

  void take(unsigned opcode, std::string payload) {
    switch (opcode) {
      case 1: seen.push_back({'t', std::move(payload)}); return;
      case 2: seen.push_back({'b', std::move(payload)}); return;
      case 9: seen.push_back({'i', std::move(payload)}); return;
      case 10: seen.push_back({'o', std::move(payload)}); return;
      case 8: break;
      default: fault = "an opcode that does not exist"; return;
    }
    if (payload.size() == 1) fault = "a Close body of one byte";
    std::string code;
    if (payload.size() >= 2) code = std::to_string(at(payload, 0) * 256 + at(payload, 1));
    seen.push_back({'c', code});
  }

  // A key has 32 random bits: three times the same in a row does not happen.
  void check_key(std::string_view key) {
    repeats_ = key == last_key_ ? repeats_ + 1 : 0;
    if (repeats_ > 1) fault = "the same masking key again and again";
    last_key_ = key;
  }

  bool expects_mask_;
  std::string last_key_{};
  int repeats_ = 0;
};

}  // namespace conformance
