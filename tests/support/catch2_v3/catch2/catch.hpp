// Lets tests written for Catch2 2.13 build with Catch2 3: same name, same spellings.
#pragma once

#include <catch2/catch_all.hpp>

using Catch::Approx;
