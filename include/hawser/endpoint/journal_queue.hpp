// An offline queue on disk: what it has accepted survives the program.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/bytes.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/message.hpp>
#include <hawser/core/timing_wheel.hpp>
#include <hawser/endpoint/journal_file.hpp>
#include <hawser/endpoint/journal_format.hpp>
#include <hawser/endpoint/journal_reader.hpp>
#include <hawser/endpoint/system_random.hpp>
#include <hawser/policy/offline_queue.hpp>
#include <hawser/policy/queued_entries.hpp>

namespace hawser::inline HAWSER_ABI {

/// What opening a journal has found.
struct journal_report {
  std::size_t messages = 0;     ///< accepted in an earlier life, and not removed
  std::uint64_t bytes_cut = 0;  ///< from the first record on that can't be read
  journal_tail tail = journal_tail::whole;
  bool replaced = false;  ///< not even the beginning could be read: a new journal was begun
};

struct journal_options {
  offline_queue_limits limits{};
  /// Directory and beginning of the name of the file: see `journal_path`. The directory has to
  /// exist; the current one doesn't matter any more once the queue is made. Beside the file there
  /// may be others, with `.new` and `.corrupt` behind its name.
  std::string path{};
  /// `push` waits until the message is on the disk, and it survives a crash of the machine too, not
  /// only of the program. Costs some milliseconds a message.
  bool sync = false;
  /// For the age of messages across restarts.
  std::chrono::system_clock::time_point (*wall_clock)() = &std::chrono::system_clock::now;
};

/// As `bounded_queue`, and all messages are in a file too, where the next queue of this path and
/// name finds them again, under the same ids. `File` is for tests.
///
/// A message has been accepted when the write has returned: one that is refused is not in the file.
/// What is removed may be back after a crash, never what was accepted gone. Opening keeps all up to
/// the first record that can't be read; a file that was damaged, and not just cut short by a crash,
/// is kept with `.corrupt` behind its name. Messages over limits that were lowered stay, and count.
///
/// The file takes at most about four times `max_bytes`, since what was removed goes only when it is
/// more than half. Then, and at opening, the file is written anew and put over the old one, which
/// is in force until then; this waits for the disk. A file of more than 1 GiB that these limits
/// could not have made isn't read.
///
/// *Errors* of `push`, beside those of `bounded_queue`: `journal_locked`, another queue has the
/// file; `journal_corrupt`, the file is of something else or of a newer version, or is damaged and
/// could not be kept; `bad_argument`, no path; all for good. `journal_io`: the file system said no,
/// see `cause`; the next push tries again, unless the file could not be opened or read.
template <class File = journal_file>
class basic_journal_queue {
 public:
  using options = journal_options;
  static constexpr bool is_durable = true;

  explicit basic_journal_queue(options const& numbers, std::string_view name = {})
      : options_(numbers), entries_(numbers.limits) {
    if (options_.path.empty()) {
      error_ = errc::bad_argument;
      return;
    }
    path_ = File::full_path(journal_path(options_.path, name));
    open();
  }

  result<std::uint64_t> push(message_kind kind, bytes_view data, message_key key, time_point now) {
    time_point const at = local(now);
    expire(at);
    if (!file_.is_open()) return error_;
    auto const way = entries_.admit(data.size(), key);
    if (!way.accepted || data.size() > journal_record::max_data) return errc::offline_queue_full;
    if (!make_room(at, data.size())) return errc::journal_io;

    // The id is used up, whatever becomes of it: the file may have bytes of it.
    std::uint64_t const id = ++last_id_;
    records_.clear();
    add(size_, {id, kind, data, key}, wall(), entries_.replaced(way));
    entries_.visit_leaving(way, [&](std::uint64_t leaving) { add_removal(leaving); });
    if (!append(options_.sync)) return errc::journal_io;
    entries_.insert(way, {id, kind, data, key}, at);
    return id;
  }

  queued_message const* front(time_point now) {
    expire(local(now));
    return entries_.front();
  }

  bool remove(std::uint64_t id) noexcept {
    if (!entries_.remove(id)) return false;
    std::array<std::byte, journal_record::head_size> record;
    journal_record{.id = id}.write(record.data(), {}, journal_record::seed(header_, size_));
    append(record, false);
    return true;
  }

  std::optional<dropped_message> dropped() { return entries_.dropped(); }
  backlog size() const noexcept { return entries_.size(); }

