// Values of the golden vectors as trees.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

#include <hawser/codec/value/json.hpp>
#include <hawser/core/bytes.hpp>

#include "support/fixtures.hpp"

namespace hawser_test {

/// With `{"$bin":hex}` as binary.
inline hawser::json json_of(simdjson::dom::element what) {
  using simdjson::dom::element_type;
  std::string bytes;
  if (what.is_object() && binary_of(what, bytes)) return hawser::json(hawser::as_bytes(bytes));
  switch (what.type()) {
    case element_type::NULL_VALUE: return {};
    case element_type::BOOL: return hawser::json(bool(what));
    case element_type::INT64: return hawser::json(std::int64_t(what));
    case element_type::UINT64: return hawser::json(std::uint64_t(what));
    case element_type::DOUBLE: return hawser::json(double(what));
    case element_type::STRING: return hawser::json(std::string_view(what));
    case element_type::ARRAY: {
      hawser::json all = hawser::json::array();
      for (simdjson::dom::element const one : what.get_array()) all.push_back(json_of(one));
      return all;
    }
    case element_type::OBJECT: break;
  }
  hawser::json all = hawser::json::object();
  for (auto const one : what.get_object()) all[one.key] = json_of(one.value);
  return all;
}

}  // namespace hawser_test
