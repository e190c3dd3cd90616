/* hello in C on gort, from the archive: no libc. */
#include "gort.h"

int main_main(void) {
    static const char text[] = "vim-go\n";
    return gort_write(1, text, sizeof text - 1) != sizeof text - 1;
}
