// Fuzzes an offline queue on disk: files of any bytes, or of records of any kind with the right
// sums; then pushes, removals, failing writes, damages and reopenings, held against a plain map.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/journal_format.hpp>
#include <hawser/endpoint/journal_queue.hpp>

#include "script.hpp"

namespace {

using namespace hawser;
using namespace hawser_fuzz;
using namespace std::chrono_literals;

/// A disk in memory, which may refuse what a real one may.
struct disk {
  struct file {
    std::string bytes;
    bool locked = false;
  };
  std::map<std::string, std::shared_ptr<file>> files;
  int calls_until_failure = -1;
  std::size_t partial = 0;

  bool fails() { return calls_until_failure >= 0 && calls_until_failure-- == 0; }
};
disk all;

std::chrono::system_clock::time_point wall;

class memory_file {
 public:
  memory_file() = default;
  memory_file(memory_file&& other) noexcept : file_(std::move(other.file_)) {}
  memory_file& operator=(memory_file&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~memory_file() { close(); }

  bool is_open() const noexcept { return file_ != nullptr; }
  void close() noexcept {
    if (file_) file_->locked = false;
    file_.reset();
  }
  std::error_code open(std::string const& path) { return open(path, all.files[path]); }
  std::error_code make(std::string const& path) {
    all.files[path].reset();
    return open(path, all.files[path]);
  }
  std::error_code size(std::uint64_t& out) const {
    out = file_->bytes.size();
    return error();
  }
  std::error_code read(std::uint64_t at, mutable_bytes out) const {
    auto const from = as_bytes(file_->bytes);
    require(at <= from.size() && out.size() <= from.size() - at && out.size() <= from.size());
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
    return error();
  }
  std::error_code write(std::uint64_t at, bytes_view bytes) {
    auto const failed = error();
    if (failed) bytes = bytes.first(std::min(bytes.size(), all.partial));
    require(at <= file_->bytes.size());
    auto const end = static_cast<std::size_t>(at) + bytes.size();
    if (file_->bytes.size() < end) file_->bytes.resize(end);
    file_->bytes.replace(static_cast<std::size_t>(at), bytes.size(), as_text(bytes));
    return failed;
  }
  std::error_code truncate(std::uint64_t size) {
    require(size <= file_->bytes.size());
    auto const failed = error();
    if (!failed) file_->bytes.resize(static_cast<std::size_t>(size));
    return failed;
  }
  std::error_code sync() { return error(); }

  static std::string full_path(std::string const& path) { return path; }
  static std::error_code put_over(std::string const& from, std::string const& to) {
    auto const failed = error();
    if (failed) return failed;
    all.files[to] = std::move(all.files[from]);
    all.files.erase(from);
    return {};
  }
  static std::error_code sync_directory_of(std::string const&) { return error(); }
  static std::error_code name_also(std::string const& path, std::string const& second) {
    auto const failed = error();
    if (!failed) all.files[second] = all.files[path];
    return failed;
  }
  static void discard(std::string const& path) { all.files.erase(path); }

 private:
  static std::error_code error() {
    return all.fails() ? std::make_error_code(std::errc::io_error) : std::error_code{};
  }
  std::error_code open(std::string const&, std::shared_ptr<disk::file>& there) {
    close();
    if (auto const failed = error()) return failed;
    if (!there) there = std::make_shared<disk::file>();
    if (there->locked) return errc::journal_locked;
    there->locked = true;
    file_ = there;
    return {};
  }

  std::shared_ptr<disk::file> file_;
};

using queue = basic_journal_queue<memory_file>;
using texts = std::map<std::uint64_t, std::string>;

constexpr char const* name = "j.journal";

std::string& bytes_of_file() {
  auto& there = all.files[name];
  if (!there) there = std::make_shared<disk::file>();
  return there->bytes;
}

struct run {
  script in;
  journal_options options;
  std::optional<queue> now;
  std::string queue_id;
  std::uint64_t last = 0;  // id that was given out
  texts ever;              // all that was ever accepted, or in the file at the beginning
  texts queued;            // accepted and neither removed nor dropped
  texts removed;           // may come back
  time_point time{};
  bool forged = false;   // by hand: any sums are right
  bool failing = false;  // in the life that ends: removals may not have been written

  explicit run(script from) : in(from) {
    all = {};
    wall = std::chrono::system_clock::time_point(std::chrono::hours(1));
    std::uint8_t const shape = in.byte();
    options.path = "j";
    options.sync = (shape & 1) != 0;
    options.limits.overflow = static_cast<overflow_rule>((shape >> 1) % 3);
    options.limits.max_messages = (shape & 8) != 0 ? 3 : 100;
    options.limits.max_bytes = (shape & 16) != 0 ? 1'000 : 100'000;
    options.limits.max_age = (shape & 32) != 0 ? 10s : 0s;
    options.wall_clock = [] { return wall; };
    if ((shape & 64) != 0) forge();
  }

