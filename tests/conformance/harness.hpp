// Runs cases against a whole server and a whole client on the memory network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/cases.hpp"
#include "conformance/wire.hpp"

namespace conformance {

enum class side { server, client };  ///< of hawser; the peer is the other
enum class contexts { none, shared, dedicated };

/// How hawser is set up.
struct subject_options {
  std::size_t max_message_size = std::size_t{16} << 20;
  contexts deflate = contexts::none;
};

/// hawser as an echo, and a peer that speaks bytes; one connection after the other.
class subject {
 public:
  /// What hawser's close event said.
  struct farewell {
    unsigned code = 0;
    std::string reason{};
    bool by_peer = false;
    int error = 0;  // hawser's errc, or another category's value
  };

  virtual ~subject();

  /// A new connection, up to the end of its handshake; the trouble with it, or nothing. With
  /// `how`, permessage-deflate is agreed.
  std::string open(compression const* how = nullptr);

  bool peer_masks() const noexcept;

  /// The peer sends; then everything happens that this causes.
  void send(std::string_view bytes);

  /// What came back so far.
  std::vector<happening> const& seen() const noexcept { return reader->seen; }
  std::string const& fault() const noexcept { return reader->fault; }

  /// Both ends of TCP go; the trouble with that, or nothing: a server ends it first, a client
  /// waits for the server to (RFC 6455 section 7.1.1).
  std::string end();

  /// A message as the peer sends it under the agreement: compressed, then in fragments.
  std::string pack(std::string const& message, bool as_binary, std::size_t fragment);

  std::unique_ptr<frame_reader> reader{};
  std::vector<happening> delivered{};  // to hawser's message handler
  std::vector<farewell> farewells{};
  bool keep_delivered = true;

 protected:
  virtual std::string begin(compression const* how) = 0;
  virtual void transmit(std::string_view bytes) = 0;
  virtual void collect() = 0;
  virtual std::string finish() = 0;
  explicit subject(side of) : side_(of) {}

  void agree(int peer_bits, bool peer_forgets, int hawser_bits, bool hawser_forgets);

  side side_;
  std::unique_ptr<zlib_out> deflate_{};
  std::unique_ptr<zlib_in> inflate_{};
};

std::unique_ptr<subject> make_subject(side of, subject_options const& options = {});

/// Runs a case. Answers what was wrong, or nothing.
std::string run(subject& with, conformance_case const& row);

}  // namespace conformance
