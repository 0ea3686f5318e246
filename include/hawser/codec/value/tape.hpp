// Values as JSON and MessagePack have them: a flat tape that parsers fill, and views of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// What a value is. Integers are `integer` when they fit a signed one, else `unsigned_integer`;
/// `number` is what was written with a fraction or an exponent, or is beyond both.
enum class value_kind : std::uint8_t {
  missing,  ///< no such element, member or argument
  null,
  boolean,
  integer,
  unsigned_integer,
  number,
  string,
  binary,
  array,
  object
};

/// What a peer's values may cost. Each is refused by the `errc` of the same name.
struct value_limits {
  std::size_t max_depth = 64;        ///< arrays and objects inside each other; a scalar is 0 deep
  std::size_t max_values = 100'000;  ///< scalars and containers; keys are not counted
  std::size_t max_number = 64;       ///< characters of a number literal (JSON)
};

/// One step of a tape. Containers are followed by what is in them; a member is a key, then a value.
struct value_node {
  struct extent {
    std::uint32_t nodes;   // from this one to behind the last inside; while open, see `pending`
    std::uint32_t parent;  // how many nodes back the container is that holds this one; 0: none
  };
  union {
    bool boolean;
    std::int64_t integer;
    std::uint64_t unsigned_integer;
    double number;
    char const* text;
    std::byte const* bytes;
    extent inside;
  };
  std::uint64_t tag;  // kind in the lowest byte; above it bytes of a text, or elements or members

  value_kind kind() const noexcept { return static_cast<value_kind>(tag & 0xff); }
  std::size_t size() const noexcept { return static_cast<std::size_t>(tag >> 8); }
  bool is_container() const noexcept { return kind() >= value_kind::array; }
  std::string_view string() const noexcept { return {text, size()}; }
  value_node const* next() const noexcept { return this + (is_container() ? inside.nodes : 1); }
};

class value_elements;
class value_members;

/// A view of one value on a tape, as large as a pointer; valid until the tape is cleared, and its
/// texts as long as what they were parsed from. Asking for the wrong kind is never an error: it
/// answers nothing, or a missing value.
class value {
 public:
  constexpr value() noexcept = default;
  /// Made by tapes, ranges and writers; null is the missing value.
  constexpr explicit value(value_node const* at) noexcept : at_(at) {}

  value_kind kind() const noexcept { return at_ ? at_->kind() : value_kind::missing; }
  bool exists() const noexcept { return at_ != nullptr; }
  bool is_null() const noexcept { return kind() == value_kind::null; }

  std::optional<bool> boolean() const noexcept {
    if (kind() != value_kind::boolean) return {};
    return at_->boolean;
  }

  /// Any numeric kind, as long as nothing is lost: a number has to be whole and within 2^53, up to
  /// where every whole number has a double of its own.
  std::optional<std::int64_t> integer() const noexcept {
    switch (kind()) {
      case value_kind::integer: return at_->integer;
      case value_kind::unsigned_integer:
        if (at_->unsigned_integer > std::uint64_t{INT64_MAX}) return {};
        return static_cast<std::int64_t>(at_->unsigned_integer);
      case value_kind::number: {
        if (!(at_->number >= -exact_up_to && at_->number <= exact_up_to)) return {};
        auto const whole = static_cast<std::int64_t>(at_->number);
        if (static_cast<double>(whole) < at_->number) return {};
        if (static_cast<double>(whole) > at_->number) return {};
        return whole;
      }
      default: return {};
    }
  }

  /// As `integer()`, without a sign.
  std::optional<std::uint64_t> unsigned_integer() const noexcept {
    if (kind() == value_kind::unsigned_integer) return at_->unsigned_integer;
    auto const whole = integer();
    if (!whole || *whole < 0) return {};
    return static_cast<std::uint64_t>(*whole);
  }

  /// Any numeric kind; integers beyond 2^53 are rounded.
  std::optional<double> number() const noexcept {
    switch (kind()) {
      case value_kind::integer: return static_cast<double>(at_->integer);
      case value_kind::unsigned_integer: return static_cast<double>(at_->unsigned_integer);
      case value_kind::number: return at_->number;
      default: return {};
    }
  }

