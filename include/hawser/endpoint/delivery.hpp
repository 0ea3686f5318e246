// Messages on their way to many: encoded once for each variant that their recipients agreed to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <hawser/core/payload_run.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A broadcast under way in a server's `Core`. Costs a recipient a reference, no copy, and not even
/// that behind the broadcast before it.
template <class Core>
class delivery {
 public:
  using connection_type = typename Core::connection_type;

  /// `what`: a message, or several that belong together and leave as one; not empty.
  delivery(Core& core, std::span<outgoing const> what, message_key key,
           std::span<connection_id const> except = {})
      : core_(core),
        what_(what),
        key_(key),
        except_(except),
        is_keyed_(connection_type::is_replaceable(key)) {}

  [[gnu::always_inline]] void to(connection_type& one) {
    if (!one.is_open()) return;
    if (!except_.empty() && is_left_out(one.id)) return;
    encoding* const with = encoding_for(one);
    if (with && !is_keyed_ && one.extend_queue(with->bytes)) [[likely]] {
      ++taken_;
    } else {
      taken_ += queue(one, with) ? 1 : 0;
    }
  }

  Core& core() noexcept { return core_; }
  std::size_t taken() const noexcept { return taken_; }

 private:
  static constexpr std::uint64_t no_variant = std::numeric_limits<std::uint64_t>::max();

  struct encoding {
    unsigned variant = 0;
    payload_slice bytes{};
    payload_slice apart{};
  };

  [[gnu::noinline]] bool is_left_out(connection_id const& id) const noexcept {
    return std::find(except_.begin(), except_.end(), id) != except_.end();
  }

  [[gnu::noinline]] bool queue(connection_type& one, encoding* with) {
    if (!with) return !one.send(what_, key_);
    return one.send_shared(one.is_blocked() ? apart(*with) : with->bytes, key_);
  }

  // Null: this peer needs bytes of its own.
  [[gnu::always_inline]] encoding* encoding_for(connection_type& one) {
    auto& framing = core_.space().framing();
    unsigned variant = one.peer().variant(what_.front(), framing);
    if (variant == first_variant_) [[likely]]
      return &encodings_[0];
    return variant == private_variant ? nullptr : find_encoding(one, variant);
  }

  [[gnu::noinline]] encoding* find_encoding(connection_type& one, unsigned variant) {
    auto& framing = core_.space().framing();
    for (outgoing const& part : what_.subspan(1)) {  // what was agreed to is one number, or 0
      unsigned const of_part = one.peer().variant(part, framing);
      if (of_part == private_variant) return nullptr;
      variant = std::max(variant, of_part);
    }
    for (std::size_t i = 0; i < used_; ++i) {
      if (encodings_[i].variant == variant) return &encodings_[i];
    }
    return used_ == encodings_.size() ? nullptr : encode(one, variant);
  }

  [[gnu::noinline]] encoding* encode(connection_type& one, unsigned variant) {
    auto& space = core_.space();
    encoding& fresh = encodings_[used_];
    std::size_t const run = variant == 0 ? 0 : 1;
    if (what_.size() == 1) {
      auto const encoded = one.peer().encode(what_.front(), space.framing());
      fresh.bytes = space.share(run, encoded.head_view(), encoded.body);
    } else {
      fresh.bytes = space.share(run, one.encode_group(what_));
    }
    fresh.variant = variant;
    if (used_++ == 0 && what_.size() == 1) first_variant_ = variant;
    return &fresh;
  }

  // For peers that don't keep up: a small message in a long queue must not keep the block of a run.
  payload_slice const& apart(encoding& of) {
    if (of.bytes.size() == of.bytes.block.size()) return of.bytes;
    if (!of.apart.block) of.apart = core_.space().pack(of.bytes.view());
    return of.apart;
  }

  Core& core_;
  std::span<outgoing const> what_;
  message_key key_;
  std::span<connection_id const> except_;
  bool is_keyed_;
  std::uint64_t first_variant_ = no_variant;  // of a lone message's first encoding
  std::array<encoding, 8> encodings_;
  std::size_t used_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
