// The file of a journal: all that a queue on disk asks of the system, here by POSIX.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {

/// A file that one object at a time may have open, among all processes; closed with the object.
/// Errors are the system's, and those of `open`.
class journal_file {
 public:
  journal_file() noexcept = default;
  journal_file(journal_file&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  journal_file& operator=(journal_file&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~journal_file() { close(); }

  bool is_open() const noexcept { return handle_ >= 0; }

  void close() noexcept {
    if (is_open()) ::close(std::exchange(handle_, -1));
  }

  /// Opens or makes a file. *Errors*: `journal_locked`; `journal_corrupt` for a directory, a pipe
  /// or the like.
  std::error_code open(std::string const& path) noexcept {
    // Whoever had the lock may have put another file in the place of the one that was opened.
    for (int attempt = 0; attempt < 16; ++attempt) {
      if (auto const failed = open(path, O_CREAT | O_NONBLOCK)) return failed;
      struct stat mine{}, there{};
      if (::fstat(handle_, &mine) != 0) return closed(last_error());
      if (!S_ISREG(mine.st_mode)) return closed(errc::journal_corrupt);
      if (::flock(handle_, LOCK_EX | LOCK_NB) != 0) {
        return closed(errno == EWOULDBLOCK ? make_error_code(errc::journal_locked) : last_error());
      }
      bool const found = ::stat(path.c_str(), &there) == 0;
      if (!found && errno != ENOENT) return closed(last_error());
      if (found && mine.st_dev == there.st_dev && mine.st_ino == there.st_ino) return {};
    }
    return closed(errc::journal_locked);
  }

  /// Makes an empty file, for what `put_over` does; an older one of that name goes.
  std::error_code make(std::string const& path) noexcept {
    discard(path);
    if (auto const failed = open(path, O_CREAT | O_EXCL)) return failed;
    return ::flock(handle_, LOCK_EX | LOCK_NB) == 0 ? std::error_code{} : closed(last_error());
  }

  std::error_code size(std::uint64_t& out) const noexcept {
    struct stat now{};
    if (::fstat(handle_, &now) != 0) return last_error();
    out = static_cast<std::uint64_t>(now.st_size);
    return {};
  }

  /// All of `out`, which the file has to have.
  std::error_code read(std::uint64_t at, mutable_bytes out) const noexcept {
    while (!out.empty()) {
      auto const got = ::pread(handle_, out.data(), out.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return last_error();
      if (got == 0) return std::make_error_code(std::errc::io_error);
      out = out.subspan(static_cast<std::size_t>(got));
      at += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  /// All of `bytes`, by one call to the system if that takes them all. After an error some of them
  /// may have been written.
  std::error_code write(std::uint64_t at, bytes_view bytes) noexcept {
    while (!bytes.empty()) {
      auto const put = ::pwrite(handle_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return last_error();
      if (put == 0) return std::make_error_code(std::errc::no_space_on_device);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      at += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  std::error_code truncate(std::uint64_t size) noexcept {
    return ::ftruncate(handle_, static_cast<off_t>(size)) == 0 ? std::error_code{} : last_error();
  }

  /// What has been written outlives the machine's crash.
  std::error_code sync() noexcept {
#ifdef F_FULLFSYNC  // where fsync stops at the drive's own memory
    if (::fcntl(handle_, F_FULLFSYNC) == 0) return {};
#endif
    return ::fsync(handle_) == 0 ? std::error_code{} : last_error();
  }

  // -- names -------------------------------------------------------------------------------------

  /// The same for as long as the program runs, whatever its current directory is then.
  static std::string full_path(std::string path) {
    char here[4096];
    if (path.starts_with('/') || !::getcwd(here, sizeof here)) return path;
    return std::string(here) + '/' + path;
  }

  /// At no moment is there no file of the name `to`.
  static std::error_code put_over(std::string const& from, std::string const& to) noexcept {
    return std::rename(from.c_str(), to.c_str()) == 0 ? std::error_code{} : last_error();
  }

  /// The names in the directory of `path` outlive the machine's crash.
  static std::error_code sync_directory_of(std::string const& path) {
    auto const slash = path.rfind('/');
    journal_file directory;
    int const flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    directory.handle_ = slash == std::string::npos
                            ? ::open(".", flags)
                            : ::open(path.substr(0, slash == 0 ? 1 : slash).c_str(), flags);
    if (!directory.is_open()) return last_error();
    // Some file systems have nothing to sync there, and say that it is no file.
    return ::fsync(directory.handle_) == 0 || errno == EINVAL ? std::error_code{} : last_error();
  }

  /// Gives a file a second name, which another file may have had.
  static std::error_code name_also(std::string const& path, std::string const& second) noexcept {
    discard(second);
    return ::link(path.c_str(), second.c_str()) == 0 ? std::error_code{} : last_error();
  }

  static void discard(std::string const& path) noexcept { ::unlink(path.c_str()); }

 private:
  static std::error_code last_error() noexcept { return {errno, std::system_category()}; }

  std::error_code closed(std::error_code why) noexcept {
    close();
    return why;
  }

  std::error_code open(std::string const& path, int flags) noexcept {
    close();
    do {
      handle_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
    } while (handle_ < 0 && errno == EINTR);
    return is_open() ? std::error_code{} : last_error();
  }

  int handle_ = -1;
};

}  // namespace hawser::inline HAWSER_ABI
