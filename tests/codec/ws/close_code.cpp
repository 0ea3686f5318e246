#include <hawser/codec/ws/close_code.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <string>

using namespace hawser;
using namespace hawser::ws;

namespace {

std::string body_of(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} +
         std::string(reason);
}

}  // namespace

TEST_CASE("close code: exactly the registered and the private ones may be sent", "[codec][ws]") {
  for (unsigned value = 0; value <= 0xffff; ++value) {
    bool const named = (value >= 1000 && value <= 1003) || (value >= 1007 && value <= 1014);
    bool const expected = named || (value >= 3000 && value <= 4999);
    auto const code = static_cast<close_code>(value);
    if (is_sendable(code) != expected) FAIL("code " << value);
    auto const text = body_of(value);
    auto const body = read_close(as_bytes(text));
    if ((body.error == errc{}) != expected) FAIL("code " << value);
    if (!expected && body.error != errc::bad_close_code) FAIL("code " << value);
    if (expected && body.code != code) FAIL("code " << value);
  }
}

TEST_CASE("close body: empty, one byte, and a reason", "[codec][ws]") {
  CHECK(read_close({}).code == close_code::no_status);
  CHECK(read_close({}).error == errc{});
  CHECK(read_close(as_bytes("\x03")).error == errc::bad_close_payload);
  auto const text = body_of(1000, "going home");
  auto const body = read_close(as_bytes(text));
  CHECK(body.code == close_code::normal);
  CHECK(body.reason == "going home");
}

TEST_CASE("close body: a reason must be UTF-8", "[codec][ws]") {
  for (auto const* bad : {"\xff", "ok\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\xc0\x80"}) {
    CHECK(read_close(as_bytes(body_of(1000, bad))).error == errc::invalid_utf8);
    CHECK(check_close(close_code::normal, bad) == errc::bad_argument);
  }
  auto const good = body_of(1000, "\xc3\xa9\xf0\x9f\x9a\xa2");
  CHECK(read_close(as_bytes(good)).error == errc{});
}

TEST_CASE("close body: what is written is read back", "[codec][ws]") {
  for (close_code const code : {close_code::normal, close_code::bad_gateway,
                                static_cast<close_code>(3000), static_cast<close_code>(4999)}) {
    for (std::size_t const size : {0u, 1u, 50u, 123u}) {
      std::string const reason(size, 'r');
      REQUIRE_FALSE(check_close(code, reason));
      std::array<std::byte, max_control_payload> out;
      std::size_t const written = write_close(out.data(), code, reason);
      REQUIRE(written == 2 + size);
      auto const body = read_close(bytes_view(out).first(written));
      CHECK(body.code == code);
      CHECK(body.reason == reason);
    }
  }
  std::array<std::byte, max_control_payload> out;
  CHECK(write_close(out.data(), close_code::no_status, {}) == 0);
}

TEST_CASE("close: what may not be sent is refused before it is", "[codec][ws]") {
  CHECK_FALSE(check_close(close_code::no_status, {}));
  CHECK(check_close(close_code::no_status, "reason") == errc::bad_argument);
  CHECK(check_close(close_code::abnormal, {}) == errc::bad_argument);
  CHECK(check_close(static_cast<close_code>(1015), {}) == errc::bad_argument);
  CHECK(check_close(static_cast<close_code>(999), {}) == errc::bad_argument);
  CHECK(check_close(static_cast<close_code>(5000), {}) == errc::bad_argument);
  CHECK(check_close(close_code::normal, std::string(124, 'x')) == errc::bad_argument);
}

TEST_CASE("close code: every violation and limit has its answer", "[codec][ws]") {
  using enum errc;
  for (errc const error :
       {reserved_bits, reserved_opcode, frame_not_masked, frame_masked, length_not_minimal,
        length_overflow, control_fragmented, control_too_long, unexpected_continuation,
        continuation_expected, bad_close_payload, bad_close_code}) {
    CHECK(close_code_for(error) == close_code::protocol_error);
  }
  CHECK(close_code_for(invalid_utf8) == close_code::invalid_payload);
  CHECK(close_code_for(bad_deflate_data) == close_code::invalid_payload);
  CHECK(close_code_for(message_too_big) == close_code::message_too_big);
  for (errc const error : {too_many_fragments, message_timeout, control_flood, message_flood}) {
    CHECK(close_code_for(error) == close_code::policy_violation);
  }
  CHECK(close_code_for(partial_budget_exceeded) == close_code::try_again_later);
  CHECK(close_code_for(send_queue_full) == close_code::try_again_later);
}
