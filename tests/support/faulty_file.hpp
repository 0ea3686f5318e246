// The file of a journal on a disk that fails, fills up or stops when a test wants it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <system_error>

#include <hawser/endpoint/journal_file.hpp>

namespace hawser_test {

/// As `journal_file`, but nothing waits for the real disk.
class faulty_file {
 public:
  /// One for all files. Set anew by each test.
  struct plan {
    int calls = 0;            ///< that were made; what only asks or discards isn't counted
    int syncs = 0;            ///< among them, of files
    int failing = -1;         ///< the call that fails; -1: none
    bool for_good = false;    ///< and all after it do nothing: as if the program were killed there
    std::size_t partial = 0;  ///< bytes that a failing write has written
    std::uint64_t room = ~std::uint64_t{};  ///< bytes that can still be written

    // What a crash of the machine would leave: of each file that has been made what was in it when
    // it was synced, of each name the file it had when the directory was.
    std::map<int, std::string> synced_files{};
    std::map<std::string, int> names{}, synced_names{};
    int files = 0;

    std::string after_crash(std::string const& name) { return synced_files[synced_names[name]]; }
  };
  static plan& now() {
    static plan all;
    return all;
  }

  bool is_open() const noexcept { return file_.is_open(); }
  void close() noexcept { file_.close(); }
  std::error_code open(std::string const& path) noexcept {
    return fails() ? broken() : file_.open(path);
  }
  std::error_code make(std::string const& path) noexcept {
    now().names[path] = number_ = ++now().files;
    return fails() ? broken() : file_.make(path);
  }
  std::error_code size(std::uint64_t& out) const noexcept {
    return fails() ? broken() : file_.size(out);
  }
  std::error_code read(std::uint64_t at, hawser::mutable_bytes out) const noexcept {
    return fails() ? broken() : file_.read(at, out);
  }
  std::error_code write(std::uint64_t at, hawser::bytes_view bytes) noexcept {
    bool const was_dead = dead();
    if (fails()) {
      if (was_dead) return broken();
      file_.write(at, bytes.first(std::min(bytes.size(), now().partial)));
      return broken();
    }
    if (bytes.size() > now().room) {
      file_.write(at, bytes.first(static_cast<std::size_t>(now().room)));
      return std::make_error_code(std::errc::no_space_on_device);
    }
    now().room -= bytes.size();
    return file_.write(at, bytes);
  }
  std::error_code truncate(std::uint64_t size) noexcept {
    return fails() ? broken() : file_.truncate(size);
  }
  std::error_code sync() noexcept {
    ++now().syncs;
    if (fails()) return broken();
    std::uint64_t size = 0;
    file_.size(size);
    std::string& copy = now().synced_files[number_];
    copy.resize(static_cast<std::size_t>(size));
    return file_.read(0, {reinterpret_cast<std::byte*>(copy.data()), copy.size()});
  }

  static std::string full_path(std::string const& path) {
    return hawser::journal_file::full_path(path);
  }
  static std::error_code put_over(std::string const& from, std::string const& to) noexcept {
    if (fails()) return broken();
    now().names[to] = now().names[from];
    return hawser::journal_file::put_over(from, to);
  }
  static std::error_code sync_directory_of(std::string const&) {
    if (fails()) return broken();
    now().synced_names = now().names;
    return {};
  }
  static std::error_code name_also(std::string const& path, std::string const& second) noexcept {
    return fails() ? broken() : hawser::journal_file::name_also(path, second);
  }
  static void discard(std::string const& path) noexcept {
    if (!dead()) hawser::journal_file::discard(path);
  }

 private:
  static bool dead() noexcept {
    return now().for_good && now().failing >= 0 && now().calls > now().failing;
  }
  static bool fails() noexcept {
    int const call = now().calls++;
    return call == now().failing || dead();
  }
  static std::error_code broken() noexcept { return std::make_error_code(std::errc::io_error); }

  hawser::journal_file file_;
  int number_ = 0;
};

}  // namespace hawser_test
