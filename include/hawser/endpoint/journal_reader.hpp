// Reads the records of a journal as far as they are as they were written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

#include <hawser/core/bytes.hpp>
#include <hawser/core/crc32c.hpp>
#include <hawser/endpoint/journal_format.hpp>

namespace hawser::inline HAWSER_ABI {

/// How a journal ended that was opened.
enum class journal_tail : std::uint8_t {
  whole,
  torn,    ///< in the middle of a record, or in zeros: a write that a crash has interrupted
  corrupt  ///< in bytes that were never written so
};

/// Holds one record in memory, or 64 KiB of several.
template <class File>
class journal_reader {
 public:
  /// `size` is the file's, `header` what it begins with.
  journal_reader(File const& file, journal_header const& header, std::uint64_t size)
      : file_(file), header_(header), size_(size) {}

  /// Calls `take(record, data)`, which says whether the record makes sense, with each one. Answers
  /// what the system says that can't read the file.
  template <class Take>
  std::error_code read(Take take) {
    while (end_ < size_) {
      tail_ = journal_tail::torn;
      std::uint64_t const rest = size_ - end_;
      if (rest < journal_record::head_size || !view(end_, journal_record::head_size)) break;
      std::uint32_t const seed = journal_record::seed(header_, end_);
      auto const record = journal_record::read(seen_, seed);
      if (!record) {
        if (!all_zero()) tail_ = journal_tail::corrupt;
        break;
      }
      if (rest - journal_record::head_size < record->size) break;
      if (!view(end_ + journal_record::head_size, record->size)) break;
      tail_ = journal_tail::corrupt;
      if (codec::crc32c(seen_, seed) != record->data_crc || !take(*record, seen_)) break;
      tail_ = journal_tail::whole;
      end_ += journal_record::head_size + record->size;
    }
    return error_;
  }

  /// Where the first record would be that could not be read.
  std::uint64_t end() const noexcept { return end_; }
  journal_tail tail() const noexcept { return tail_; }

 private:
  // Some bytes as `seen_`, until the next call; never any before those of the last one.
  bool view(std::uint64_t at, std::size_t wanted) {
    if (at + wanted > window_at_ + window_.size()) {
      window_.resize(std::max(wanted, chunk_at(at)));
      window_at_ = at;
      error_ = file_.read(at, window_);
      if (error_) return false;
    }
    seen_ = bytes_view(window_).subspan(static_cast<std::size_t>(at - window_at_), wanted);
    return true;
  }

  bool all_zero() {
    for (std::uint64_t at = end_; at < size_; at += seen_.size()) {
      if (!view(at, chunk_at(at))) return true;
      for (std::byte const each : seen_) {
        if (each != std::byte{}) return false;
      }
    }
    return true;
  }

  std::size_t chunk_at(std::uint64_t at) const noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{64} << 10, size_ - at));
  }

  File const& file_;
  journal_header const& header_;
  std::uint64_t size_;
  std::uint64_t end_ = journal_header::size;
  journal_tail tail_ = journal_tail::whole;
  std::error_code error_;
  std::vector<std::byte> window_;
  std::uint64_t window_at_ = 0;
  bytes_view seen_;
};

}  // namespace hawser::inline HAWSER_ABI
