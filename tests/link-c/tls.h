/* What tls_more.c has for tls.c. */
enum { LARGE = 400000, ALIGNED = 8192 };

extern __thread long many;
extern __thread char large[LARGE];
extern __thread int aligned[2];
