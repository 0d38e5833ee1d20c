#include "postgres.h"
#include "compat.h"
