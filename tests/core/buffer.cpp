#include <hawser/core/buffer.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <utility>

#include <hawser/testing/seeded_random.hpp>

using namespace hawser;

TEST_CASE("buffer: an empty one holds no memory", "[core][buffer]") {
  byte_buffer buffer;
  CHECK(buffer.empty());
  CHECK(buffer.size() == 0);
  CHECK(buffer.capacity() == 0);
  CHECK(buffer.view().empty());
  buffer.append({});
  CHECK(buffer.capacity() == 0);
  buffer.consume(0);
  buffer.clear();
  buffer.release();
  CHECK(buffer.empty());
}

TEST_CASE("buffer: grows by doubling from 512 bytes", "[core][buffer]") {
  byte_buffer buffer;
  buffer.append(as_bytes("x"));
  CHECK(buffer.capacity() == 512);
  buffer.append(as_bytes(std::string(511, 'y')));
  CHECK(buffer.capacity() == 512);
  buffer.append(as_bytes("z"));
  CHECK(buffer.capacity() == 1024);
  buffer.append(as_bytes(std::string(10'000, 'a')));
  CHECK(buffer.capacity() == 10'513);
  CHECK(buffer.size() == 10'513);
}

TEST_CASE("buffer: prepare without commit adds nothing", "[core][buffer]") {
  byte_buffer buffer;
  auto const room = buffer.prepare(100);
  CHECK(room.size() >= 100);
  CHECK(buffer.empty());
  std::memcpy(room.data(), "abc", 3);
  buffer.commit(2);
  CHECK(as_text(buffer.view()) == "ab");
}

TEST_CASE("buffer: clear keeps the memory and release gives it back", "[core][buffer]") {
  byte_buffer buffer;
  buffer.append(as_bytes("content"));
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == 512);
  buffer.append(as_bytes("more"));
  buffer.release();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == 0);
  buffer.append(as_bytes("again"));
  CHECK(as_text(buffer.view()) == "again");
}

TEST_CASE("buffer: what moves away leaves an empty one behind", "[core][buffer]") {
  byte_buffer from;
  from.append(as_bytes("content"));
  from.consume(3);
  byte_buffer to(std::move(from));
  CHECK(as_text(to.view()) == "tent");
  CHECK(from.empty());
  CHECK(from.capacity() == 0);
  from.append(as_bytes("new"));
  to = std::move(from);
  CHECK(as_text(to.view()) == "new");
  auto& self = to;
  to = std::move(self);
  CHECK(as_text(to.view()) == "new");
}

TEST_CASE("buffer: eating from the front reuses the space without growth", "[core][buffer]") {
  byte_buffer buffer;
  std::string const piece(100, 'p');
  for (int i = 0; i < 10'000; ++i) {
    buffer.append(as_bytes(piece));
    buffer.append(as_bytes(piece));
    buffer.consume(i % 2 == 0 ? 150 : 250);
    if (buffer.size() > 200) FAIL("must not gather");
  }
  CHECK(buffer.capacity() <= 1024);
}

TEST_CASE("buffer: behaves as a string does, whatever is done to it", "[core][buffer]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    seeded_random random(seed);
    byte_buffer buffer;
    std::string model;
    for (int step = 0; step < 400; ++step) {
      switch (random.uniform(8)) {
        case 0:
        case 1:
        case 2: {
          std::string piece(static_cast<std::size_t>(random.uniform(700)), '\0');
          for (char& c : piece) c = static_cast<char>(random());
          buffer.append(as_bytes(piece));
          model += piece;
          break;
        }
        case 3: {
          auto const wanted = static_cast<std::size_t>(random.uniform(2'000));
          auto const room = buffer.prepare(wanted);
          REQUIRE(room.size() >= wanted);
          auto const used = static_cast<std::size_t>(random.uniform(wanted + 1));
          for (std::size_t i = 0; i < used; ++i) room[i] = static_cast<std::byte>(i);
          buffer.commit(used);
          for (std::size_t i = 0; i < used; ++i) model += static_cast<char>(i);
          break;
        }
        case 4:
        case 5:
        case 6: {
          auto const some = static_cast<std::size_t>(random.uniform(model.size() + 1));
          buffer.consume(some);
          model.erase(0, some);
          break;
        }
        default:
          if (!random.one_in(10)) break;
          random.one_in(2) ? buffer.clear() : buffer.release();
          model.clear();
      }
      REQUIRE(buffer.size() == model.size());
      REQUIRE(as_text(buffer.view()) == model);
    }
  }
}