  std::optional<std::string_view> string() const noexcept {
    if (kind() != value_kind::string) return {};
    return at_->string();
  }

  std::optional<bytes_view> binary() const noexcept {
    if (kind() != value_kind::binary) return {};
    return bytes_view(at_->bytes, at_->size());
  }

  /// Elements of an array or members of an object (duplicates counted), else 0.
  std::size_t size() const noexcept { return at_ && at_->is_container() ? at_->size() : 0; }

  /// An element of an array; walks over those before it.
  value operator[](std::size_t index) const noexcept {
    if (kind() != value_kind::array || index >= at_->size()) return {};
    value_node const* found = at_ + 1;
    for (; index > 0; --index) found = found->next();
    return value(found);
  }

  /// A member of an object; walks over all of them. Of several with one key the last counts, as
  /// in JavaScript.
  value operator[](std::string_view key) const noexcept {
    if (kind() != value_kind::object) return {};
    value found;
    value_node const* const end = at_->next();
    for (value_node const* member = at_ + 1; member != end; member = (member + 1)->next()) {
      if (member->string() == key) found = value(member + 1);
    }
    return found;
  }

  /// For range-for; empty for what is no array.
  value_elements elements() const noexcept;
  /// For range-for, in the order that was sent; empty for what is no object.
  value_members members() const noexcept;

  /// For code that copies whole values; null for a missing one.
  value_node const* node() const noexcept { return at_; }

 private:
  static constexpr double exact_up_to = 9007199254740992.0;  // 2^53

  value_node const* at_ = nullptr;
};

/// The elements of an array.
class value_elements {
 public:
  struct iterator {
    value_node const* at = nullptr;
    value operator*() const noexcept { return value(at); }
    iterator& operator++() noexcept {
      at = at->next();
      return *this;
    }
    bool operator==(iterator const&) const noexcept = default;
  };

  value_elements(value_node const* first, value_node const* last) noexcept
      : first_(first), last_(last) {}
  iterator begin() const noexcept { return {first_}; }
  iterator end() const noexcept { return {last_}; }

 private:
  value_node const* first_;
  value_node const* last_;
};

/// A member of an object.
struct value_member {
  std::string_view key;
  value what;
};

/// The members of an object.
class value_members {
 public:
  struct iterator {
    value_node const* at = nullptr;
    value_member operator*() const noexcept { return {at->string(), value(at + 1)}; }
    iterator& operator++() noexcept {
      at = (at + 1)->next();
      return *this;
    }
    bool operator==(iterator const&) const noexcept = default;
  };

  value_members(value_node const* first, value_node const* last) noexcept
      : first_(first), last_(last) {}
  iterator begin() const noexcept { return {first_}; }
  iterator end() const noexcept { return {last_}; }

 private:
  value_node const* first_;
  value_node const* last_;
};

inline value_elements value::elements() const noexcept {
  if (kind() != value_kind::array) return {nullptr, nullptr};
  return {at_ + 1, at_->next()};
}

inline value_members value::members() const noexcept {
  if (kind() != value_kind::object) return {nullptr, nullptr};
  return {at_ + 1, at_->next()};
}

/// One value, flat, in memory that is used again. Texts and binaries are views of what they were
/// parsed from, unless `own` was asked to keep them.
///
/// Flow: `clear()`, then values in the order of the text: `begin_object()`, `key("a")`,
/// `integer(1)`, `end()`. The builder checks nothing: a member is a key followed by one value.
/// At most 2^32 - 1 nodes, which are values and keys.
class value_tape {
 public:
  void null() { push(value_kind::null, 0).unsigned_integer = 0; }
  void boolean(bool what) { push(value_kind::boolean, 0).boolean = what; }
  void integer(std::int64_t what) { push(value_kind::integer, 0).integer = what; }
  /// Becomes an `integer` where it fits, so that there is one form of each whole number.
  void unsigned_integer(std::uint64_t what) {
    bool const fits = what <= std::uint64_t{INT64_MAX};
    push(fits ? value_kind::integer : value_kind::unsigned_integer, 0).unsigned_integer = what;
  }
  void number(double what) { push(value_kind::number, 0).number = what; }
  void string(std::string_view what) { push(value_kind::string, what.size()).text = what.data(); }
  void binary(bytes_view what) { push(value_kind::binary, what.size()).bytes = what.data(); }
  void begin_array() { open(value_kind::array); }
  void begin_object() { open(value_kind::object); }

