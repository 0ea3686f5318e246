#include <hawser/codec/ws/frame.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;
using namespace hawser::ws;

namespace {

constexpr mask_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};

std::vector<std::byte> raw(std::initializer_list<unsigned> values) {
  std::vector<std::byte> made;
  for (unsigned const value : values) made.push_back(static_cast<std::byte>(value));
  return made;
}

// The error, and at how many bytes it shows; the same for every later byte.
void refused(std::vector<std::byte> const& bytes, role reader, errc error, std::size_t at,
             bool deflate = false) {
  for (std::size_t have = 0; have <= bytes.size(); ++have) {
    frame_header header;
    auto const reading = read_header(bytes_view(bytes).first(have), reader, deflate, header);
    CAPTURE(have, static_cast<int>(error));
    CHECK(reading.size == 0);
    CHECK(reading.error == (have < at ? errc{} : error));
  }
}

}  // namespace

TEST_CASE("frame: headers survive the way there and back, at every cut", "[codec][ws]") {
  constexpr std::uint64_t lengths[] = {0,
                                       1,
                                       124,
                                       125,
                                       126,
                                       127,
                                       255,
                                       256,
                                       65'534,
                                       65'535,
                                       65'536,
                                       std::uint64_t{1} << 32,
                                       (std::uint64_t{1} << 63) - 1};
  for (role const writer : {role::server, role::client}) {
    role const reader = writer == role::server ? role::client : role::server;
    for (opcode const code : {opcode::continuation, opcode::text, opcode::binary, opcode::close,
                              opcode::ping, opcode::pong}) {
      for (std::uint64_t const length : lengths) {
        if (is_control(code) && length > max_control_payload) continue;
        for (int flags = 0; flags < 4; ++flags) {
          bool const fin = is_control(code) || (flags & 1) != 0;
          bool const rsv1 = (flags & 2) != 0;
          if (rsv1 && code != opcode::text && code != opcode::binary) continue;
          std::array<std::byte, max_header_size> out;
          std::size_t const size = writer == role::server
                                       ? write_header(out.data(), code, length, fin, rsv1)
                                       : write_header(out.data(), code, length, key, fin, rsv1);
          REQUIRE(size == header_size(length, writer));
          for (std::size_t have = 0; have <= out.size(); ++have) {
            frame_header header;
            auto const got = read_header(bytes_view(out).first(have), reader, true, header);
            REQUIRE(got.error == errc{});
            REQUIRE(got.size == (have < size ? 0 : size));
            if (have < size) continue;
            REQUIRE(header.code == code);
            REQUIRE(header.length == length);
            REQUIRE(header.fin == fin);
            REQUIRE(header.rsv1 == rsv1);
            REQUIRE(header.key == (writer == role::client ? key : mask_key{}));
          }
        }
      }
    }
  }
}

