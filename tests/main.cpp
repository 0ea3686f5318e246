// The entry of every test program; compiled once. Catch2 3 brings its own instead.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
