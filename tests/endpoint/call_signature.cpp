// The parameters of a handler as a type.
#include <hawser/endpoint/call_signature.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <tuple>
#include <type_traits>

using hawser::call_signature;

namespace {

template <class F, class Result, class... Parameters>
constexpr bool is =
    std::is_same_v<typename call_signature<F>::result, Result> &&
    std::is_same_v<typename call_signature<F>::parameters, std::tuple<Parameters...>>;

template <class F>
concept has_signature = requires { typename call_signature<F>::parameters; };

[[maybe_unused]] int function(double, std::string const&) { return 0; }
[[maybe_unused]] void quiet(int&) noexcept {}
struct functor {
  bool operator()(int) const;
};
struct changing {
  bool operator()(int);
};
struct quiet_functor {
  bool operator()(int) noexcept;
};
struct quiet_constant {
  bool operator()(int) const noexcept;
};
struct several {
  void operator()(int);
  void operator()(double);
};
struct of_any {
  void operator()(auto);
};

[[maybe_unused]] auto const lambda = [](int, std::string) { return 1.5; };
[[maybe_unused]] auto const kept = [n = 1](int& to) mutable noexcept { to = ++n; };
[[maybe_unused]] auto const generic = [](auto) {};
[[maybe_unused]] auto const variadic = [](auto...) {};

static_assert(is<int (*)(double, std::string const&), int, double, std::string const&>);
static_assert(is<decltype(function), int, double, std::string const&>);
static_assert(is<decltype((function)), int, double, std::string const&>);
static_assert(is<decltype(&quiet), void, int&>);
static_assert(is<functor, bool, int> && is<changing, bool, int>);
static_assert(is<quiet_functor, bool, int> && is<quiet_constant, bool, int>);
static_assert(is<functor&, bool, int> && is<functor const&, bool, int> && is<functor&&, bool, int>);
static_assert(is<decltype(lambda), double, int, std::string>);
static_assert(is<decltype(kept), void, int&>);
static_assert(is<void (*)(), void>);

// Nothing for those whose parameters can't be known.
static_assert(!has_signature<several> && !has_signature<of_any>);
static_assert(!has_signature<decltype(generic)> && !has_signature<decltype(variadic)>);
static_assert(!has_signature<int> && !has_signature<std::string>);

}  // namespace

TEST_CASE("call signature: functions, lambdas and objects", "[endpoint][call_signature]") {
  CHECK(has_signature<decltype(lambda)>);
  CHECK_FALSE(has_signature<decltype(generic)>);
}
