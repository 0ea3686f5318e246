#include <hawser/endpoint/mailbox.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace hawser;

namespace {

struct fixture {
  int woken = 0;
  std::string ran;
  mailbox mail;

  void open(mailbox::limits const& limits = {}) {
    mail.open(limits, [this] { ++woken; });
  }
  std::error_code push(char name, std::size_t bytes = 0, bool urgent = false) {
    return mail.push([this, name] { ran += name; }, bytes, urgent);
  }
  void drain() {
    mail.drain([](callback<void()>& task) { task(); });
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "mailbox: takes nothing before it is open and after it is closed",
                 "[endpoint][mailbox]") {
  CHECK(push('a') == errc::not_open);
  open();
  CHECK_FALSE(push('b'));
  mail.close();
  CHECK(push('c') == errc::not_open);
  drain();
  CHECK(ran.empty());
  mail.close();
}

TEST_CASE_METHOD(fixture, "mailbox: wakes once for each batch and runs it in order",
                 "[endpoint][mailbox]") {
  open();
  for (char const name : {'a', 'b', 'c'}) CHECK_FALSE(push(name));
  CHECK(woken == 1);
  drain();
  CHECK(ran == "abc");
  push('d');
  CHECK(woken == 2);
  drain();
  drain();
  CHECK(ran == "abcd");
}

TEST_CASE_METHOD(fixture, "mailbox: is bounded by number", "[endpoint][mailbox]") {
  open({.max_messages = 2, .max_bytes = 100});
  CHECK_FALSE(push('a'));
  CHECK_FALSE(push('b'));
  CHECK(push('c') == errc::mailbox_full);
  CHECK_FALSE(push('u', 0, true));  // somebody waits for it
  CHECK(mail.refused() == 1);
  drain();
  CHECK(ran == "abu");
  CHECK_FALSE(push('d'));
}

TEST_CASE_METHOD(fixture, "mailbox: is bounded by bytes", "[endpoint][mailbox]") {
  open({.max_messages = 10, .max_bytes = 100});
  CHECK(push('x', 101) == errc::mailbox_full);
  CHECK(push('x', static_cast<std::size_t>(-1)) == errc::mailbox_full);
  CHECK_FALSE(push('a', 60));
  CHECK(push('b', 41) == errc::mailbox_full);
  CHECK_FALSE(push('c', 40));
  CHECK(push('d', 1) == errc::mailbox_full);
  CHECK_FALSE(push('e', 0));
  drain();
  CHECK(ran == "ace");
  CHECK_FALSE(push('f', 100));
  CHECK(mail.refused() == 4);
}

TEST_CASE_METHOD(fixture, "mailbox: what a task pushes comes with the next batch",
                 "[endpoint][mailbox]") {
  open();
  mail.push(
      [this] {
        ran += '1';
        push('2');
      },
      0);
  drain();
  CHECK(ran == "1");
  CHECK(woken == 2);
  drain();
  CHECK(ran == "12");
}

TEST_CASE_METHOD(fixture, "mailbox: nothing runs behind the task that closes it",
                 "[endpoint][mailbox]") {
  open();
  auto const held = std::make_shared<int>(1);
  push('a');
  mail.push([this] { mail.close(); }, 0);
  mail.push([this, held] { ran += 'x'; }, 0);
  CHECK(held.use_count() == 2);
  drain();
  CHECK(ran == "a");
  CHECK(held.use_count() == 1);
}

TEST_CASE_METHOD(fixture, "mailbox: tasks behind one that throws come with the next batch",
                 "[endpoint][mailbox]") {
  open();
  push('a');
  mail.push([] { throw 1; }, 0);
  push('b');
  push('c');
  CHECK_THROWS_AS(drain(), int);
  CHECK(ran == "a");
  CHECK(woken == 2);
  push('d');
  CHECK(woken == 2);
  drain();
  CHECK(ran == "abcd");
  mail.push([] { throw 1; }, 0);
  CHECK_THROWS_AS(drain(), int);  // nothing behind it: nobody is woken for nothing
  CHECK(woken == 3);
  push('e');
  CHECK(woken == 4);
}

TEST_CASE_METHOD(fixture, "mailbox: may be drained from inside a task", "[endpoint][mailbox]") {
  open();
  mail.push(
      [this] {
        push('n');
        drain();
        ran += '1';
      },
      0);
  push('2');
  drain();
  CHECK(ran == "n12");
}

TEST_CASE_METHOD(fixture, "mailbox: closing destroys what waits without the lock",
                 "[endpoint][mailbox]") {
  open();
  struct pusher {
    explicit pusher(mailbox& to) : mail(&to) {}
    pusher(pusher&& other) noexcept : mail(std::exchange(other.mail, nullptr)) {}
    ~pusher() {
      if (mail) (void)mail->push([] {}, 0);  // would hang if the lock were held
    }
    mailbox* mail;
  };
  mail.push([held = pusher(mail)] { (void)held; }, 0);
  mail.close();
  CHECK(push('x') == errc::not_open);
}
