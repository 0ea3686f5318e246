// What the fuzz targets of HTTP heads share: cutting the input, comparing whole and cut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <hawser/codec/http/parse.hpp>

namespace hawser_fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Sizes of pieces, drawn from one byte: always 1, always everything, or something changing.
class cutter {
 public:
  explicit cutter(std::uint8_t seed) : seed_(seed) {}
  std::size_t next() {
    if (seed_ < 2) return seed_ == 0 ? 1 : static_cast<std::size_t>(-1);
    state_ = state_ * 1664525u + seed_;
    return 1 + (state_ >> 16) % seed_;
  }

 private:
  std::uint32_t seed_;
  std::uint32_t state_ = 1;
};

struct outcome {
  std::size_t consumed = 0;
  bool done = false;
  std::error_code error;
  bool operator==(outcome const&) const = default;
};

template <class Parse>
outcome feed(Parse&& parse, std::string_view bytes, cutter cuts) {
  outcome total;
  while (!bytes.empty()) {
    std::string_view const piece = bytes.substr(0, cuts.next());
    auto const now = parse(piece);
    require(now.consumed <= piece.size());
    require(!(now.done && now.error));
    total.consumed += now.consumed;
    total.done = now.done;
    total.error = now.error;
    if (now.done || now.error) break;
    require(now.consumed == piece.size());
    bytes.remove_prefix(piece.size());
  }
  return total;
}

/// Two heads with the same contents.
template <class Head>
void require_same(Head const& a, Head const& b) {
  require(a.fields().size() == b.fields().size());
  require(a.version_minor() == b.version_minor());
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    require(a.fields()[i].name == b.fields()[i].name);
    require(a.fields()[i].value == b.fields()[i].value);
  }
}

/// What every accepted head promises.
template <class Head>
void require_sound(Head const& head, hawser::http::head_limits const& limits) {
  using namespace hawser::http;
  require(head.fields().size() <= limits.max_header_count);
  std::size_t total = 0;
  for (field const f : head.fields()) {
    require(is_token(f.name) && is_field_value(f.value));
    require(f.name.size() + 1 + f.value.size() <= limits.max_field_size);
    total += f.name.size() + f.value.size() + 3;
  }
  require(total <= limits.max_head_size);
  require(head.count("Content-Length") <= 1);
  require(head.count("Content-Length") == 0 || head.content_length().has_value());
  require(!head.chunked() || *head.get("Transfer-Encoding") == "chunked");
  require(!head.chunked() || head.count("Content-Length") == 0);
  head.keep_alive();
}

/// Limits that short inputs reach, for every other seed.
inline hawser::http::head_limits limits_for(std::uint8_t seed) {
  if (seed % 2 == 0) return {};
  return {.max_head_size = 256, .max_header_count = 6, .max_field_size = 64, .max_uri_size = 32};
}

}  // namespace hawser_fuzz
