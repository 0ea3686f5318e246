// Version and build configuration. The only header of the pure floors that defines macros.
#pragma once

#define HAWSER_VERSION_MAJOR 0
#define HAWSER_VERSION_MINOR 1
#define HAWSER_VERSION_PATCH 0
#define HAWSER_VERSION 100  // major * 10000 + minor * 100 + patch

// 0 builds without OpenSSL: no `tls`, no `tcp_or_tls`, no wss. Set by the CMake option
// HAWSER_TLS; must be the same in every translation unit of a program.
#ifndef HAWSER_WITH_TLS
#define HAWSER_WITH_TLS 1
#endif

// 0 builds without zlib: permessage-deflate is never negotiated. Set by the CMake option
// HAWSER_DEFLATE; must be the same in every translation unit of a program.
#ifndef HAWSER_WITH_DEFLATE
#define HAWSER_WITH_DEFLATE 1
#endif

// 1: servers and clients of the default policies are compiled elsewhere in the program, see
// compiled.hpp. Set by the CMake target hawser::compiled.
#ifndef HAWSER_COMPILED
#define HAWSER_COMPILED 0
#endif

#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "hawser needs C++20: compile with -std=c++20 or later"
#endif

// Everything lives in an inline namespace, so that two versions of the library, or two
// configurations of one version, are different types to the linker and can't be mixed silently.
#if HAWSER_WITH_TLS && HAWSER_WITH_DEFLATE
#define HAWSER_ABI v0
#elif HAWSER_WITH_TLS
#define HAWSER_ABI v0_no_deflate
#elif HAWSER_WITH_DEFLATE
#define HAWSER_ABI v0_no_tls
#else
#define HAWSER_ABI v0_no_tls_no_deflate
#endif
