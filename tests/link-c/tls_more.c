/* The thread-local variables of another object; see tls.c. */
#include "tls.h"

__thread long many = 7;
__thread char large[LARGE];
_Alignas(ALIGNED) __thread int aligned[2];