  void key(std::string_view what) {
    value_node& made = append();
    made.text = what.data();
    made.tag = tag(value_kind::string, what.size());
  }

  /// Closes the innermost array or object; nothing when none is open.
  void end() noexcept {
    if (depth_ == 0) return;
    value_node::extent& inside = nodes_[open_].inside;
    inside.nodes = static_cast<std::uint32_t>(size_ - open_);
    open_ -= inside.parent;
    --depth_;
  }

  /// Open arrays and objects.
  std::size_t depth() const noexcept { return depth_; }

  /// A number to keep with the innermost open container, 0 at first: a parser that knows sizes
  /// beforehand counts down here and needs no stack. Precondition: `depth() > 0`.
  std::uint32_t& pending() noexcept { return nodes_[open_].inside.nodes; }
  /// Whether the innermost open container is an object. Precondition: `depth() > 0`.
  bool in_object() const noexcept { return nodes_[open_].kind() == value_kind::object; }

  /// Keeps a copy of a text as long as the tape keeps its values.
  std::string_view own(std::string_view text) {
    while (block_ < blocks_.size() && blocks_[block_].size - used_ < text.size()) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      std::size_t const size = std::max(text.size(), block_size);
      blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
      held_ += size;
    }
    char* const copy = blocks_[block_].text.get() + used_;
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    used_ += text.size();
    return {copy, text.size()};
  }

  /// The value; missing while nothing was put in or something is open.
  value root() const noexcept {
    return size_ == 0 || depth_ != 0 ? value() : value(nodes_.get());
  }

  /// Values put in, containers too, keys not.
  std::size_t size() const noexcept { return values_; }

  /// Forgets all values. Keeps the memory, but for what a large message made of it.
  void clear() noexcept {
    if (capacity_ * sizeof(value_node) > keep_bytes || held_ > keep_bytes) [[unlikely]]
      give_back();
    size_ = block_ = used_ = values_ = open_ = depth_ = 0;
  }

 private:
  struct block {
    std::unique_ptr<char[]> text;
    std::size_t size;
  };

  static constexpr std::size_t keep_bytes = 256 * 1024;
  static constexpr std::size_t block_size = 1024;

  static std::uint64_t tag(value_kind kind, std::size_t size) noexcept {
    return std::uint64_t{size} << 8 | static_cast<std::uint64_t>(kind);
  }

  void give_back() noexcept {
    nodes_.reset();
    capacity_ = 0;
    std::vector<block>().swap(blocks_);
    held_ = 0;
  }

  value_node& append() {
    if (size_ == capacity_) [[unlikely]]
      grow();
    return nodes_[size_++];
  }

  [[gnu::noinline]] void grow() {
    std::size_t const wanted = std::max(2 * capacity_, std::size_t{32});
    std::unique_ptr<value_node[]> grown(new value_node[wanted]);
    if (size_ > 0) std::memcpy(grown.get(), nodes_.get(), size_ * sizeof(value_node));
    nodes_ = std::move(grown);
    capacity_ = wanted;
  }

  value_node& push(value_kind kind, std::size_t size) {
    value_node& made = append();
    made.tag = tag(kind, size);
    ++values_;
    if (depth_ > 0) nodes_[open_].tag += 1u << 8;
    return made;
  }

  void open(value_kind kind) {
    std::size_t const at = size_;
    std::size_t const parent = depth_ > 0 ? at - open_ : 0;
    push(kind, 0).inside = {0, static_cast<std::uint32_t>(parent)};
    open_ = at;
    ++depth_;
  }

  std::unique_ptr<value_node[]> nodes_;  // not zero-filled, unlike a vector's
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t values_ = 0;
  std::size_t open_ = 0;  // the innermost open container, when `depth_ > 0`
  std::size_t depth_ = 0;
  std::vector<block> blocks_;  // of `own`
  std::size_t block_ = 0;      // the one in use
  std::size_t used_ = 0;       // of it
  std::size_t held_ = 0;       // bytes of all
};

}  // namespace hawser::inline HAWSER_ABI
