// json: a value of any kind that owns what is in it, for handlers that take whatever comes.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/codec/value/keyed.hpp>
#include <hawser/codec/value/mapping.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {

/// A tree of null, booleans, numbers, texts, binaries, arrays and objects. Objects keep the order
/// in which members came, and have one member of each key. Asking for the wrong kind answers
/// nothing, or null; nothing here throws but for want of memory. Copying, comparing and destroying
/// go as deep as the tree does, which for what peers send is `max_depth`.
///
///     json j = json::object({{"name", "Argo"}, {"crew", json::array({1, 2})}});
///     j["at"]["x"] = 1.5;             // made on the way
///     j["crew"].push_back("Jason");
///     if (auto name = j["name"].string()) ...
class json {
 public:
  struct member;

  // Defined below, where `member` is complete.
  json() noexcept;
  json(json const& other);
  json(json&& other) noexcept;
  json& operator=(json const& other);
  json& operator=(json&& other) noexcept;
  ~json();

  json(std::nullptr_t) noexcept : json() {}
  template <std::same_as<bool> T>
  json(T what) noexcept {
    set(what);
  }
  template <codec::plain_integer T>
  json(T what) noexcept {
    if (std::in_range<std::int64_t>(what)) {
      set(static_cast<std::int64_t>(what));
    } else {
      set(static_cast<std::uint64_t>(what));
    }
  }
  template <std::floating_point T>
  json(T what) noexcept {
    set(static_cast<double>(what));
  }
  json(std::string what) noexcept;
  json(std::string_view what);
  json(char const* what);
  json(std::vector<std::byte> what) noexcept;
  explicit json(bytes_view what);

  /// A copy of a view with all that is in it. Of several members with one key the last counts, in
  /// the place of the first, as in JavaScript. A missing value becomes null.
  explicit json(value const& what);

  static json array(std::initializer_list<json> elements = {});
  static json object(std::initializer_list<member> members = {});

  /// JSON text to a tree, within the default `value_limits`. Defined in codec/json/parse.hpp.
  /// *Errors*: those of `json_parser::parse`.
  inline static result<json> parse(std::string_view text);

  /// Never `missing`.
  value_kind kind() const noexcept {
    constexpr value_kind kinds[] = {
        value_kind::null,   value_kind::boolean, value_kind::integer, value_kind::unsigned_integer,
        value_kind::number, value_kind::string,  value_kind::binary,  value_kind::array,
        value_kind::object};
    return kinds[held_.index()];
  }
  bool is_null() const noexcept { return held_.index() == 0; }

  // As the functions of `value`.
  std::optional<bool> boolean() const noexcept {
    auto const* const held = std::get_if<bool>(&held_);
    return held ? std::optional(*held) : std::nullopt;
  }
  std::optional<std::int64_t> integer() const noexcept {
    auto const node = numeric();
    return value(&node).integer();
  }
  std::optional<std::uint64_t> unsigned_integer() const noexcept {
    auto const node = numeric();
    return value(&node).unsigned_integer();
  }
  std::optional<double> number() const noexcept {
    auto const node = numeric();
    return value(&node).number();
  }
  std::optional<std::string_view> string() const noexcept {
    auto const* const held = std::get_if<std::string>(&held_);
    return held ? std::optional<std::string_view>(*held) : std::nullopt;
  }
  std::optional<bytes_view> binary() const noexcept {
    auto const* const held = std::get_if<std::vector<std::byte>>(&held_);
    return held ? std::optional<bytes_view>(*held) : std::nullopt;
  }

  /// Elements or members, else 0.
  std::size_t size() const noexcept { return elements().size() + members().size(); }

  /// Elements of an array; empty for other kinds.
  std::span<json const> elements() const noexcept;
  std::span<json> elements() noexcept;
  /// Members of an object in their order; empty for other kinds.
  std::span<member const> members() const noexcept;

