// Fuzzes response heads: cutting changes nothing, and the limits hold.
#include <string_view>

#include <hawser/codec/http/parse.hpp>

#include "http_head.hpp"

using namespace hawser_fuzz;
namespace http = hawser::http;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::uint8_t const seed = data[0];
  std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
  auto const limits = limits_for(seed);
  http::response_parser whole(limits), cut(limits);
  outcome const a =
      feed([&](std::string_view piece) { return whole.parse(piece); }, bytes, cutter(1));
  outcome const b =
      feed([&](std::string_view piece) { return cut.parse(piece); }, bytes, cutter(seed));
  require(a == b);
  require(a.consumed <= limits.max_head_size);
  if (!a.done) return 0;
  http::response const head = whole.take();
  http::response const other = cut.take();
  require_same(head, other);
  require_sound(head, limits);
  require(head.status() >= 100 && head.status() <= 999 && head.status() == other.status());
  require(head.reason() == other.reason() && http::all_of(http::value_char, head.reason()));
  return 0;
}
