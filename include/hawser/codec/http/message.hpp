// The head of an HTTP/1.1 request or response: owns its bytes, hands out views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/http/authority.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/view_of.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// One header field. The value is trimmed; it is never decoded, nor joined with others.
struct field {
  std::string_view name;
  std::string_view value;
};

/// A stretch of a head's bytes. Offsets, not pointers, so that heads can be moved and copied.
struct stretch {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// Where a field's name begins and the colon behind it lies. The value reaches, trimmed, from there
/// to the carriage return: it is looked for when somebody asks, as sessions keep their heads.
struct field_position {
  std::uint32_t name = 0;
  std::uint32_t colon = 0;

  std::string_view name_in(std::string_view bytes) const noexcept {
    return bytes.substr(name, colon - name);
  }
  std::string_view value_in(std::string_view bytes) const noexcept {
    std::string_view const rest = bytes.substr(colon + 1);
    return trim(rest.substr(0, rest.find('\r')));
  }
};

/// The fields of a head in their order. Valid until the head is changed, moved or destroyed.
class field_list {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = field;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = field;

    iterator() noexcept = default;
    iterator(std::string_view bytes, field_position const* at) noexcept : bytes_(bytes), at_(at) {}
    field operator*() const noexcept { return {at_->name_in(bytes_), at_->value_in(bytes_)}; }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    iterator operator++(int) noexcept { return {bytes_, at_++}; }
    bool operator==(iterator const& other) const noexcept { return at_ == other.at_; }

   private:
    std::string_view bytes_;
    field_position const* at_ = nullptr;
  };

  field_list(std::string_view bytes, std::span<field_position const> positions) noexcept
      : bytes_(bytes), positions_(positions) {}

  iterator begin() const noexcept { return {bytes_, positions_.data()}; }
  iterator end() const noexcept { return {bytes_, positions_.data() + positions_.size()}; }
  std::size_t size() const noexcept { return positions_.size(); }
  bool empty() const noexcept { return positions_.empty(); }

  /// Precondition: `index < size()`.
  field operator[](std::size_t index) const noexcept {
    return *iterator(bytes_, positions_.data() + index);
  }

 private:
  std::string_view bytes_;
  std::span<field_position const> positions_;
};

template <class Head>
class head_parser;

/// What requests and responses have in common. All views are valid until the message is changed,
/// moved or destroyed. Names are compared without regard to case.
class message {
 public:
  field_list fields() const noexcept { return {bytes_, view_of(fields_)}; }

  /// The value of the first field of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept {
    for (field_position const& at : fields_) {
      if (iequals(at.name_in(bytes_), name)) return at.value_in(bytes_);
    }
    return std::nullopt;
  }

  /// The values of all fields of that name, in order.
  std::vector<std::string_view> get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (field_position const& at : fields_) {
      if (iequals(at.name_in(bytes_), name)) values.push_back(at.value_in(bytes_));
    }
    return values;
  }

  /// How many fields have that name.
  std::size_t count(std::string_view name) const noexcept {
    std::size_t found = 0;
    for (field_position const& at : fields_) found += iequals(at.name_in(bytes_), name) ? 1 : 0;
    return found;
  }

  /// Whether an element of the comma-separated lists in all fields of that name is `token`.
  bool has_token(std::string_view name, std::string_view token) const noexcept {
    for (field_position const& at : fields_) {
      if (iequals(at.name_in(bytes_), name) && list_has(at.value_in(bytes_), token)) return true;
    }
    return false;
  }

  /// The minor digit of the version, 0 or 1; the major one is 1.
  int version_minor() const noexcept { return version_minor_; }

  /// Octets of the body as announced by Content-Length.
  std::optional<std::uint64_t> content_length() const noexcept {
    auto const text = get("Content-Length");
    // 19 digits always fit into 64 bits; nobody has a body that needs the 20th.
    if (!text || text->empty() || text->size() > 19 || !all_digits(*text)) return std::nullopt;
    std::uint64_t length = 0;
    for (char const c : *text) length = length * 10 + static_cast<std::uint64_t>(c - '0');
    return length;
  }

  /// Whether the body comes in chunks.
  bool chunked() const noexcept { return count("Transfer-Encoding") > 0; }

  /// Whether the sender wants to use the connection again (RFC 9112 9.3).
  bool keep_alive() const noexcept {
    if (has_token("Connection", "close")) return false;
    return version_minor_ == 1 || has_token("Connection", "keep-alive");
  }

 protected:
  message() = default;

  std::string_view text(stretch at) const noexcept {
    // A moved-from message still has its positions, but no bytes.
    if (at.offset > bytes_.size()) return {};
    return std::string_view(bytes_).substr(at.offset, at.size);
  }

  stretch add(std::string_view part) {
    stretch const at{static_cast<std::uint32_t>(bytes_.size()),
                     static_cast<std::uint32_t>(part.size())};
    bytes_.append(part);
    return at;
  }

  /// Body framing that two readers could understand differently (RFC 9112 6.3, 11.2).
  std::error_code check_framing() const noexcept {
    std::size_t const lengths = count("Content-Length");
    std::size_t const encodings = count("Transfer-Encoding");
    if (lengths > 1 || (lengths == 1 && !content_length())) return errc::bad_content_length;
    if (encodings == 0) return {};
    bool const plain = encodings == 1 && *get("Transfer-Encoding") == "chunked";
    if (!plain || lengths > 0 || version_minor_ == 0) return errc::bad_transfer_encoding;
    return {};
  }

  std::string bytes_;
  std::vector<field_position> fields_;
  int version_minor_ = 1;
};

