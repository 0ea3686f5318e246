// Compares the MessagePack parser with a plain one, and each value with its rewriting in both
// formats.
#include <string>

#include "values.hpp"

using namespace hawser_fuzz;

namespace {

/// Walks over one value by recursion; what it finds is counted.
struct walker {
  std::string_view in;
  std::size_t values = 0;
  std::size_t deepest = 0;

  std::uint64_t number(std::size_t size, bool& good) {
    std::uint64_t made = 0;
    good = good && in.size() >= size;
    for (std::size_t i = 0; good && i < size; ++i) {
      made = made << 8 | static_cast<std::uint8_t>(in[i]);
    }
    if (good) in.remove_prefix(size);
    return made;
  }
  bool skip(std::uint64_t size) {
    if (size > in.size()) return false;
    in.remove_prefix(static_cast<std::size_t>(size));
    return true;
  }
  bool text(std::uint64_t size) {
    if (size > in.size()) return false;
    auto const what = in.substr(0, static_cast<std::size_t>(size));
    return skip(size) && hawser::codec::is_utf8(hawser::as_bytes(what));
  }
  bool extension(std::uint64_t size) {
    bool good = true;
    auto const type = number(1, good);
    if (!good || size > in.size()) return false;
    if (type == 0) return size == 1 && number(1, good) == 0;
    if (type != 0xff) return false;
    std::uint64_t nanoseconds = 0, seconds = 0;
    if (size == 4) {
      seconds = number(4, good);
    } else if (size == 8) {
      auto const both = number(8, good);
      nanoseconds = both >> 34;
      seconds = both & 0x3ffffffff;
    } else if (size == 12) {
      nanoseconds = number(4, good);
      seconds = number(8, good);
    } else {
      return false;
    }
    if (nanoseconds >= 1'000'000'000) return false;
    auto const when = static_cast<std::int64_t>(seconds);
    std::int64_t const most = 8'640'000'000'000;
    return when >= -most && (when < most || (when == most && nanoseconds < 1'000'000));
  }
  bool key() {
    bool good = true;
    auto const tag = number(1, good);
    if (!good) return false;
    if (tag >= 0xa0 && tag < 0xc0) return text(tag & 31);
    if (tag < 0xd9 || tag > 0xdb) return false;
    auto const size = number(std::size_t{1} << (tag - 0xd9), good);
    return good && text(size);
  }
  bool inside(std::uint64_t count, bool map, std::size_t depth) {
    deepest = std::max(deepest, depth + 1);
    for (; count > 0; --count) {
      if ((map && !key()) || !any(depth + 1)) return false;
    }
    return true;
  }
  bool any(std::size_t depth) {
    bool good = true;
    auto const tag = number(1, good);
    if (!good) return false;
    ++values;
    if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) return true;
    if (tag < 0xa0) return inside(tag & 15, tag < 0x90, depth);
    if (tag < 0xc0) return text(tag & 31);
    if (tag == 0xc1) return false;
    auto const size = [&](std::uint64_t first) {
      return number(std::size_t{1} << (tag - first), good);
    };
    if (tag <= 0xc6) {
      auto const bytes = size(0xc4);
      return good && skip(bytes);
    }
    if (tag <= 0xc9) {
      auto const bytes = size(0xc7);
      return good && extension(bytes);
    }
    if (tag <= 0xcb) return skip(tag == 0xca ? 4 : 8);
    if (tag <= 0xcf) return skip(std::uint64_t{1} << (tag - 0xcc));
    if (tag <= 0xd3) return skip(std::uint64_t{1} << (tag - 0xd0));
    if (tag <= 0xd8) return extension(std::uint64_t{1} << (tag - 0xd4));
    if (tag <= 0xdb) {
      auto const bytes = size(0xd9);
      return good && text(bytes);
    }
    bool const map = tag >= 0xde;
    auto const count = number((tag & 1) == 0 ? 2 : 4, good);
    return good && inside(count, map, depth);
  }
};

}  // namespace

// Byte 0 chooses limits. The rest is the value.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 1) return 0;
  static value_tape tape;  // used again, as a server does
  auto const limits = limits_for(data[0]);
  // Of exactly that size, so that touching what is behind it is seen.
  std::vector<std::byte> const copy(reinterpret_cast<std::byte const*>(data) + 1,
                                    reinterpret_cast<std::byte const*>(data) + size);

  walker plain{hawser::as_text(copy)};
  bool const valid = plain.any(0) && plain.in.empty();
  bool const within = plain.values <= limits.max_values && plain.deepest <= limits.max_depth;
  errc const error = hawser::parse_msgpack(copy, limits, tape);
  require((error == errc{}) == (valid && within));
  if (error != errc{}) {
    require(!tape.root().exists() && tape.size() == 0);
    return 0;
  }
  require(tape.size() == plain.values);
  std::size_t count = 0;
  require_sound(tape.root(), 0, limits, count);
  require(count == plain.values);
  read_all(tape.root());
  require_same_in_both(tape.root());
  return 0;
}