  void forge() {
    forged = true;
    std::string& file = bytes_of_file();
    file.assign(journal_header::size, '\0');
    journal_header header{{}, std::uint64_t{in.byte()}};
    if (header.mark == 255) header.mark = ~std::uint64_t{} >> (in.byte() & 1);
    header.write(reinterpret_cast<std::byte*>(file.data()));
    for (int left = in.byte() % 32; left > 0; --left) {
      std::uint8_t const shape = in.byte();
      journal_record record{.what = static_cast<journal_record::act>(shape & 3),
                            .kind = (shape & 4) != 0 ? message_kind::text : message_kind::binary,
                            .id = in.byte(),
                            .before = in.byte(),
                            .wall = in.byte() * std::uint64_t{60'000}};
      if ((shape & 8) != 0) record.key = in.byte();
      auto const data = in.bytes();
      std::array<std::byte, journal_record::head_size> head;
      record.write(head.data(), as_bytes(data), journal_record::seed(header, file.size()));
      file += as_text(head);
      file += data;
      if ((shape & 0xf0) == 0xf0) file.resize(file.size() - file.size() % 7);
      ever.emplace(record.id, data);
    }
  }

  // All that is queued, the disk being left as it is; and the order.
  template <class Queue>
  texts look(Queue& at, std::vector<std::uint64_t>& order) {
    auto const file = bytes_of_file();
    texts found;
    while (auto const* first = at.front(time)) {
      order.push_back(first->id);
      require(found.emplace(first->id, as_text(first->data)).second);
      require(at.remove(order.back()));
    }
    require(at.size().messages == 0 && at.size().bytes == 0);
    bytes_of_file() = file;
    return found;
  }
  texts look(std::vector<std::uint64_t>& order) {
    auto const file = bytes_of_file();
    auto const others = all.files;
    texts found;
    {
      queue other(options);
      found = look(other, order);
    }
    all.files = others;
    bytes_of_file() = file;
    return found;
  }

  void tell() {
    while (auto const lost = now->dropped()) {
      auto const there = queued.find(lost->id);
      require(there != queued.end() && there->second == as_text(lost->data));
      removed.insert(queued.extract(there));
    }
    require(now->size().messages == queued.size());
  }

  // `damaged`: what was accepted may be gone, if the end of the file is.
  void open(bool damaged) {
    all.calls_until_failure = -1;
    std::vector<std::uint64_t> before, order;
    if (now) look(*now, before);
    now.reset();
    auto const age = std::exchange(options.limits.max_age, 0s);
    auto const found = look(order);
    options.limits.max_age = age;
    if (!damaged && !failing) {
      std::erase_if(order, [&](auto id) { return std::ranges::count(before, id) == 0; });
      require(order == before);
    }
    now.emplace(options);
    if (now->error()) {
      require(damaged && now->error() == errc::journal_corrupt);
      now.reset();
      all.files.clear();
      now.emplace(options);
    }
    require(!now->error());
    require(now->report().messages == now->size().messages);
    if (now->queue_id() != queue_id) {
      require(queue_id.empty() || damaged);
      if (!queue_id.empty()) ever.clear();
      queued.clear();
      last = 0;
      queue_id = now->queue_id();
    }
    if (!damaged) {
      require(now->report().tail != journal_tail::corrupt || forged);
      for (auto const& [id, text] : queued) require(found.contains(id));
    }
    for (auto const& [id, text] : found) {
      require(ever.contains(id) && (forged || ever[id] == text));
      if (!damaged && !forged) require(queued.contains(id) || (failing && removed.contains(id)));
    }
    queued = found;
    if (now->size().messages != found.size()) {  // by a header that was made anew in between
      require(damaged);
      queued.clear();
    }
    forged = failing = false;
    for (auto const& [id, text] : queued) ever[id] = text;
    tell();
  }

  void push() {
    std::uint8_t const shape = in.byte();
    message_key const key = (shape & 1) != 0 ? message_key(shape >> 1 & 7) : message_key();
    std::string text(in.bytes());
    if ((shape & 0xf0) == 0xf0) text.resize(text.size() * 20);
    auto const id = now->push(message_kind::text, as_bytes(text), key, time);
    if (id) {
      require(*id > last);
      last = *id;
      ever[*id] = queued[*id] = text;
    } else {
      require(id.error() == errc::offline_queue_full || id.error() == errc::journal_io);
    }
    tell();
  }

  void remove() {
    std::uint8_t const which = in.byte();
    std::uint64_t id = which;
    if (!queued.empty()) {
      id = std::next(queued.begin(), static_cast<std::ptrdiff_t>(which % queued.size()))->first;
    }
    auto const there = queued.find(id);
    require(now->remove(id) == (there != queued.end()));
    if (there != queued.end()) removed.insert(queued.extract(there));
    tell();
  }

  void step() {
    std::uint8_t const what = in.byte();
    switch (what % 8) {
      case 0:
      case 1: push(); break;
      case 2: remove(); break;
      case 3: {
        auto const passed = time_of(in.byte());
        time += passed;
        wall += passed;
        auto const* first = now->front(time);
        if (first) require(queued.at(first->id) == as_text(first->data));
        tell();
        break;
      }
      case 4: open(false); break;
      case 5:
        failing = true;
        all.calls_until_failure = what / 8;
        all.partial = in.byte();
        break;
      case 6:
      case 7: {
        now.reset();
        std::string& file = bytes_of_file();
        std::size_t const at = file.empty() ? 0 : (what / 8 * 256 + in.byte()) % file.size();
        if (what % 8 == 6) {
          file.resize(at);
        } else if (!file.empty()) {
          file[at] = static_cast<char>(file[at] ^ static_cast<char>(in.byte()));
        }
        open(true);
        break;
      }
    }
  }
};

}  // namespace

// Byte 0: options, and whether records are forged, which follow then; else byte 1 has whether what
// follows is the file. The rest is what happens.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size > 1024) return 0;
  run one{script(data, size)};
  if (!one.forged && (one.in.byte() & 1) != 0) {
    std::string& file = bytes_of_file();
    while (file.size() < size && !one.in.empty()) file += one.in.bytes();
  }
  one.open(true);
  for (int steps = 0; steps < 100 && !one.in.empty(); ++steps) one.step();
  one.open(false);
  return 0;
}
