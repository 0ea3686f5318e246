// Socket.IO's MessagePack parser: every packet is one binary message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/codec/sio/packet.hpp>
#include <hawser/codec/sio/payload.hpp>
#include <hawser/core/buffer.hpp>
#include <hawser/machine/packet_parser.hpp>

namespace hawser::inline HAWSER_ABI {

/// What `socket.io-msgpack-parser` speaks: a map of type, data, nsp and id.
class msgpack_parser {
 public:
  using options = packet_limits;
  static constexpr value_format format = value_format::msgpack;

  struct peer {
    bool is_waiting() const noexcept { return false; }
  };

  explicit msgpack_parser(options const& limits) : limits_(limits) {}

  errc error() const noexcept { return error_; }

  parse_status decode(peer&, message const& what, bool, incoming_packet& out) {
    if (what.is_text()) return fail(errc::bad_packet);
    tape_.clear();
    errc bad = parse_msgpack(what.data, limits_.values, tape_);
    if (bad != errc{}) return fail(bad);
    value const root = tape_.root();
    auto const type = root["type"].unsigned_integer();
    auto const nsp = root["nsp"].string();
    if (!type || *type > static_cast<unsigned>(sio::packet_type::connect_error) || !nsp) {
      return fail(errc::bad_packet);
    }
    if (!nsp->starts_with('/') || nsp->size() > sio::max_namespace_size) {
      return fail(errc::bad_packet);
    }
    std::optional<std::uint64_t> id;
    if (value const asked = root["id"]; asked.exists() && !asked.is_null()) {
      id = asked.unsigned_integer();
      if (!id || *id > sio::max_id) return fail(errc::bad_packet);
    }
    auto const kind = static_cast<sio::packet_type>(*type);
    if (id && !sio::takes_id(kind)) return fail(errc::bad_packet);
    value data = root["data"];
    if (data.is_null()) data = value();  // what JavaScript's undefined becomes
    bad = sio::check_payload(kind, data, limits_.max_event_name);
    if (bad != errc{}) return fail(bad);
    out = {kind, *nsp, id, data};
    return parse_status::packet;
  }

  encoded_packet encode(outgoing_packet const& what) {
    bytes_.capacity() > max_idle_scratch ? bytes_.release() : bytes_.clear();
    value_writer writer(bytes_, format);
    bool const has_data = what.payload.write != nullptr;
    writer.begin_object(2 + (has_data ? 1u : 0u) + (what.id ? 1u : 0u));
    writer.key("type");
    writer.unsigned_integer(static_cast<std::uint64_t>(what.type));
    if (has_data) {
      writer.key("data");
      what.payload.write(what.payload.self, writer, what.offset);
    }
    writer.key("nsp");
    writer.string(what.nsp);
    if (what.id) {
      writer.key("id");
      writer.unsigned_integer(*what.id);
    }
    writer.end_object();
    return {message_kind::binary, bytes_.view(), {}};
  }

 private:
  static constexpr std::size_t max_idle_scratch = 256 * 1024;

  parse_status fail(errc why) noexcept {
    error_ = why;
    return parse_status::violation;
  }

  packet_limits limits_;
  value_tape tape_;
  byte_buffer bytes_;
  errc error_{};
};

}  // namespace hawser::inline HAWSER_ABI
