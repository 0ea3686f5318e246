// json: a value of any kind that owns what is in it, for handlers that take whatever comes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/value/keyed.hpp>
#include <hawser/codec/value/mapping.hpp>
#include <hawser/codec/value/tape.hpp>
#include <hawser/codec/value/writer.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/view_of.hpp>

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
  json(T what) noexcept : json(value_kind::boolean) {
    scalar_.boolean = what;
  }
  template <codec::plain_integer T>
  json(T what) noexcept
      : json(std::in_range<std::int64_t>(what) ? value_kind::integer
                                               : value_kind::unsigned_integer) {
    if (kind_ == value_kind::integer) {
      scalar_.integer = static_cast<std::int64_t>(what);
    } else {
      scalar_.unsigned_integer = static_cast<std::uint64_t>(what);
    }
  }
  template <std::floating_point T>
  json(T what) noexcept : json(value_kind::number) {
    scalar_.number = static_cast<double>(what);
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
  value_kind kind() const noexcept { return kind_; }
  bool is_null() const noexcept { return kind_ == value_kind::null; }

  // As the functions of `value`.
  std::optional<bool> boolean() const noexcept { return scalar().boolean(); }
  std::optional<std::int64_t> integer() const noexcept { return scalar().integer(); }
  std::optional<std::uint64_t> unsigned_integer() const noexcept {
    return scalar().unsigned_integer();
  }
  std::optional<double> number() const noexcept { return scalar().number(); }
  std::optional<std::string_view> string() const noexcept {
    if (kind_ != value_kind::string) return {};
    return string_;
  }
  std::optional<bytes_view> binary() const noexcept {
    if (kind_ != value_kind::binary) return {};
    return view_of(binary_);
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

  /// A scalar that has yet to be told which one it is.
  explicit json(value_kind kind) noexcept;

  static json const& nothing() noexcept {
    static json const null;
    return null;
  }

  /// For the rules of `value`; a missing one for other kinds.
  value scalar() const noexcept { return value(kind_ < value_kind::string ? &scalar_ : nullptr); }
  bool same_number(json const& other) const noexcept;
  void write(value_writer& out, bool binary_as_text) const;

  // No std::variant: its copying and assigning would be most of what this header takes to compile,
  // in every program that includes it.
  value_kind kind_;
  union {
    value_node scalar_;
    std::string string_;
    std::vector<std::byte> binary_;
    std::vector<json> array_;
    std::vector<member> object_;
  };
};

struct json::member {
  std::string key;
  json what;
};

inline json::json() noexcept : json(value_kind::null) {}
inline json::json(value_kind kind) noexcept : kind_(kind), scalar_{} {
  scalar_.tag = static_cast<std::uint64_t>(kind);
}

inline json::json(json const& other) : json() {
  switch (other.kind_) {
    case value_kind::string: std::construct_at(&string_, other.string_); break;
    case value_kind::binary: std::construct_at(&binary_, other.binary_); break;
    case value_kind::array: std::construct_at(&array_, other.array_); break;
    case value_kind::object: std::construct_at(&object_, other.object_); break;
    default: scalar_ = other.scalar_;
  }
  kind_ = other.kind_;
}

inline json::json(json&& other) noexcept : json() {
  switch (other.kind_) {
    case value_kind::string: std::construct_at(&string_, std::move(other.string_)); break;
    case value_kind::binary: std::construct_at(&binary_, std::move(other.binary_)); break;
    case value_kind::array: std::construct_at(&array_, std::move(other.array_)); break;
    case value_kind::object: std::construct_at(&object_, std::move(other.object_)); break;
    default: scalar_ = other.scalar_;
  }
  kind_ = other.kind_;
}

// What is assigned may be a part of this one.
inline json& json::operator=(json const& other) { return *this = json(other); }
inline json& json::operator=(json&& other) noexcept {
  json taken(std::move(other));
  std::destroy_at(this);
  return *std::construct_at(this, std::move(taken));
}

inline json::~json() {
  switch (kind_) {
    case value_kind::string: std::destroy_at(&string_); break;
    case value_kind::binary: std::destroy_at(&binary_); break;
    case value_kind::array: std::destroy_at(&array_); break;
    case value_kind::object: std::destroy_at(&object_); break;
    default: break;
  }
}

inline json::json(std::string what) noexcept
    : kind_(value_kind::string), string_(std::move(what)) {}
inline json::json(std::string_view what) : json(std::string(what)) {}
inline json::json(char const* what) : json(std::string(what ? what : "")) {}
inline json::json(std::vector<std::byte> what) noexcept
    : kind_(value_kind::binary), binary_(std::move(what)) {}
inline json::json(bytes_view what) : json(std::vector<std::byte>(what.begin(), what.end())) {}

inline json json::array(std::initializer_list<json> elements) {
  json made;
  std::construct_at(&made.array_, elements);
  made.kind_ = value_kind::array;
  return made;
}

inline json json::object(std::initializer_list<member> members) {
  json made;
  std::construct_at(&made.object_, members);
  made.kind_ = value_kind::object;
  codec::drop_doubled(made.object_);
  return made;
}

inline json::json(value const& what) : json() {
  switch (what.kind()) {
    case value_kind::missing: break;
    case value_kind::string: *this = json(*what.string()); break;
    case value_kind::binary: *this = json(*what.binary()); break;
    case value_kind::array:
      *this = array();
      array_.reserve(what.size());
      for (value const element : what.elements()) array_.emplace_back(element);
      break;
    case value_kind::object:
      *this = object();
      object_.reserve(what.size());
      for (auto const [key, inner] : what.members()) {
        object_.push_back({std::string(key), json(inner)});
      }
      codec::drop_doubled(object_);
      break;
    default: kind_ = what.kind(); scalar_ = *what.node();
  }
}

inline std::span<json const> json::elements() const noexcept {
  if (kind_ != value_kind::array) return {};
  return view_of(array_);
}

inline std::span<json> json::elements() noexcept {
  if (kind_ != value_kind::array) return {};
  return {array_.data(), array_.size()};
}

inline std::span<json::member const> json::members() const noexcept {
  if (kind_ != value_kind::object) return {};
  return view_of(object_);
}

inline json const* json::find(std::string_view key) const noexcept {
  for (member const& each : members()) {
    if (each.key == key) return &each.what;
  }
  return nullptr;
}

inline json& json::operator[](std::string_view key) {
  if (kind_ != value_kind::object) *this = object();
  for (member& each : object_) {
    if (each.key == key) return each.what;
  }
  return object_.emplace_back(member{std::string(key), json()}).what;
}

inline json& json::push_back(json element) {
  if (kind_ != value_kind::array) *this = array();
  return array_.emplace_back(std::move(element));
}

inline bool json::erase(std::string_view key) {
  if (kind_ != value_kind::object) return false;
  return std::erase_if(object_, [&](member const& each) { return each.key == key; }) > 0;
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
    case value_kind::binary: return binary_ == other.binary_;
    case value_kind::array: return array_ == other.array_;
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
