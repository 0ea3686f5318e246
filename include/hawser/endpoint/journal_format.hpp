// The bytes of a journal: a header, then records, all integers big-endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/bytes.hpp>
#include <hawser/core/crc32c.hpp>
#include <hawser/core/message.hpp>

namespace hawser::inline HAWSER_ABI {

/// Written once, when the file is made:
///
///     0  "\x89hawserJ"     16  id of the queue, 16 bytes    40  zeros
///     8  version, 4 bytes  32  mark, 8 bytes                44  CRC-32C of bytes 0 to 43
///    12  zeros
struct journal_header {
  static constexpr std::size_t size = 48;
  static constexpr std::uint32_t version = 1;
  static constexpr std::string_view magic{"\x89hawserJ", 8};
  /// How many ids a file may give out, being those after its mark.
  static constexpr std::uint64_t ids_per_file = 1 << 16;

  std::array<std::byte, 16> queue{};
  std::uint64_t mark = 0;  ///< ids up to this one may have been given out before this file
  std::uint32_t crc = 0;   ///< of the header: what the CRCs of its records begin with

  void write(std::byte* out) noexcept {
    std::fill_n(out, size, std::byte{});
    std::copy_n(as_bytes(magic).begin(), magic.size(), out);
    codec::store_big(out + 8, version);
    std::copy(queue.begin(), queue.end(), out + 16);
    codec::store_big(out + 32, mark);
    crc = codec::crc32c({out, size - 4});
    codec::store_big(out + 44, crc);
  }

  enum class state : std::uint8_t { fine, damaged, foreign };

  /// What a file begins with, `size` bytes or all that it has. `foreign` is of something else, or
  /// of another version: nothing to touch.
  state read(bytes_view in) noexcept {
    auto const begin = as_text(in).substr(0, magic.size());
    if (begin != magic.substr(0, begin.size())) return state::foreign;
    if (in.size() < size) return state::damaged;
    crc = codec::load_big<std::uint32_t>(in.data() + 44);
    if (crc != codec::crc32c(in.first(size - 4))) return state::damaged;
    if (codec::load_big<std::uint32_t>(in.data() + 8) != version) return state::foreign;
    std::copy_n(in.begin() + 16, queue.size(), queue.begin());
    mark = codec::load_big<std::uint64_t>(in.data() + 32);
    return mark > ~std::uint64_t{} - 2 * ids_per_file ? state::foreign : state::fine;
  }

  std::string queue_text() const {
    std::string text;
    for (std::byte const each : queue) {
      text += "0123456789abcdef"[std::to_integer<unsigned>(each >> 4)];
      text += "0123456789abcdef"[std::to_integer<unsigned>(each & std::byte{15})];
    }
    return text;
  }
};

/// A head of 48 bytes, and the message that is added:
///
///     0  CRC-32C of bytes 4 to 47    13  0 text, 1 binary    24  id of whom it's put before, or 0
///     4  CRC-32C of the message      14  1 with a key        32  key
///     8  size of the message         15  zero                40  wall time, ms since 1970
///    12  1 add, 2 remove             16  id                  48  the message
///
/// Both CRCs continue that of the header and of the record's place in the file, so that what an
/// older life of a file, or of the disk's blocks, has left behind is not a record.
struct journal_record {
  enum class act : std::uint8_t { add = 1, remove = 2 };
  static constexpr std::size_t head_size = 48;
  static constexpr std::size_t max_data = 0x7fffffff;

  act what = act::remove;
  message_kind kind = message_kind::text;
  message_key key{};
  std::uint64_t id = 0;
  std::uint64_t before = 0;
  std::uint64_t wall = 0;
  std::uint32_t size = 0;
  std::uint32_t data_crc = 0;

  static std::uint32_t seed(journal_header const& file, std::uint64_t at) noexcept {
    std::array<std::byte, 8> place;
    codec::store_big(place.data(), at);
    return codec::crc32c(place, file.crc);
  }

  /// Writes the head, for data of at most `max_data` bytes.
  void write(std::byte* out, bytes_view data, std::uint32_t seed) noexcept {
    size = static_cast<std::uint32_t>(data.size());
    data_crc = codec::crc32c(data, seed);
    codec::store_big(out + 4, data_crc);
    codec::store_big(out + 8, size);
    out[12] = static_cast<std::byte>(what);
    out[13] = static_cast<std::byte>(kind == message_kind::binary);
    out[14] = static_cast<std::byte>(key.has_value());
    out[15] = std::byte{};
    codec::store_big(out + 16, id);
    codec::store_big(out + 24, before);
    codec::store_big(out + 32, key.value_or(0));
    codec::store_big(out + 40, wall);
    codec::store_big(out, codec::crc32c({out + 4, head_size - 4}, seed));
  }

  /// Reads a head of `head_size` bytes; nothing if it isn't as it was written.
  static std::optional<journal_record> read(bytes_view in, std::uint32_t seed) noexcept {
    auto const number = [&](std::size_t at) { return codec::load_big<std::uint64_t>(&in[at]); };
    auto const short_number = [&](std::size_t at) {
      return codec::load_big<std::uint32_t>(&in[at]);
    };
    if (short_number(0) != codec::crc32c(in.subspan(4, head_size - 4), seed)) return std::nullopt;
    journal_record made;
    made.what = static_cast<act>(in[12]);
    made.kind = in[13] == std::byte{} ? message_kind::text : message_kind::binary;
    if (in[14] != std::byte{}) made.key = number(32);
    made.id = number(16);
    made.before = number(24);
    made.wall = number(40);
    made.size = short_number(8);
    made.data_crc = short_number(4);
    bool const known = made.what == act::add || (made.what == act::remove && made.size == 0);
    if (!known || made.size > max_data) return std::nullopt;
    return made;
  }
};

/// The file of a queue: `stem`, a dash and the name with all but a-z, 0-9, _ and - percent-encoded,
/// so that no two names make one file, even where case doesn't count.
inline std::string journal_path(std::string_view stem, std::string_view name) {
  std::string path(stem);
  if (!name.empty()) path += '-';
  for (char const c : name) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    auto const code = static_cast<unsigned char>(c);
    if (plain) {
      path += c;
    } else {
      path += '%';
      path += "0123456789abcdef"[code >> 4];
      path += "0123456789abcdef"[code & 15];
    }
  }
  return path + ".journal";
}

}  // namespace hawser::inline HAWSER_ABI
