// Compressed bodies of responses: gzip, where the client takes it (RFC 9110 section 8.4).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/codec/http/message.hpp>
#include <hawser/core/bytes.hpp>
#include <hawser/core/config.hpp>
#if HAWSER_WITH_DEFLATE
#include <zlib.h>
#endif

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Whether Accept-Encoding names gzip and doesn't exclude it. Weights are not compared: a client
/// that sends several takes any.
inline bool accepts_gzip(message const& from) noexcept {
  for (field const f : from.fields()) {
    if (!iequals(f.name, "Accept-Encoding")) continue;
    std::string_view rest = f.value;
    while (!rest.empty()) {
      std::string_view const element = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), element.size() + 1));
      std::size_t const name_end = std::min(element.find(';'), element.size());
      if (!iequals(trim(element.substr(0, name_end)), "gzip")) continue;
      std::string_view const weight = trim(element.substr(std::min(name_end + 1, element.size())));
      if (!iequals(weight.substr(0, 2), "q=")) return true;
      return weight.find_first_of("123456789", 2) != std::string_view::npos;
    }
  }
  return false;
}

/// The bytes as gzip (RFC 1952); empty if this build has no zlib, or no memory was left.
inline std::string gzip(bytes_view bytes) {
#if HAWSER_WITH_DEFLATE
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  // zlib never writes to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int const done = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return done == Z_STREAM_END ? out : std::string();
#else
  (void)bytes;
  return {};
#endif
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
