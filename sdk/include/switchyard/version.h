/* The version of the contract between host and plugin. Normative text: sdk/ABI.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* While the major is 0 the minor must match exactly. From 1.0 on the contract only grows and a host
 * loads every plugin of its major whose minor is not above its own. */
#define SY_ABI_MAJOR 0
#define SY_ABI_MINOR 5

/* True when the `type` at `pointer`, or at whose head it points, was compiled with `field`: its
 * struct_size reaches to the end of the field. */
#define SY_HAS(pointer, type, field)                                                               \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof(((type*)0)->field))
