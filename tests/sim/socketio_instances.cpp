#include "sim/socketio_instances.hpp"

SIM_SERVER_CLASSES(template);
