// What the fuzz targets of values share: limits from a byte, what every tape promises, rewriting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <hawser/codec/json/parse.hpp>
#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/codec/utf8.hpp>
#include <hawser/codec/value/fields.hpp>
#include <hawser/codec/value/json.hpp>

namespace hawser_fuzz {

using hawser::errc;
using hawser::value;
using hawser::value_format;
using hawser::value_kind;
using hawser::value_limits;
using hawser::value_tape;

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Limits that short inputs reach, for three of four seeds.
inline value_limits limits_for(std::uint8_t seed) {
  if (seed % 4 == 0) return {};
  return {.max_depth = seed % 4 == 1 ? 2u : 5u,
          .max_values = seed % 4 == 2 ? 3u : 20u,
          .max_number = seed % 4 == 3 ? 4u : 10u};
}

/// What is seen of a value through its views, no deeper and no more than limits allow.
inline void require_sound(value what, std::size_t depth, value_limits const& limits,
                          std::size_t& count) {
  require(++count <= limits.max_values && what.exists());
  auto const valid = [](std::string_view text) {
    return hawser::codec::is_utf8(hawser::as_bytes(text));
  };
  if (auto const text = what.string()) require(valid(*text));
  if (auto const bytes = what.binary()) require(bytes->empty() || bytes->data() != nullptr);
  if (what.kind() < value_kind::array) return;
  require(depth < limits.max_depth);
  std::size_t inside = 0;
  for (value const element : what.elements()) {
    require(what[inside].node() == element.node());
    require_sound(element, depth + 1, limits, count);
    ++inside;
  }
  for (auto const [key, member] : what.members()) {
    require(valid(key) && what[key].exists());
    require_sound(member, depth + 1, limits, count);
    ++inside;
  }
  require(inside == what.size());
}

struct written {
  hawser::byte_buffer out;
  std::vector<hawser::bytes_view> attachments;
  std::string_view text() const { return hawser::as_text(out.view()); }
};

inline written write(value what, value_format format) {
  written made;
  hawser::value_writer writer(made.out, format);
  hawser::write_value(writer, what);
  made.attachments.assign(writer.attachments().begin(), writer.attachments().end());
  return made;
}

struct shape {
  std::string name;
  std::optional<int> a;
  std::vector<std::variant<float, std::string, std::vector<std::byte>>> b;
  hawser::json rest;
};
HAWSER_FIELDS(shape, name, a, b, rest)

/// Reads into types of many kinds; whether it fits is of no account.
inline void read_all(value what) {
  std::tuple<std::int8_t, std::uint64_t, float> numbers;
  std::vector<shape> shapes;
  shape one;
  std::variant<bool, std::int16_t, double, std::string_view, hawser::bytes_view, hawser::json> any;
  (void)hawser::read_value(what, numbers);
  (void)hawser::read_value(what, shapes);
  (void)hawser::read_value(what, one);
  require(hawser::read_value(what, any));
}

/// Both formats say the same: rewritten in one or the other and parsed again, the text is the same.
inline void require_same_in_both(value what) {
  value_limits const enough{.max_depth = SIZE_MAX, .max_values = SIZE_MAX};
  written const text = write(what, value_format::json);
  written const packed = write(what, value_format::msgpack);
  value_tape tape;
  require(hawser::parse_msgpack(packed.out.view(), enough, tape) == errc{});
  require(write(tape.root(), value_format::json).text() == text.text());
  require(write(tape.root(), value_format::msgpack).text() == packed.text());

  hawser::json const tree(what), again(tape.root());
  require(tree.dump() == again.dump());

  // A text of the value's own may look like a placeholder.
  if (packed.text().find("_placeholder") != std::string_view::npos) return;
  hawser::json_parser parser;
  require(parser.parse(text.text(), text.attachments, enough, tape) == errc{});
  require(write(tape.root(), value_format::json).text() == text.text());
}

}  // namespace hawser_fuzz
