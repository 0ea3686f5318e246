#include "sim/socketio_instances.hpp"

SIM_SERVER_CLASSES(template);
SIM_CLIENT_CLASSES(template);