  /// A member, or null when there is none.
  json const* find(std::string_view key) const noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }

  /// An element, or a null value that is not part of the tree.
  json const& operator[](std::size_t index) const noexcept {
    auto const all = elements();
    return index < all.size() ? all[index] : nothing();
  }
  json const& operator[](std::size_t index) noexcept { return std::as_const(*this)[index]; }

  /// A member, or a null value that is not part of the tree.
  json const& operator[](std::string_view key) const noexcept {
    json const* const found = find(key);
    return found ? *found : nothing();
  }
  /// A member, put in as null when there is none. What is no object becomes one.
  json& operator[](std::string_view key);

  /// Adds an element. What is no array becomes one.
  json& push_back(json element);

  /// Takes a member out; false when there is none.
  bool erase(std::string_view key);

  /// Numbers are equal by what they are worth, objects whatever their order.
  bool operator==(json const& other) const;

  /// JSON text, as JSON.stringify writes it; binary as Node writes a Buffer:
  /// {"type":"Buffer","data":[1,2]}.
  std::string dump() const {
    byte_buffer out;
    value_writer writer(out, value_format::json);
    write(writer, true);
    return std::string(as_text(out.view()));
  }

 private:
  friend struct mapping<json>;

  static json const& nothing() noexcept {
    static json const null;
    return null;
  }

  template <class T>
  void set(T what) noexcept {
    held_ = what;
  }
  /// For the rules of `value` on numbers; null for other kinds.
  value_node numeric() const noexcept;

  bool same_number(json const& other) const noexcept;
  void write(value_writer& out, bool binary_as_text) const;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string,
               std::vector<std::byte>, std::vector<json>, std::vector<member>>
      held_;
};

struct json::member {
  std::string key;
  json what;
};

inline json::json() noexcept = default;
inline json::json(json const& other) = default;
inline json::json(json&& other) noexcept = default;
inline json& json::operator=(json const& other) = default;
inline json& json::operator=(json&& other) noexcept = default;
inline json::~json() = default;

inline json::json(std::string what) noexcept : held_(std::move(what)) {}
inline json::json(std::string_view what) : held_(std::string(what)) {}
inline json::json(char const* what) : held_(std::string(what ? what : "")) {}
inline json::json(std::vector<std::byte> what) noexcept : held_(std::move(what)) {}
inline json::json(bytes_view what) : held_(std::vector<std::byte>(what.begin(), what.end())) {}

inline json::json(value const& what) {
  switch (what.kind()) {
    case value_kind::missing:
    case value_kind::null: break;
    case value_kind::boolean: held_ = *what.boolean(); break;
    case value_kind::integer: held_ = *what.integer(); break;
    case value_kind::unsigned_integer: held_ = *what.unsigned_integer(); break;
    case value_kind::number: held_ = *what.number(); break;
    case value_kind::string: held_ = std::string(*what.string()); break;
    case value_kind::binary: *this = json(*what.binary()); break;
    case value_kind::array: {
      auto& made = held_.emplace<std::vector<json>>();
      made.reserve(what.size());
      for (value const element : what.elements()) made.emplace_back(element);
      break;
    }
    case value_kind::object: {
      auto& made = held_.emplace<std::vector<member>>();
      made.reserve(what.size());
      for (auto const [key, inner] : what.members()) {
        made.push_back({std::string(key), json(inner)});
      }
      codec::drop_doubled(made);
      break;
    }
  }
}

inline json json::array(std::initializer_list<json> elements) {
  json made;
  made.held_.emplace<std::vector<json>>(elements);
  return made;
}

inline json json::object(std::initializer_list<member> members) {
  json made;
  codec::drop_doubled(made.held_.emplace<std::vector<member>>(members));
  return made;
}

inline std::span<json const> json::elements() const noexcept {
  auto const* const held = std::get_if<std::vector<json>>(&held_);
  return held ? std::span<json const>(*held) : std::span<json const>();
}

inline std::span<json> json::elements() noexcept {
  auto* const held = std::get_if<std::vector<json>>(&held_);
  return held ? std::span<json>(*held) : std::span<json>();
}

inline std::span<json::member const> json::members() const noexcept {
  auto const* const held = std::get_if<std::vector<member>>(&held_);
  return held ? std::span<member const>(*held) : std::span<member const>();
}

inline json const* json::find(std::string_view key) const noexcept {
  for (member const& each : members()) {
    if (each.key == key) return &each.what;
  }
  return nullptr;
}

