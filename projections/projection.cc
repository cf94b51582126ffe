#include "projections/projection.h"  // makes sure that the contract compiles by itself
