#include "sim/raw_instances.hpp"

SIM_RAW_CLASSES(template);
