/* The numbers and sizes that programs are compiled with. A line of this file never changes,
 * but for the size of clazar_stats when fields are added at its end. */
#include "check.h"

/* C99 has no static assertion. */
#define PIN(name, condition) typedef char pin_##name[(condition) ? 1 : -1]

PIN(clazar_authorization_max, CLAZAR_AUTHORIZATION_MAX == 8008);
PIN(clazar_sealed_max, CLAZAR_SEALED_MAX == 10240);
PIN(clazar_ok, CLAZAR_OK == 0);
PIN(clazar_err_invalid_argument, CLAZAR_ERR_INVALID_ARGUMENT == 1);
PIN(clazar_err_buffer_too_small, CLAZAR_ERR_BUFFER_TOO_SMALL == 2);
PIN(clazar_err_transport, CLAZAR_ERR_TRANSPORT == 3);
PIN(clazar_err_timeout, CLAZAR_ERR_TIMEOUT == 4);
PIN(clazar_err_tls, CLAZAR_ERR_TLS == 5);
PIN(clazar_err_credentials, CLAZAR_ERR_CREDENTIALS == 6);
PIN(clazar_err_rate_limited, CLAZAR_ERR_RATE_LIMITED == 7);
PIN(clazar_err_rejected, CLAZAR_ERR_REJECTED == 8);
PIN(clazar_err_server, CLAZAR_ERR_SERVER == 9);
PIN(clazar_err_invalid_response, CLAZAR_ERR_INVALID_RESPONSE == 10);
PIN(clazar_err_store, CLAZAR_ERR_STORE == 11);
PIN(clazar_err_closed, CLAZAR_ERR_CLOSED == 12);
PIN(clazar_err_internal, CLAZAR_ERR_INTERNAL == 13);
PIN(clazar_event_refreshed, CLAZAR_EVENT_REFRESHED == 1);
PIN(clazar_event_refresh_failed, CLAZAR_EVENT_REFRESH_FAILED == 2);
PIN(clazar_event_stale_served, CLAZAR_EVENT_STALE_SERVED == 3);
PIN(clazar_event_store_trouble, CLAZAR_EVENT_STORE_TROUBLE == 4);
PIN(clazar_event_fallback_used, CLAZAR_EVENT_FALLBACK_USED == 5);
PIN(clazar_event_trust_warning, CLAZAR_EVENT_TRUST_WARNING == 6);

PIN(status, sizeof(clazar_status) == 4 && (clazar_status)-1 < 0);
PIN(event, sizeof(clazar_event) == 4 && (clazar_event)-1 < 0);

#if SIZE_MAX == UINT64_MAX
PIN(stats, sizeof(clazar_stats) == 128);
PIN(stats_size, offsetof(clazar_stats, size) == 0);
PIN(stats_empty_succeeded, offsetof(clazar_stats, empty_succeeded) == 8);
PIN(stats_empty_failed, offsetof(clazar_stats, empty_failed) == 16);
PIN(stats_ahead_succeeded, offsetof(clazar_stats, ahead_succeeded) == 24);
PIN(stats_ahead_failed, offsetof(clazar_stats, ahead_failed) == 32);
PIN(stats_refresh_succeeded, offsetof(clazar_stats, refresh_succeeded) == 40);
PIN(stats_refresh_failed, offsetof(clazar_stats, refresh_failed) == 48);
PIN(stats_invalidated_succeeded, offsetof(clazar_stats, invalidated_succeeded) == 56);
PIN(stats_invalidated_failed, offsetof(clazar_stats, invalidated_failed) == 64);
PIN(stats_waited, offsetof(clazar_stats, waited) == 72);
PIN(stats_served_stale, offsetof(clazar_stats, served_stale) == 80);
PIN(stats_invalidations, offsetof(clazar_stats, invalidations) == 88);
PIN(stats_store_hits, offsetof(clazar_stats, store_hits) == 96);
PIN(stats_store_misses, offsetof(clazar_stats, store_misses) == 104);
PIN(stats_expires_in_ms, offsetof(clazar_stats, expires_in_ms) == 112);
PIN(stats_backoff_ms, offsetof(clazar_stats, backoff_ms) == 120);
#endif

int main(void) {
    return 0;
}
