/* hello as C has it. */
#include <stdio.h>

int main(void) {
    puts("vim-go");
    return 0;
}
