// The parameters of a handler, as a type.
#pragma once

#include <tuple>
#include <type_traits>

#include <hawser/core/config.hpp>

namespace hawser::inline HAWSER_ABI {

/// `call_signature<F>::parameters` is a tuple of the parameter types and `::result` the result of a
/// function or of an object whose one `operator()` is no template. Nothing for others.
template <class F>
struct call_signature;

template <class F>
  requires requires { &std::remove_cvref_t<F>::operator(); }
struct call_signature<F> : call_signature<decltype(&std::remove_cvref_t<F>::operator())> {};

template <class R, class... P>
struct call_signature<R (*)(P...)> {
  using result = R;
  using parameters = std::tuple<P...>;
};
template <class R, class... P>
struct call_signature<R (*)(P...) noexcept> : call_signature<R (*)(P...)> {};
template <class R, class... P>
struct call_signature<R (&)(P...)> : call_signature<R (*)(P...)> {};
template <class R, class... P>
struct call_signature<R(P...)> : call_signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct call_signature<R (C::*)(P...)> : call_signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct call_signature<R (C::*)(P...) const> : call_signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct call_signature<R (C::*)(P...) noexcept> : call_signature<R (*)(P...)> {};
template <class C, class R, class... P>
struct call_signature<R (C::*)(P...) const noexcept> : call_signature<R (*)(P...)> {};

}  // namespace hawser::inline HAWSER_ABI
