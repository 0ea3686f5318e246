// The classes behind a server or client, to be compiled once in a program of many files. Those of
// the default policies are with the CMake target `hawser::compiled`: see compiled.hpp. For others,
// in a header that all files with servers include:
//
//     #include <hawser/instances.hpp>
//     using game_policies = hawser::policies<>::with_backpressure<hawser::latest_by_key>;
//     HAWSER_SERVER_CLASSES(extern template, game_policies);
//
// and in one file, after that header:
//
//     HAWSER_SERVER_CLASSES(template, game_policies);
//
// At global scope. The policies are named by one word, whatever they are made of.
#pragma once

#include <hawser/client.hpp>
#include <hawser/instance_lists.hpp>
#include <hawser/server.hpp>