/// The head of a request. One from a parser or from `make` has passed every check; a
/// default-constructed one is empty: no method, no target, no fields.
class request : public message {
 public:
  request() = default;

  /// Builds a request that was parsed elsewhere, by the HTTP server of the host program for
  /// example. Applies the rules of the parser, but none of its limits. `version_minor` is 0 or 1.
  /// Errors: those of `request_parser`.
  static result<request> make(std::string_view method, std::string_view target,
                              std::span<field const> fields, int version_minor = 1) {
    constexpr std::size_t ceiling = std::size_t{1} << 20;
    if (version_minor != 0 && version_minor != 1) return errc::unsupported_http_version;
    if (!valid_method(method)) return errc::bad_request_line;
    if (!all_of(target_char, target)) return errc::bad_target;
    std::size_t total = method.size() + target.size();
    if (total > ceiling) return errc::uri_too_long;
    request made;
    made.version_minor_ = version_minor;
    made.method_ = made.add(method);
    made.target_ = made.add(target);
    for (field const f : fields) {
      std::string_view const value = trim(f.value);
      if (!is_token(f.name) || !all_of(value_char, value)) return errc::bad_field;
      total += f.name.size() + value.size();
      if (total > ceiling) return errc::head_too_large;
      stretch const name = made.add(f.name);
      made.fields_.push_back({name.offset, name.offset + name.size});
      made.bytes_.append(":").append(value).append("\r");
    }
    if (std::error_code const broken = made.finish()) return broken;
    return made;
  }

  /// At most 16 tchar, none of them a lower-case letter.
  static constexpr bool valid_method(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 16 && all_of(method_char, text);
  }

  std::string_view method() const noexcept { return text(method_); }

  /// In origin form: begins with `/`. Neither decoded nor normalised.
  std::string_view target() const noexcept { return text(target_); }

  /// The target up to the first `?`.
  std::string_view path() const noexcept { return target().substr(0, target().find('?')); }

  /// The target behind the first `?`; empty when there is none.
  std::string_view query() const noexcept {
    std::size_t const mark = target().find('?');
    return mark == std::string_view::npos ? std::string_view{} : target().substr(mark + 1);
  }

  /// The value of Host; empty only in HTTP/1.0, and when default-constructed.
  std::string_view host() const noexcept { return get("Host").value_or(std::string_view{}); }

  /// `http` or `https` as the client wrote it when it sent an absolute-form target, else empty.
  /// A request whose scheme is not that of its connection was meant for somebody else.
  std::string_view scheme() const noexcept { return text(scheme_); }

 private:
  friend class head_parser<request>;

  /// The checks that need the whole head; turns an absolute-form target into the origin form.
  std::error_code finish() {
    std::size_t const hosts = count("Host");
    if (hosts > 1 || (hosts == 0 && version_minor_ == 1)) return errc::bad_host;
    auto const host_parts = parse_authority(host());
    if (hosts == 1 && !host_parts) return errc::bad_host;
    if (std::error_code const broken = check_framing()) return broken;
    if (target().starts_with('/')) return {};
    return make_origin_form(host_parts);
  }

  std::error_code make_origin_form(std::optional<authority> const& host_parts) {
    bool const secure = istarts_with(target(), "https://");
    if (!secure && !istarts_with(target(), "http://")) return errc::bad_target;
    stretch const scheme{target_.offset, secure ? 5u : 4u};
    std::string_view const rest = target().substr(scheme.size + 3);
    std::string_view const named = rest.substr(0, rest.find_first_of("/?"));
    auto const parts = parse_authority(named);
    if (!parts) return errc::bad_target;
    if (!host_parts || !same_authority(*parts, *host_parts, secure ? 443 : 80)) {
      return errc::bad_host;
    }
    std::string origin(rest.substr(named.size()));
    if (!origin.starts_with('/')) origin.insert(0, 1, '/');
    scheme_ = scheme;
    target_ = add(origin);
    return {};
  }

  stretch method_;
  stretch target_;
  stretch scheme_;
};

/// The head of a response. A default-constructed one has status 0 and no fields.
class response : public message {
 public:
  response() = default;

  /// 100 to 999.
  int status() const noexcept { return status_; }

  /// The text behind the status; may be empty, and means nothing.
  std::string_view reason() const noexcept { return text(reason_); }

 private:
  friend class head_parser<response>;

  std::error_code finish() const noexcept { return check_framing(); }

  int status_ = 0;
  stretch reason_;
};

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
