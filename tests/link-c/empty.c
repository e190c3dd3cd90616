/* A program that does nothing: what is left of gort in it, everybody pays. */
int main_main(void) { return 0; }
