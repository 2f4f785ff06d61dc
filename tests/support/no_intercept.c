/*
 * no_intercept.c: unit tests of race/ run without race/intercept, or the detector would watch Criterion
 * itself. What the core calls there does nothing.
 */
#include "../../race/intercept/init.h"

void intercept_init(void)
{
}
