/* The numbers and sizes that programs are compiled with. */
#include "check.h"

/* C99 has no static assertion. */
#define PIN(name, condition) typedef char pin_##name[(condition) ? 1 : -1]

#include "numbers.h"

PIN(at_least, CLAZAR_AUTH_AT_LEAST(CLAZAR_AUTH_VERSION_MAJOR, CLAZAR_AUTH_VERSION_MINOR,
                                   CLAZAR_AUTH_VERSION_PATCH));
PIN(not_the_next, !CLAZAR_AUTH_AT_LEAST(CLAZAR_AUTH_VERSION_MAJOR, CLAZAR_AUTH_VERSION_MINOR,
                                        CLAZAR_AUTH_VERSION_PATCH + 1));
PIN(authorization_max, CLAZAR_AUTHORIZATION_MAX == 8008);
PIN(sealed_max, CLAZAR_SEALED_MAX == 10240);
PIN(status, sizeof(clazar_status) == 4 && (clazar_status)-1 < 0);
PIN(event, sizeof(clazar_event) == 4 && (clazar_event)-1 < 0);
PIN(level, sizeof(clazar_level) == 4 && (clazar_level)-1 < 0);
PIN(cause, sizeof(clazar_cause) == 4 && (clazar_cause)-1 < 0);

#if SIZE_MAX == UINT64_MAX
#define FIELD(name, offset) PIN(event_info_##name, offsetof(clazar_event_info, name) == (offset))
FIELD(size, 0);
FIELD(kind, 8);
FIELD(level, 12);
FIELD(client_id, 16);
FIELD(message, 24);
FIELD(cause, 32);
FIELD(error_code, 36);
FIELD(http_status, 40);
FIELD(retry_after_ms, 48);
FIELD(expires_in_ms, 56);
PIN(event_info, sizeof(clazar_event_info) == 64);
#endif

int main(void) { return 0; }
