// The client's side of an HTTP proxy's tunnel, over a stream that is connected to the proxy.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/proxy.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::inline HAWSER_ABI {

/// Asks for a tunnel and waits for the answer, in steps as a `byte_stream`'s handshake is made.
///
/// What comes behind the answer's head with it can't be the peer's, who has not been asked yet: it
/// is refused, so that nobody puts bytes in front of what comes over TLS, and none get lost.
///
/// Errors: `errc::proxy_auth_required`; `errc::proxy_refused` for any other answer but 2xx, for one
/// that is not HTTP, for early bytes and an early end; `errc::head_too_large`, `too_many_fields`
/// and `field_too_large`; those of the stream.
class proxy_handshake {
 public:
  /// `request` is `http::write_connect`'s.
  proxy_handshake(std::string request, http::head_limits const& limits)
      : request_(std::move(request)), answer_(limits) {}

  /// Zero when the stream is a tunnel; `would_block()`: call again when it is writable or readable.
  template <byte_stream Stream>
  std::error_code advance(Stream& proxy) {
    while (wants_write()) {
      bytes_view const left = as_bytes(std::string_view(request_).substr(sent_));
      auto const wrote = proxy.write_some({&left, 1});
      if (wrote.error) return wrote.error;
      sent_ += wrote.bytes;
    }
    std::array<std::byte, 1024> in;
    for (;;) {
      auto const got = proxy.read_some(in);
      if (is_would_block(got.error)) return done_ ? std::error_code{} : got.error;
      if (got.error == asio::error::eof) return make_error_code(errc::proxy_refused);
      if (got.error) return got.error;
      if (done_) return make_error_code(errc::proxy_refused);
      if (auto const error = take(as_text(bytes_view(in).first(got.bytes)))) return error;
    }
  }

  bool wants_write() const noexcept { return sent_ < request_.size(); }

 private:
  std::error_code take(std::string_view bytes) {
    auto const parsed = answer_.parse(bytes);
    if (parsed.error == condition::limit_reached) return parsed.error;
    if (parsed.error) return make_error_code(errc::proxy_refused);
    if (!parsed.done) return {};
    done_ = true;
    if (auto const error = http::check_connect(answer_.take())) return error;
    return parsed.consumed < bytes.size() ? make_error_code(errc::proxy_refused)
                                          : std::error_code{};
  }

  std::string request_;
  std::size_t sent_ = 0;
  http::response_parser answer_;
  bool done_ = false;
};

}  // namespace hawser::inline HAWSER_ABI