  /// 32 hexadecimal digits that with the id of a message name it among all messages of all queues;
  /// the same for as long as the file exists. Empty if there is none.
  std::string const& queue_id() const noexcept { return queue_id_; }
  /// Why there is no file to write to; zero if all is well.
  std::error_code error() const noexcept { return error_; }
  /// What the system said when it last refused something; zero if it never did.
  std::error_code cause() const noexcept { return cause_; }
  journal_report const& report() const noexcept { return report_; }
  /// The file's, in full; empty without `options::path`.
  std::string const& path() const noexcept { return path_; }

 private:
  static constexpr std::size_t chunk = std::size_t{64} << 10;
  static constexpr std::uint64_t always_read = std::uint64_t{1} << 30;

  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds last_time{std::int64_t{1} << 42};  // in 2109; sums don't overflow

  // Times of entries are wall times, but for how they pass: as the steady clock has it, from the
  // first call on.
  time_point local(time_point now) {
    if (!anchored_) shift_ = time_point(duration(wall_now())) - now;
    anchored_ = true;
    return now + shift_;
  }

  milliseconds wall_now() const {
    auto const since = options_.wall_clock().time_since_epoch();
    return std::clamp(std::chrono::floor<milliseconds>(since), milliseconds{0}, last_time);
  }
  std::uint64_t wall() const { return static_cast<std::uint64_t>(wall_now().count()); }

  bool failed(std::error_code error) noexcept {
    if (error) cause_ = error;
    return static_cast<bool>(error);
  }

  bool unusable(errc why) noexcept {
    error_ = why;
    return false;
  }

  // -- opening -----------------------------------------------------------------------------------

  void open() {
    bool usable = lock() && load();
    if (usable) queue_id_ = header_.queue_text();
    usable = usable && keep_damaged();
    usable ? void(rewrite(duration{0})) : file_.close();
  }

  bool lock() {
    auto const error = file_.open(path_);
    if (!error) return true;
    if (error.category() == error_category()) return unusable(static_cast<errc>(error.value()));
    failed(error);
    return unusable(errc::journal_io);
  }

