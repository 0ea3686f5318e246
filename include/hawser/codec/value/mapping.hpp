// Which C++ types can be written as values and read from them: the concepts and all built-in types.
#pragma once

#include <hawser/codec/value/mapping_concepts.hpp>
#include <hawser/codec/value/mapping_containers.hpp>
#include <hawser/codec/value/mapping_scalars.hpp>
