#include <plugins/raft/instance.hpp>

#include <switchyard_manifest.h>

SY_CPP_PLUGIN(switchyard::raft::Instance);