  bool load() {
    std::uint64_t size = 0;
    if (failed(file_.size(size))) return unusable(errc::journal_io);
    if (size > std::max(ceiling(), always_read)) return unusable(errc::journal_corrupt);

    std::array<std::byte, journal_header::size> begin;
    auto const head = mutable_bytes(begin).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(size, begin.size())));
    if (failed(file_.read(0, head))) return unusable(errc::journal_io);
    auto const state = header_.read(head);
    if (state == journal_header::state::foreign) return unusable(errc::journal_corrupt);
    if (state == journal_header::state::fine) {
      // Any of its ids may have been used, even if the records were lost with a machine.
      last_id_ = header_.mark + journal_header::ids_per_file;
      if (load_records(size)) return true;
      entries_ = queued_entries(options_.limits);
      report_ = {};
      return unusable(errc::journal_io);
    }
    header_ = {};
    system_random()(header_.queue);
    if (size > 0) report_ = {0, size, journal_tail::corrupt, true};
    return true;
  }

  bool load_records(std::uint64_t size) {
    std::uint64_t last = 0;
    journal_reader<File> reader(file_, header_, size);
    auto const error = reader.read([&](journal_record const& record, bytes_view data) {
      if (record.what == journal_record::act::remove) return entries_.remove(record.id) || true;
      if (record.id <= last || record.id > last_id_) return false;
      last = record.id;
      // It may be of the future, if the clock isn't set yet; then it doesn't age.
      constexpr auto newest = static_cast<std::uint64_t>(last_time.count());
      milliseconds const then(static_cast<std::int64_t>(std::min(record.wall, newest)));
      entries_.restore({record.id, record.kind, data, record.key}, time_point(duration(then)),
                       record.before);
      return true;
    });
    report_ = {entries_.size().messages, size - reader.end(), reader.tail()};
    return !failed(error);
  }

  // Before anything is put over it. What was cut short by a crash is of no use to anybody.
  bool keep_damaged() {
    if (report_.tail != journal_tail::corrupt) return true;
    if (!failed(File::name_also(path_, path_ + ".corrupt"))) return true;
    return unusable(errc::journal_corrupt);
  }

  // -- writing -----------------------------------------------------------------------------------

  std::uint64_t live() const noexcept {
    auto const all = entries_.size();
    return journal_header::size + all.bytes -
           all.messages * std::uint64_t{queued_entries::overhead} +
           all.messages * std::uint64_t{journal_record::head_size};
  }

  std::uint64_t ceiling() const noexcept {
    std::uint64_t const base =
        std::max({std::uint64_t{options_.limits.max_bytes}, live(), std::uint64_t{chunk}});
    return base > ~std::uint64_t{} / 8 ? ~std::uint64_t{} : 4 * base;
  }

  void add(std::uint64_t file_size, queued_message const& message, std::uint64_t then,
           std::uint64_t before) {
    std::size_t const at = records_.size();
    records_.resize(at + journal_record::head_size);
    journal_record record{.what = journal_record::act::add,
                          .kind = message.kind,
                          .key = message.key,
                          .id = message.id,
                          .before = before,
                          .wall = then};
    record.write(&records_[at], message.data, journal_record::seed(header_, file_size + at));
    records_.insert(records_.end(), message.data.begin(), message.data.end());
  }

  void add_removal(std::uint64_t id) {
    std::size_t const at = records_.size();
    records_.resize(at + journal_record::head_size);
    journal_record{.id = id}.write(&records_[at], {}, journal_record::seed(header_, size_ + at));
  }

  bool append(bool and_sync) {
    bool const done = append(records_, and_sync);
    if (records_.capacity() > chunk) std::vector<std::byte>().swap(records_);
    return done;
  }

  // All or nothing.
  bool append(bytes_view bytes, bool and_sync) noexcept {
    if (error_) return false;
    bool lost = failed(file_.write(size_, bytes));
    // After an error nobody knows what is on the disk: the next push writes all anew.
    if (!lost && and_sync && failed(file_.sync())) lost = !unusable(errc::journal_io);
    if (!lost) {
      size_ += bytes.size();
      return true;
    }
    if (failed(file_.truncate(size_))) unusable(errc::journal_io);
    return false;
  }

  void expire(time_point at) {
    records_.clear();
    entries_.expire(at, [&](std::uint64_t id) { add_removal(id); });
    if (!records_.empty()) append(false);
  }

  bool make_room(time_point now, std::size_t bytes) {
    std::uint64_t const dead = size_ - std::min(size_, live());
    bool const must = error_ || last_id_ >= last_of_file_ || size_ + bytes > ceiling();
    if (!must && (dead <= live() || dead <= next_rewrite_)) return true;
    if (rewrite(time_point(duration(wall_now())) - now)) return true;
    next_rewrite_ = dead + chunk;  // no need to try that every time
    return !must && !error_;
  }

  // Makes a file of what is queued and puts it over the old one. `shift` is from the time of
  // entries to wall time. Until it has its name nothing of the old one has changed.
  bool rewrite(duration shift) {
    std::string const path = path_ + ".new";
    File fresh;
    journal_header header{header_.queue, last_id_};
    std::uint64_t written = 0;
    if (failed(fresh.make(path)) || !fill(fresh, header, shift, written) || failed(fresh.sync()) ||
        failed(File::put_over(path, path_))) {
      File::discard(path);
      if (last_of_file_ == 0) unusable(errc::journal_io);
      return false;
    }
    file_ = std::move(fresh);
    header_ = header;
    size_ = written;
    last_of_file_ = last_id_ + journal_header::ids_per_file;
    next_rewrite_ = chunk;
    error_ = {};
    // Else the old file may be back after a crash of the machine, with ids that were given out.
    return !failed(File::sync_directory_of(path_)) || unusable(errc::journal_io);
  }

  bool fill(File& fresh, journal_header& header, duration shift, std::uint64_t& written) {
    std::swap(header_, header);  // which records are written for
    records_.assign(journal_header::size, std::byte{});
    header_.write(records_.data());
    bool fine = true;
    auto const flush = [&] {
      fine = fine && !failed(fresh.write(written, records_));
      written += records_.size();
      records_.clear();
    };
    entries_.visit([&](queued_message const& message, time_point at, std::uint64_t before) {
      if (!fine) return;
      auto const then = std::chrono::floor<milliseconds>((at + shift).time_since_epoch()).count();
      add(written, message, static_cast<std::uint64_t>(std::max<std::int64_t>(0, then)), before);
      if (records_.size() > chunk) flush();
    });
    flush();
    std::swap(header_, header);
    return fine;
  }

  options options_;
  queued_entries entries_;
  std::string path_;
  std::string queue_id_;
  File file_;  // not open: nothing can be accepted any more
  journal_header header_;
  journal_report report_;
  std::error_code error_;
  std::error_code cause_;
  std::vector<std::byte> records_;  // what is about to be written
  std::uint64_t size_ = 0;          // of the file, as far as it counts
  std::uint64_t last_id_ = 0;
  std::uint64_t last_of_file_ = 0;  // ids up to here can be given out; 0: the file isn't ours yet
  std::uint64_t next_rewrite_ = chunk;
  duration shift_{};
  bool anchored_ = false;
};

using journal_queue = basic_journal_queue<>;

static_assert(offline_queue_policy<journal_queue>);

}  // namespace hawser::inline HAWSER_ABI