inline json& json::operator[](std::string_view key) {
  auto* held = std::get_if<std::vector<member>>(&held_);
  if (held == nullptr) held = &held_.emplace<std::vector<member>>();
  for (member& each : *held) {
    if (each.key == key) return each.what;
  }
  return held->emplace_back(member{std::string(key), json()}).what;
}

inline json& json::push_back(json element) {
  auto* held = std::get_if<std::vector<json>>(&held_);
  if (held == nullptr) held = &held_.emplace<std::vector<json>>();
  return held->emplace_back(std::move(element));
}

inline bool json::erase(std::string_view key) {
  auto* const held = std::get_if<std::vector<member>>(&held_);
  return held && std::erase_if(*held, [&](member const& each) { return each.key == key; }) > 0;
}

inline value_node json::numeric() const noexcept {
  value_node node{};
  node.tag = static_cast<std::uint64_t>(value_kind::null);
  if (auto const* const whole = std::get_if<std::int64_t>(&held_)) {
    node.integer = *whole;
  } else if (auto const* const large = std::get_if<std::uint64_t>(&held_)) {
    node.unsigned_integer = *large;
  } else if (auto const* const real = std::get_if<double>(&held_)) {
    node.number = *real;
  } else {
    return node;
  }
  node.tag = static_cast<std::uint64_t>(kind());
  return node;
}

inline bool json::same_number(json const& other) const noexcept {
  if (auto const whole = integer()) return whole == other.integer();
  if (auto const whole = unsigned_integer()) {
    // Beyond 2^53 only another integer says exactly which.
    if (auto const same = other.unsigned_integer()) return whole == same;
  }
  auto const mine = number(), theirs = other.number();
  return mine && theirs && !(*mine < *theirs) && !(*mine > *theirs) && !(*mine != *mine);
}

inline bool json::operator==(json const& other) const {
  auto const is_number = [](value_kind kind) {
    return kind >= value_kind::integer && kind <= value_kind::number;
  };
  if (is_number(kind()) && is_number(other.kind())) return same_number(other);
  if (kind() != other.kind() || size() != other.size()) return false;
  switch (kind()) {
    case value_kind::boolean: return boolean() == other.boolean();
    case value_kind::string: return string() == other.string();
    case value_kind::binary: return std::ranges::equal(*binary(), *other.binary());
    case value_kind::array: return std::ranges::equal(elements(), other.elements());
    case value_kind::object: {
      auto const mine = members(), theirs = other.members();
      auto const a = codec::by_key(mine), b = codec::by_key(theirs);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (mine[a[i]].key != theirs[b[i]].key) return false;
        if (mine[a[i]].what != theirs[b[i]].what) return false;
      }
      return true;
    }
    default: return true;  // null
  }
}

inline void json::write(value_writer& out, bool binary_as_text) const {
  switch (kind()) {
    case value_kind::boolean: return out.boolean(*boolean());
    case value_kind::integer: return out.integer(*integer());
    case value_kind::unsigned_integer: return out.unsigned_integer(*unsigned_integer());
    case value_kind::number: return out.number(*number());
    case value_kind::string: return out.string(*string());
    case value_kind::binary: {
      bytes_view const bytes = *binary();
      if (!binary_as_text) return out.binary(bytes);
      out.begin_object(2);
      out.key("type");
      out.string("Buffer");
      out.key("data");
      out.begin_array(bytes.size());
      for (std::byte const byte : bytes) out.integer(std::to_integer<std::int64_t>(byte));
      out.end_array();
      return out.end_object();
    }
    case value_kind::array:
      out.begin_array(size());
      for (json const& element : elements()) element.write(out, binary_as_text);
      return out.end_array();
    case value_kind::object:
      out.begin_object(size());
      for (auto const& [key, what] : members()) {
        out.key(key);
        what.write(out, binary_as_text);
      }
      return out.end_object();
    default: return out.null();
  }
}

/// Reads anything but a missing value.
template <>
struct mapping<json> {
  static void write(value_writer& out, json const& from) { from.write(out, false); }
  static bool read(value const& from, json& to) {
    if (!from.exists()) return false;
    to = json(from);
    return true;
  }
};

}  // namespace hawser::inline HAWSER_ABI
