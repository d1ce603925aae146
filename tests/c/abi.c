/* The numbers and sizes that programs are compiled with. */
#include "check.h"

/* C99 has no static assertion. */
#define PIN(name, condition) typedef char pin_##name[(condition) ? 1 : -1]

#include "numbers.h"

PIN(authorization_max, CLAZAR_AUTHORIZATION_MAX == 8008);
PIN(sealed_max, CLAZAR_SEALED_MAX == 10240);
PIN(status, sizeof(clazar_status) == 4 && (clazar_status)-1 < 0);
PIN(event, sizeof(clazar_event) == 4 && (clazar_event)-1 < 0);

int main(void) { return 0; }
