// Servers and clients of the default policies, compiled: for one source file of a program all of
// whose files are compiled with HAWSER_COMPILED=1, as the CMake target `hawser::compiled` does. The
// other files then take the code from there instead of compiling it again.
#pragma once

#include <hawser.hpp>

#if !HAWSER_COMPILED
#error "hawser/compiled.hpp is for programs that define HAWSER_COMPILED=1 in all of their files"
#endif

HAWSER_SERVER_CLASSES(template, hawser::policies<>);
HAWSER_CLIENT_CLASSES(template, hawser::policies<>);
HAWSER_WEBSOCKET_SERVER_CLASSES(template, hawser::websocket_policies);
HAWSER_WEBSOCKET_CLIENT_CLASSES(template, hawser::websocket_policies);
