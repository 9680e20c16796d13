/* The program that the rows about exec start: it ends at once. */
int main(void) { return 0; }