TEST_CASE("frame: the examples of RFC 6455 section 5.7 are written so", "[codec][ws]") {
  std::array<std::byte, max_header_size> out;
  REQUIRE(write_header(out.data(), opcode::text, 5) == 2);
  CHECK(out[0] == std::byte{0x81});
  CHECK(out[1] == std::byte{0x05});
  REQUIRE(write_header(out.data(), opcode::text, 5, key) == 6);
  CHECK(out[1] == std::byte{0x85});
  CHECK(out[2] == std::byte{0x37});
  CHECK(out[5] == std::byte{0x3d});
  REQUIRE(write_header(out.data(), opcode::binary, 256) == 4);
  CHECK(out[1] == std::byte{0x7e});
  CHECK(out[2] == std::byte{0x01});
  REQUIRE(write_header(out.data(), opcode::binary, 65'536) == 10);
  CHECK(out[1] == std::byte{0x7f});
  CHECK(out[7] == std::byte{0x01});

  auto hello = raw({0x7f, 0x9f, 0x4d, 0x51, 0x58});
  apply_mask(hello, key);
  CHECK(as_text(hello) == "Hello");
}

TEST_CASE("frame: every first byte is taken or refused as the RFC says", "[codec][ws]") {
  for (unsigned first = 0; first < 256; ++first) {
    for (bool const deflate : {false, true}) {
      unsigned const code = first & 0x0f;
      bool const control = code >= 8;
      bool const known = code <= 2 || (code >= 8 && code <= 10);
      bool const rsv1_fits = deflate && (code == 1 || code == 2);
      errc expected{};
      if (!known) {
        expected = errc::reserved_opcode;
      } else if ((first & 0x30) != 0 || ((first & 0x40) != 0 && !rsv1_fits)) {
        expected = errc::reserved_bits;
      } else if (control && (first & 0x80) == 0) {
        expected = errc::control_fragmented;
      }
      for (role const reader : {role::server, role::client}) {
        auto const bytes = raw({first});
        frame_header header;
        auto const got = read_header(bytes, reader, deflate, header);
        CAPTURE(first, deflate);
        CHECK(got.size == 0);
        CHECK(got.error == expected);
      }
    }
  }
}

TEST_CASE("frame: a mask that is missing or not expected is refused at the second byte",
          "[codec][ws]") {
  refused(raw({0x81, 0x05, 1, 2, 3, 4, 5}), role::server, errc::frame_not_masked, 2);
  refused(raw({0x81, 0x85, 1, 2, 3, 4, 5}), role::client, errc::frame_masked, 2);
  refused(raw({0x81, 0x7f, 0, 0}), role::server, errc::frame_not_masked, 2);
}

TEST_CASE("frame: control frames over 125 bytes are refused at the second byte", "[codec][ws]") {
  for (unsigned const first : {0x88u, 0x89u, 0x8au}) {
    refused(raw({first, 0xfe, 0, 126}), role::server, errc::control_too_long, 2);
    refused(raw({first, 0xff, 0, 0, 0, 0, 0, 1, 0, 0}), role::server, errc::control_too_long, 2);
    refused(raw({first, 0x7e, 0, 126}), role::client, errc::control_too_long, 2);
  }
}

TEST_CASE("frame: lengths that are not in their shortest form are refused", "[codec][ws]") {
  refused(raw({0x82, 0x7e, 0, 0}), role::client, errc::length_not_minimal, 4);
  refused(raw({0x82, 0x7e, 0, 125}), role::client, errc::length_not_minimal, 4);
  refused(raw({0x82, 0xfe, 0, 125, 1, 2, 3, 4}), role::server, errc::length_not_minimal, 4);
  refused(raw({0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 5}), role::client, errc::length_not_minimal, 10);
  refused(raw({0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff}), role::client, errc::length_not_minimal,
          10);
}

TEST_CASE("frame: lengths over 2^63 are refused", "[codec][ws]") {
  refused(raw({0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0}), role::client, errc::length_overflow, 10);
  refused(raw({0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}),
          role::server, errc::length_overflow, 10);
}

TEST_CASE("frame: masking agrees with the RFC's formula for all alignments, lengths and phases",
          "[codec][ws]") {
  seeded_random random(1);
  std::vector<std::byte> buffer(64 + 4'096 + 64);
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i <= 80; ++i) lengths.push_back(i);
  for (std::size_t const i :
       {95u, 96u, 97u, 127u, 128u, 129u, 255u, 256u, 1'000u, 1'023u, 4'095u, 4'096u}) {
    lengths.push_back(i);
  }
  for (std::size_t alignment = 0; alignment < 64; ++alignment) {
    for (std::size_t const length : lengths) {
      for (std::size_t phase = 0; phase < 4; ++phase) {
        mask_key drawn;
        random.fill(drawn);
        random.fill({buffer.data(), alignment + length + 64});
        auto expected = buffer;
        for (std::size_t i = 0; i < length; ++i) {
          expected[alignment + i] ^= drawn[(phase + i) % 4];
        }
        apply_mask({buffer.data() + alignment, length}, drawn, phase);
        if (buffer != expected)
          FAIL("alignment " << alignment << " length " << length << " phase " << phase);
      }
    }
  }
}

TEST_CASE("frame: masking in pieces is masking in one", "[codec][ws]") {
  seeded_random random(2);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::byte> whole(static_cast<std::size_t>(random.uniform(300)));
    random.fill(whole);
    auto pieces = whole;
    apply_mask(whole, key);
    for (std::size_t at = 0; at < pieces.size();) {
      auto const some =
          std::min(pieces.size() - at, static_cast<std::size_t>(random.between(1, 50)));
      apply_mask({pieces.data() + at, some}, key, at & 3);
      at += some;
    }
    REQUIRE(pieces == whole);
    apply_mask(pieces, key, 4'000'000'000);  // only the phase modulo 4 counts
    apply_mask(whole, key);
    REQUIRE(pieces == whole);
  }
}
