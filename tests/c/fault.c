/* Does what TEST_FAULT asks for, and wrongly: what watches the tests must see it. */
#include "check.h"

int main(void) {
    const char *fault = getenv("TEST_FAULT");
    CHECK(fault != NULL);
    if (strcmp(fault, "overflow") == 0) {
        volatile char *memory = malloc(8);
        CHECK(memory != NULL);
        memory[8] = 1;
        free((void *)memory);
    } else if (strcmp(fault, "leak") == 0) {
        void *volatile memory = malloc(8);
        CHECK(memory != NULL);
        memory = NULL;
    } else if (strcmp(fault, "shift") == 0) {
        volatile int bits = 31;
        bits = 2 << bits;
    }
    return 0;
}
