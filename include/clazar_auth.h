/**
 * @file
 * clazar-auth: access tokens for the Clazar API, fetched once, kept fresh, kept secret.
 *
 * A provider requests an access token with a client id and secret, keeps it, renews it in time, and
 * hands out the value of the Authorization header. A complete program:
 *
 *     #include <clazar_auth.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         clazar_config *config = NULL;
 *         clazar_provider *provider = NULL;
 *         clazar_error *error = NULL;
 *         char header[CLAZAR_AUTHORIZATION_MAX];
 *
 *         if (clazar_config_new_from_env(&config, &error) == CLAZAR_OK &&
 *             clazar_provider_new(config, &provider, &error) == CLAZAR_OK &&
 *             clazar_provider_authorization(provider, header, sizeof header, NULL, &error) ==
 *                 CLAZAR_OK)
 *             puts("ready to send Authorization: Bearer ...");
 *         else
 *             fprintf(stderr, "%s\n", clazar_error_message(error));
 *
 *         const int status = error == NULL ? 0 : 1;
 *         clazar_memzero(header, sizeof header);
 *         clazar_error_free(error);
 *         clazar_provider_free(provider);
 *         clazar_config_free(config);
 *         return status;
 *     }
 *
 * Errors: functions that can fail return a clazar_status, and their results come through
 * out-parameters, which are set to NULL on failure. `error` may be NULL. An error that is handed
 * out belongs to the caller; what `*error` held before the call is not freed. An option that a
 * clazar_config_set_ function could not set makes clazar_provider_new and clazar_authenticate fail
 * with the reason, until it is set. No panic or signal comes out of the library, and no SIGPIPE; it
 * writes nothing to standard output or standard error, except before it aborts (see Memory). Any call
 * may change errno, as with most of POSIX; clazar_provider_authorization with a fresh token leaves it
 * alone.
 *
 * Ownership: text goes in as NUL-terminated UTF-8 of at most 64 KiB and is copied. Text comes out
 * NUL-terminated and stays valid as long as the handle that it came from. Every handle has a _free
 * function, which takes NULL; nothing is for the caller's own free().
 *
 * Threads: a clazar_config is for one thread at a time. All other handles may be used by any number
 * of threads at once, whether a parameter is const or not; only _free needs to be the last use of a
 * handle. No function may be called from a signal handler. Stacks of 64 KiB are enough, but for
 * clazar_authenticate, which makes its request on the calling thread and needs 256 KiB; callbacks
 * have 1 MiB. Deferred cancellation (pthread_cancel) is put off until the call has returned;
 * asynchronous cancellation is not supported. The library's own threads block all signals, and each
 * ends with its work; their names begin with "clazar-". A resolver that hangs keeps at most two
 * threads for each host; a token request that was given up keeps its thread for as long as a system
 * call hangs. The library stays loaded after dlclose().
 *
 * fork: a child goes on with the provider and its token, even if a token request was under way in
 * the parent. Locks are not shared, and connections are closed in the child. Without a store, each
 * process makes its own token requests. This library cannot release what the C library has locked at
 * that moment: after a fork in the middle of a process's first getaddrinfo, glibc's lookups in the
 * child end with CLAZAR_ERR_TIMEOUT. _Fork() runs no fork handlers, so that its child has the parent's
 * connections until it calls exec, and may find malloc() locked for ever: there, as POSIX says, only
 * functions that are async-signal-safe may be called, and none of these is. In a child of vfork()
 * nothing but exec and _exit may be called.
 *
 * Memory: where malloc() fails, blocks of up to 64 KiB come from 768 KiB of the library's own, which
 * take up no memory until then. A token request fails with CLAZAR_ERR_TRANSPORT, and so does each that
 * would start while there is no memory; a valid token stays in use. The 768 KiB are enough for all
 * that a handful of token requests do at a time. If they are used up too, the library says so on
 * standard error and aborts, as Rust programs do. glibc itself aborts when it has no memory to note
 * down that a thread uses the library.
 *
 * Secrets: the client secret and the token are in pages of their own, which are locked as far as
 * RLIMIT_MEMLOCK allows (mlock), which they take up, and left out of core files. What the library frees it wipes: after the
 * last _free, and the end of a token request that is under way, neither is left. A caller wipes its
 * own copies with clazar_memzero.
 *
 * Environment: a variable is read only where the function says so, and never changed. In a process
 * that is set-user-ID or set-group-ID, or has file capabilities (AT_SECURE), all count as unset.
 *
 * Windows: what is said of fork, signals, cancellation, SIGPIPE and set-user-ID does not apply. Paths are UTF-8
 * there too. The secret and the token are locked in memory (VirtualLock), but a full dump has them; the
 * library stays loaded after FreeLibrary().
 *
 * ABI: functions are never removed or changed while the soname stays libclazar_auth.so.0; numbers
 * keep their meaning and are not reused; CLAZAR_AUTHORIZATION_MAX and CLAZAR_SEALED_MAX suffice for
 * the functions that fill a buffer; clazar_stats and clazar_event_info grow at their ends only, and
 * say how much of them is filled in. A later library therefore takes the place of an earlier one
 * without a new build. Later versions may add functions, statuses and events: treat an unknown status
 * as an error, and ignore an unknown event.
 */


#ifndef CLAZAR_AUTH_H
#define CLAZAR_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; that of the library is `clazar_version()`. */
#define CLAZAR_AUTH_VERSION "0.1.0"

/** Its first number. */
#define CLAZAR_AUTH_VERSION_MAJOR 0

/** Its second number. */
#define CLAZAR_AUTH_VERSION_MINOR 1

/** Its third number. */
#define CLAZAR_AUTH_VERSION_PATCH 0

/** All three in one: `major << 16 | minor << 8 | patch`, as `clazar_version_number()`. */
#define CLAZAR_AUTH_VERSION_NUMBER 0x000100

/** Whether this header is of the version that is given or of a later one, for an `#if`. */
#define CLAZAR_AUTH_AT_LEAST(major, minor, patch) \
    (CLAZAR_AUTH_VERSION_NUMBER >= ((major) << 16 | (minor) << 8 | (patch)))

/* How functions are declared. On Windows they are imported from the DLL; a program that links the static
 * library defines CLAZAR_STATIC. */
#if defined(_WIN32) && defined(CLAZAR_STATIC)
#define CLAZAR_API
#elif defined(_WIN32)
#define CLAZAR_API __declspec(dllimport)
#elif defined(__GNUC__)
#define CLAZAR_API __attribute__((visibility("default")))
#else
#define CLAZAR_API
#endif

/* Compilers warn by it, and assume nothing of an argument. */
#if defined(__GNUC__)
#define CLAZAR_MUST_USE __attribute__((warn_unused_result))
#else
#define CLAZAR_MUST_USE
#endif

/* A program that defines CLAZAR_DISABLE_DEPRECATION is not warned of what is deprecated. */
#if defined(__GNUC__) && !defined(CLAZAR_DISABLE_DEPRECATION)
#define CLAZAR_DEPRECATED(text) __attribute__((deprecated(text)))
#else
#define CLAZAR_DEPRECATED(text)
#endif

/* Of a pointer that must not be NULL, and of a buffer, which is parameter `n`, that has as many bytes
 * as parameter `m` says. */
#if defined(__clang__)
#define CLAZAR_NONNULL _Nonnull
#define CLAZAR_BUFFER(mode, n, buffer, m, size)                           \
    __attribute__((diagnose_if(__builtin_object_size(buffer, 0) < (size), \
                               "the buffer is smaller than this size", "warning")))
#elif defined(__GNUC__) && __GNUC__ >= 10
#define CLAZAR_NONNULL
#define CLAZAR_BUFFER(mode, n, buffer, m, size) __attribute__((access(mode, n, m)))
#else
#define CLAZAR_NONNULL
#define CLAZAR_BUFFER(mode, n, buffer, m, size)
#endif

/* What a strict compiler has to say of the above, and of a type that is an enum in C++ alone. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgcc-compat"
#pragma clang diagnostic ignored "-Wnullability-completeness"
#pragma clang diagnostic ignored "-Wnullability-extension"
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wc++-compat"
#endif

/* ---- Types and constants ---- */

/**
 * The size of a buffer that is always large enough for `clazar_provider_authorization`: "Bearer ",
 * 8,000 characters and a NUL. It is no limit of a token: should a later version accept longer ones,
 * only `clazar_provider_token` gives them.
 */
#define CLAZAR_AUTHORIZATION_MAX 8008

/**
 * The size of a buffer that holds any sealed token.
 */
#define CLAZAR_SEALED_MAX 10240

/**
 * What a function returns. Numbers are never reused, and later versions may add some: any `int32_t` is
 * a value of this type.
 */
enum clazar_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    CLAZAR_OK = 0,
    /**
     * An argument, an option or an environment variable is missing or unusable.
     */
    CLAZAR_ERR_INVALID_ARGUMENT = 1,
    /**
     * The caller's buffer is too small; nothing was written to it.
     */
    CLAZAR_ERR_BUFFER_TOO_SMALL = 2,
    /**
     * Name lookup, connect, reset or proxy: the API was not reached, or its answer broke off.
     * Retryable.
     */
    CLAZAR_ERR_TRANSPORT = 3,
    /**
     * The API did not answer in time, or answered 408. Retryable.
     */
    CLAZAR_ERR_TIMEOUT = 4,
    /**
     * The server's certificate was refused, or TLS failed otherwise.
     */
    CLAZAR_ERR_TLS = 5,
    /**
     * The API refused the client id or the secret (401, 403 with a JSON body, `invalid_client`).
     */
    CLAZAR_ERR_CREDENTIALS = 6,
    /**
     * The API limits the rate of token requests (429). Retryable.
     */
    CLAZAR_ERR_RATE_LIMITED = 7,
    /**
     * Another 4xx answer, or a redirect.
     */
    CLAZAR_ERR_REJECTED = 8,
    /**
     * A 5xx answer, or 425. Retryable.
     */
    CLAZAR_ERR_SERVER = 9,
    /**
     * The answer is not a token.
     */
    CLAZAR_ERR_INVALID_RESPONSE = 10,
    /**
     * The store cannot be used. Retryable.
     */
    CLAZAR_ERR_STORE = 11,
    /**
     * The provider is closed.
     */
    CLAZAR_ERR_CLOSED = 12,
    /**
     * A bug in this library, caught at its boundary.
     */
    CLAZAR_ERR_INTERNAL = 13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum clazar_status clazar_status;
#else
typedef int32_t clazar_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What happened: one of the `CLAZAR_EVENT_*`. Numbers are never reused, and later versions may add
 * some.
 */
enum clazar_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * A new token is in use.
     */
    CLAZAR_EVENT_REFRESHED = 1,
    /**
     * A token request failed.
     */
    CLAZAR_EVENT_REFRESH_FAILED = 2,
    /**
     * A token whose renewal failed or is late was handed out, for the first time.
     */
    CLAZAR_EVENT_STALE_SERVED = 3,
    /**
     * The store cannot be used, or what it holds cannot; the token comes from a request instead.
     */
    CLAZAR_EVENT_STORE_ERROR = 4,
    /**
     * The client secret was refused, and its fallback is used from now on.
     */
    CLAZAR_EVENT_FALLBACK_USED = 5,
    /**
     * A part of what is to be trusted, such as a folder that `SSL_CERT_DIR` names, was skipped or
     * could not be read.
     */
    CLAZAR_EVENT_TRUST_WARNING = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum clazar_event clazar_event;
#else
typedef int32_t clazar_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The severity of an event: one of the `CLAZAR_LEVEL_*`; a smaller number is more severe. What is
 * at most `CLAZAR_LEVEL_WARN` is worth a look. Numbers are never reused, and later versions may
 * add some.
 */
enum clazar_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Something is wrong; the provider goes on as well as it can.
     */
    CLAZAR_LEVEL_WARN = 2,
    /**
     * All is well.
     */
    CLAZAR_LEVEL_INFO = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum clazar_level clazar_level;
#else
typedef int32_t clazar_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a token request is made: one of the `CLAZAR_CAUSE_*`. Numbers are never reused, and later
 * versions may add some.
 */
enum clazar_cause
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Because there was no valid token.
     */
    CLAZAR_CAUSE_EMPTY = 1,
    /**
     * Before a valid token expires.
     */
    CLAZAR_CAUSE_PROACTIVE = 2,
    /**
     * Because of a call of refresh.
     */
    CLAZAR_CAUSE_REFRESH = 3,
    /**
     * Because a token was invalidated.
     */
    CLAZAR_CAUSE_INVALIDATED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum clazar_cause clazar_cause;
#else
typedef int32_t clazar_cause;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Options for `clazar_provider_new` and `clazar_authenticate`, which check them.
 * For one thread at a time.
 */
typedef struct clazar_config clazar_config;

/**
 * Why a function failed. Immutable: any number of threads may read it.
 */
typedef struct clazar_error clazar_error;

/**
 * Hands out a valid token, and gets a new one when it is due. Reference counted, and safe to use
 * from any number of threads at once.
 *
 * After fork() the child goes on with the provider and with its token, even if a token request was
 * under way in the parent; each process then makes its own token requests.
 */
typedef struct clazar_provider clazar_provider;

/**
 * An access token. Immutable: any number of threads may read it.
 */
typedef struct clazar_token clazar_token;

/**
 * An event: what happened, and how things were right after it. Later versions may add fields at the end.
 */
typedef struct clazar_event_info {
    /**
     * The size of the struct, in bytes: a field beyond it is not there.
     */
    size_t size;
    /**
     * What happened.
     */
    clazar_event kind;
    /**
     * Its severity, for a log that takes some events only.
     */
    clazar_level level;
    /**
     * The client id of the provider: NUL-terminated UTF-8, never NULL.
     */
    const char *client_id;
    /**
     * One sentence for a log: NUL-terminated UTF-8, never NULL. It names no secret, and of a token
     * eight hexadecimal digits of its SHA-256 hash.
     */
    const char *message;
    /**
     * Why the token request was made that this is about; 0 if it is about none.
     */
    clazar_cause cause;
    /**
     * What failed: the status that a function would return; `CLAZAR_OK` if nothing did.
     */
    clazar_status error_code;
    /**
     * The HTTP status code of the API's answer if that is the failure; 0 if not.
     */
    int32_t http_status;
    /**
     * After a failure, how long no token request is started, in milliseconds, rounded up; -1 if there was
     * none.
     */
    int64_t retry_after_ms;
    /**
     * How long the token in use remains valid, in milliseconds; -1 without one.
     */
    int64_t expires_in_ms;
} clazar_event_info;

/**
 * Takes an event, which is never NULL and valid during the call, as is all that it points to.
 *
 * It is called on a thread of the library, on which all signals are blocked; on several at once if
 * need be, so that an event may overtake another. If none can be started, the next one tells what has
 * happened since, the last 100 events at most. Those that waited for the token have it by then, no lock
 * is held, and nobody waits for the callback: it may call any function of the library, even close the
 * provider or free its last handle, and may take as long as it likes, though each event that it has not
 * returned from keeps its thread. It must return: a C++ exception must not leave it, nor may it call
 * `pthread_exit` or cancel its own thread, which aborts the process.
 */
typedef void (*clazar_event_callback)(void *context, const clazar_event_info *event);

/**
 * Frees what belongs to a callback. It may be called on any thread; a C++ exception must not leave
 * it.
 */
typedef void (*clazar_destroy_callback)(void *context);

/**
 * Called with a token, or with an error; the other one is NULL. The callback owns it, and frees it with
 * `clazar_token_free` or `clazar_error_free`, now or later.
 *
 * It runs on a thread of the library, on which all signals are blocked; no lock is held. It may call any
 * function of the library. All callbacks of a provider share that thread, so one that blocks keeps the
 * others waiting, though no caller of any other function: a program with an event loop hands the token
 * over and wakes its loop, by a write to a pipe or an eventfd. It must return: a C++ exception must not
 * leave it, nor may it call `pthread_exit` or cancel its own thread, which aborts the process.
 */
typedef void (*clazar_token_callback)(void *context, clazar_token *token, clazar_error *error);

/**
 * What a provider did since it was made, and how it is now. Begin with `CLAZAR_STATS_INIT`, or set
 * `size` to `sizeof(clazar_stats)` before the call; later versions may add fields at the end.
 *
 * A token request is counted when it has ended, with all its attempts, by its cause and its outcome.
 */
typedef struct clazar_stats {
    /**
     * In: the size of the struct, in bytes. Out: how many of them were filled in.
     */
    size_t size;
    /**
     * Token requests because there was no valid token, that succeeded.
     */
    uint64_t empty_succeeded;
    /**
     * Token requests because there was no valid token, that failed.
     */
    uint64_t empty_failed;
    /**
     * Token requests before a valid token expires, that succeeded.
     */
    uint64_t proactive_succeeded;
    /**
     * Token requests before a valid token expires, that failed.
     */
    uint64_t proactive_failed;
    /**
     * Token requests because of a call of refresh, that succeeded.
     */
    uint64_t refresh_succeeded;
    /**
     * Token requests because of a call of refresh, that failed.
     */
    uint64_t refresh_failed;
    /**
     * Token requests because a token was invalidated, that succeeded.
     */
    uint64_t invalidated_succeeded;
    /**
     * Token requests because a token was invalidated, that failed.
     */
    uint64_t invalidated_failed;
    /**
     * Calls that a token request under way was to serve: they waited for it, or had a time-out of
     * 0.
     */
    uint64_t waited;
    /**
     * Tokens handed out past their refresh point.
     */
    uint64_t served_stale;
    /**
     * Tokens taken out of use because of a call of invalidate.
     */
    uint64_t invalidations;
    /**
     * Tokens found in the store.
     */
    uint64_t store_hits;
    /**
     * Token requests made because the store had no usable token.
     */
    uint64_t store_misses;
    /**
     * How long the token in memory remains valid, in milliseconds; -1 without one.
     */
    int64_t expires_in_ms;
    /**
     * For how long no token request is started after a failure, in milliseconds; 0 if one may
     * start.
     */
    int64_t backoff_ms;
    /**
     * In how long a call will next start a token request, in milliseconds, rounded up; 0 if one
     * would now, while one is under way, or if the provider is closed. For a timer of the
     * program's own, set again when an event tells how the token request ended.
     */
    int64_t refresh_in_ms;
} clazar_stats;

/**
 * A `clazar_stats` that is ready for `clazar_provider_stats`: `clazar_stats stats = CLAZAR_STATS_INIT;`
 */
#define CLAZAR_STATS_INIT \
    {sizeof(clazar_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ---- Configurations ---- */

/**
 * Makes a configuration without credentials. No environment variable is read.
 *
 * @param config set to the new configuration, which the caller frees with `clazar_config_free`; NULL on
 *   failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or `CLAZAR_ERR_INVALID_ARGUMENT`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_config_new(clazar_config **CLAZAR_NONNULL config, clazar_error **error);

/**
 * Makes a configuration from the environment variables `CLAZAR_CLIENT_ID`, either
 * `CLAZAR_CLIENT_SECRET` or `CLAZAR_CLIENT_SECRET_FILE`, `CLAZAR_AUTH_URL` and `CLAZAR_STORE`,
 * which are read now and never again. Those that are unset may be set by the functions below.
 *
 * @param config set to the new configuration, which the caller frees with `clazar_config_free`; NULL on
 *   failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if a variable is not UTF-8.
 *
 * No other thread may change the environment during the call.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_config_new_from_env(clazar_config **CLAZAR_NONNULL config,
                                         clazar_error **error);

/**
 * Frees a configuration, and wipes the secret in it. NULL is allowed and does nothing.
 *
 * @param config a configuration, or NULL.
 *
 * Thread-safe, as the last use of this handle.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_config_free(clazar_config *config);

/* ---- Options ---- */

/**
 * Sets the client id.
 *
 * @param config the configuration to change.
 * @param client_id NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_client_id(clazar_config *CLAZAR_NONNULL config,
                                          const char *CLAZAR_NONNULL client_id);

/**
 * Sets the client secret; or give client_secret_file. The caller may wipe its own copy with
 * `clazar_memzero`.
 *
 * @param config the configuration to change.
 * @param client_secret NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_client_secret(clazar_config *CLAZAR_NONNULL config,
                                              const char *CLAZAR_NONNULL client_secret);

/**
 * Sets the path of a file that holds the client secret, in place of client_secret; one newline at
 * its end is dropped. It is read when the provider is made, and again when the API refuses the
 * secret; a changed one is then tried at once.
 *
 * @param config the configuration to change.
 * @param path NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_client_secret_file(clazar_config *CLAZAR_NONNULL config,
                                                   const char *CLAZAR_NONNULL path);

/**
 * Sets a second client secret, for the time of a rotation: it is tried once when the first is
 * refused, and the one that works stays in use. The caller may wipe its own copy with
 * `clazar_memzero`.
 *
 * @param config the configuration to change.
 * @param client_secret_fallback NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_client_secret_fallback(clazar_config *CLAZAR_NONNULL config,
                                                       const char *CLAZAR_NONNULL client_secret_fallback);

/**
 * Sets where to authenticate: https, or http to a loopback host. Default:
 * "https://api.clazar.io/authenticate/", whose trailing slash matters.
 *
 * @param config the configuration to change.
 * @param url NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_auth_url(clazar_config *CLAZAR_NONNULL config,
                                         const char *CLAZAR_NONNULL url);

/**
 * Sets the path of a PEM file of CA certificates to trust besides the system's, or of a folder of
 * such files. It is read when the provider is made, and again when it has changed or a certificate
 * was refused.
 *
 * @param config the configuration to change.
 * @param path NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_ca_file(clazar_config *CLAZAR_NONNULL config,
                                        const char *CLAZAR_NONNULL path);

/**
 * Sets the URL of an HTTP proxy for https, such as "http://user:password@proxy:3128"; an empty
 * text means none. Default: the environment's `HTTPS_PROXY`, except for the hosts in `NO_PROXY`.
 *
 * @param config the configuration to change.
 * @param url NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_proxy(clazar_config *CLAZAR_NONNULL config,
                                      const char *CLAZAR_NONNULL url);

/**
 * Sets the limit for one token request with all its attempts, above zero and at most a day.
 * Default: 20 seconds.
 *
 * @param config the configuration to change.
 * @param timeout_ms milliseconds.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_timeout_ms(clazar_config *CLAZAR_NONNULL config,
                                           uint64_t timeout_ms);

/**
 * Sets the User-Agent header (RFC 9110 section 10.1.5). Default: "clazar-auth/<version>".
 *
 * @param config the configuration to change.
 * @param user_agent NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_user_agent(clazar_config *CLAZAR_NONNULL config,
                                           const char *CLAZAR_NONNULL user_agent);

/**
 * Sets the hosts to which the token may go, each as "host" or "host:port", with port 443 unless
 * another is named, without wildcards. Default: "api.clazar.io", and the host and port of
 * auth_url.
 *
 * @param config the configuration to change.
 * @param allowed_hosts `count` NUL-terminated UTF-8 texts, which are copied, and which
 * `clazar_provider_new` checks. With a `count` of 0 it may be NULL, and the token may go nowhere.
 * @param count how many there are.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument or a text is NULL, or a
 * text is not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_allowed_hosts(clazar_config *CLAZAR_NONNULL config,
                                              const char *const *allowed_hosts,
                                              size_t count);

/**
 * Sets where to keep the token besides memory, for other processes: "memory" (nowhere else),
 * "file" (a file that only this user can read, in the folder clazar-auth of `$XDG_RUNTIME_DIR`,
 * else of `$XDG_CACHE_HOME`, else of ~/.cache; on Windows of `%LOCALAPPDATA%`), the absolute path
 * of a folder that no other user may enter, or the URL of a Redis or Valkey, such as
 * "rediss://user:password@host:6379/0" (without TLS only on this machine, unless the URL ends in
 * "?plaintext=yes"), of a cluster ("rediss+cluster://node,node") or of sentinels
 * ("rediss+sentinel://host,host/master"). The token is sealed with the client secret, which must
 * have at least 32 characters. Default: "memory".
 *
 * @param config the configuration to change.
 * @param store NUL-terminated UTF-8, which is copied.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if an argument is NULL, not UTF-8 or longer than 64 KiB.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_store(clazar_config *CLAZAR_NONNULL config,
                                      const char *CLAZAR_NONNULL store);

/**
 * Sets whether the environment may name a proxy (`HTTPS_PROXY`, `NO_PROXY`), the CA certificates
 * to trust in place of the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`), and the folder of the store
 * "file"; if not, that store cannot be used. The library's own variables, such as
 * `CLAZAR_CLIENT_ID`, are read by the functions that say so, whatever this option is. Default:
 * `true`.
 *
 * @param config the configuration to change.
 * @param on true or false.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API clazar_status clazar_config_set_trust_env(clazar_config *CLAZAR_NONNULL config, bool on);

/**
 * Sets whether to trust the system's CA certificates, or those that `SSL_CERT_FILE` and
 * `SSL_CERT_DIR` name in their place; otherwise those of ca_file alone. Default: `true`.
 *
 * @param config the configuration to change.
 * @param on true or false.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_system_roots(clazar_config *CLAZAR_NONNULL config, bool on);

/* ---- Events ---- */

/**
 * Sets the function that gets the events of each provider made with this configuration; it replaces one
 * set before. A provider keeps the callback and the context that it was made with: two of one
 * configuration are told apart by another context, set before the second `clazar_provider_new`.
 *
 * @param config the configuration to change.
 * @param callback what to call; NULL for none.
 * @param context passed to it as it is; any thread may use it. May be NULL.
 * @param destroy called once with `context`, after the last event: when the configuration is freed or
 *   got another callback, all handles on providers made with it are freed, and no token request
 *   is under way. May be NULL.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if `config` is NULL; `destroy` is then not
 *   called.
 *
 * For one thread at a time, as all that changes a configuration.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_config_set_event_callback(clazar_config *CLAZAR_NONNULL config,
                                               clazar_event_callback callback,
                                               void *context,
                                               clazar_destroy_callback destroy);

/* ---- Providers ---- */

/**
 * Makes a provider. No request is sent before the first token is asked for.
 *
 * Reads the environment variables `HTTPS_PROXY` and `NO_PROXY` unless a proxy is set, and
 * `SSL_CERT_FILE` and `SSL_CERT_DIR`, and with the store "file" those that name its folder, now and
 * never again; none of them counts with `clazar_config_set_trust_env` off. The files that
 * `SSL_CERT_FILE` and `SSL_CERT_DIR` name are read with the first connection over TLS, and again when
 * they have changed or a certificate was refused.
 *
 * @param config the configuration; it may be changed or freed afterwards.
 * @param provider set to the provider, which the caller frees with `clazar_provider_free`; NULL on
 *   failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK`, `CLAZAR_ERR_INVALID_ARGUMENT` for an option that cannot work, or
 *   `CLAZAR_ERR_TRANSPORT` if a file cannot be read now and may be later, or memory is short.
 *
 * Thread-safe, as long as no other thread changes `config` or the environment.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_new(const clazar_config *CLAZAR_NONNULL config,
                                  clazar_provider **CLAZAR_NONNULL provider,
                                  clazar_error **error);

/**
 * Another handle on the same provider, to be freed like the first.
 *
 * @param provider a provider, or NULL.
 * @return the handle; NULL for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE clazar_provider *clazar_provider_clone(const clazar_provider *provider);

/**
 * Ends the token request under way and drops the token. From now on, and for those that wait, each
 * call for a token on any handle returns `CLAZAR_ERR_CLOSED`; `clazar_provider_peek` finds none.
 * The callbacks of `clazar_provider_token_async` that are pending are called with `CLAZAR_ERR_CLOSED`,
 * those whose token has come with that.
 * NULL and a closed provider are allowed, and nothing happens.
 *
 * @param provider a provider, or NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_provider_close(const clazar_provider *provider);

/**
 * Frees this handle; the last one wipes the token and the secret. A token request under way ends
 * by itself. NULL is allowed and does nothing.
 *
 * @param provider a provider, or NULL.
 *
 * Thread-safe, as the last use of this handle.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_provider_free(clazar_provider *provider);

/**
 * A valid token: from memory as long as it is fresh. When it is due, it is renewed in the
 * background. The calling thread waits for a token request only if there is no valid token, or for
 * at most a second while the token is expiring; all that wait at the same time share its token or
 * its failure.
 * No call waits longer than the time-out (`clazar_config_set_timeout_ms`) and a second, or with a
 * store three times the time-out and seven seconds, even if the request hangs: it is then given up with
 * `CLAZAR_ERR_TIMEOUT`, and a later call starts another.
 * After a failure, and until the next token request is due, callers without a valid token get the
 * error at once, and `clazar_error_retry_after_ms` says how long that is.
 *
 * @param provider a provider.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_token(const clazar_provider *CLAZAR_NONNULL provider,
                                    clazar_token **CLAZAR_NONNULL token,
                                    clazar_error **error);

/**
 * As `clazar_provider_token`, but this call waits no longer than `timeout_ms`. With 0 it never waits: it
 * gives a token that is available, and starts the token request that is due. A token request that
 * outlasts the wait goes on, for others and for the next call.
 *
 * @param provider a provider.
 * @param timeout_ms milliseconds; what is longer than `clazar_provider_token` would wait has no effect.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`; `CLAZAR_ERR_TIMEOUT`, which is
 *   retryable, when the wait has ended and there is no valid token.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_token_timeout(const clazar_provider *CLAZAR_NONNULL provider,
                                            uint64_t timeout_ms,
                                            clazar_token **CLAZAR_NONNULL token,
                                            clazar_error **error);

/**
 * The token in memory if it is valid, without any I/O.
 *
 * @param provider a provider.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL if there is
 *   none.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK`, even if there is no token, or `CLAZAR_ERR_INVALID_ARGUMENT`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_peek(const clazar_provider *CLAZAR_NONNULL provider,
                                   clazar_token **CLAZAR_NONNULL token,
                                   clazar_error **error);

/**
 * A token from a new token request, or from the one that is under way, for which it waits as long
 * as `clazar_provider_token` may. It ignores the provider's own back-off after a failure and, once in
 * 30 seconds, a wait that the server asked for. On failure a valid token stays in use.
 *
 * @param provider a provider.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_refresh(const clazar_provider *CLAZAR_NONNULL provider,
                                      clazar_token **CLAZAR_NONNULL token,
                                      clazar_error **error);

/**
 * As `clazar_provider_refresh`, but this call waits no longer than `timeout_ms`; with 0 it starts the token
 * request and never waits.
 *
 * @param provider a provider.
 * @param timeout_ms milliseconds; what is longer than `clazar_provider_refresh` would wait has no effect.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`; `CLAZAR_ERR_TIMEOUT`, which is
 *   retryable, when the wait has ended: the token request goes on.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_refresh_timeout(const clazar_provider *CLAZAR_NONNULL provider,
                                              uint64_t timeout_ms,
                                              clazar_token **CLAZAR_NONNULL token,
                                              clazar_error **error);

/**
 * Takes `token` out of use, because the API answered 401 to it. Nothing happens if the token in
 * use is already another, so each of many threads may call this; nor if a token was replaced for
 * this reason less than 30 seconds ago, since the API then refuses for another one. A 403 is no
 * reason to call this.
 *
 * @param provider a provider.
 * @param token the token that was refused.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or `CLAZAR_ERR_INVALID_ARGUMENT`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_provider_invalidate(const clazar_provider *CLAZAR_NONNULL provider,
                                         const clazar_token *CLAZAR_NONNULL token,
                                         clazar_error **error);

/**
 * Whether a request to `url` may carry the token: https, or http on this machine, to one of the
 * hosts of `clazar_config_set_allowed_hosts`. To be asked before a request to each URL that the
 * program did not write itself, such as one that an answer names.
 *
 * @param provider a provider; a closed one answers as well.
 * @param url NUL-terminated UTF-8.
 * @param error set to NULL, or to an error that the caller frees and that says why not; may be NULL.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` if the token must not go there.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_check_url(const clazar_provider *CLAZAR_NONNULL provider,
                                        const char *CLAZAR_NONNULL url,
                                        clazar_error **error);

/* ---- The value of the header ---- */

/**
 * Copies the value of the Authorization header, "Bearer <token>", into a buffer of the caller's:
 * the short way to what `clazar_provider_token` gives, with the same waits. With a fresh token it
 * takes no lock and makes no allocation.
 *
 * @param provider a provider.
 * @param buffer gets the text and a NUL, or nothing at all; may be NULL if `size` is 0.
 * @param size the buffer's size in bytes; `CLAZAR_AUTHORIZATION_MAX` is always enough.
 * @param length set to the length without the NUL; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size
 *   that is needed, the NUL included; with any other error to 0. May be NULL.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error.
 *
 * Thread-safe. The caller may wipe the buffer with `clazar_memzero` after use.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_authorization(const clazar_provider *CLAZAR_NONNULL provider,
                                            char *buffer,
                                            size_t size,
                                            size_t *length,
                                            clazar_error **error)
    CLAZAR_BUFFER(write_only, 2, buffer, 3, size);

/**
 * As `clazar_provider_authorization`, but this call waits no longer than `timeout_ms`; with 0 it never
 * waits, as `clazar_provider_token_timeout` says.
 *
 * @param provider a provider.
 * @param timeout_ms milliseconds; what is longer than `clazar_provider_authorization` would wait has no
 *   effect.
 * @param buffer gets the text and a NUL, or nothing at all; may be NULL if `size` is 0.
 * @param size the buffer's size in bytes; `CLAZAR_AUTHORIZATION_MAX` is always enough.
 * @param length set to the length without the NUL; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size
 *   that is needed, the NUL included; with any other error to 0. May be NULL.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error; `CLAZAR_ERR_TIMEOUT`, which is retryable, when the wait has ended and
 *   there is no valid token.
 *
 * Thread-safe. The caller may wipe the buffer with `clazar_memzero` after use.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_authorization_timeout(const clazar_provider *CLAZAR_NONNULL provider,
                                                    uint64_t timeout_ms,
                                                    char *buffer,
                                                    size_t size,
                                                    size_t *length,
                                                    clazar_error **error)
    CLAZAR_BUFFER(write_only, 3, buffer, 4, size);

/* ---- Sealed tokens ---- */

/**
 * Copies the token, got as `clazar_provider_token` gets it and sealed with the client secret, into
 * a buffer of the caller's: for keeping anywhere. Only a provider with the same client, URL and
 * secret can take it, with `clazar_provider_unseal`.
 *
 * @param provider a provider.
 * @param buffer gets the bytes, or nothing at all; may be NULL if `size` is 0.
 * @param size the buffer's size in bytes; `CLAZAR_SEALED_MAX` is always enough.
 * @param length set to the number of bytes; with `CLAZAR_ERR_BUFFER_TOO_SMALL` to the size that is
 *   needed; with any other error to 0. May be NULL.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error; `CLAZAR_ERR_INVALID_ARGUMENT` also for a client secret of
 *   fewer than 32 characters.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_seal(const clazar_provider *CLAZAR_NONNULL provider,
                                   uint8_t *buffer,
                                   size_t size,
                                   size_t *length,
                                   clazar_error **error)
    CLAZAR_BUFFER(write_only, 2, buffer, 3, size);

/**
 * Takes the token of a blob that `clazar_provider_seal` made into use, unless the one in use expires
 * later.
 *
 * @param provider a provider.
 * @param blob `size` bytes, which are copied.
 * @param size how many bytes `blob` has.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK`; `CLAZAR_ERR_INVALID_ARGUMENT` if the blob is not one of this client's and
 *   its present secret's, or if its token has expired or was invalidated; or `CLAZAR_ERR_CLOSED`.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API
clazar_status clazar_provider_unseal(const clazar_provider *CLAZAR_NONNULL provider,
                                     const uint8_t *CLAZAR_NONNULL blob,
                                     size_t size,
                                     clazar_error **error)
    CLAZAR_BUFFER(read_only, 2, blob, 3, size);

/* ---- Waiting without blocking ---- */

/**
 * A valid token, as `clazar_provider_token` gives it, without blocking the calling thread, however many
 * calls wait at a time. If a token is available it comes at once, through `token`, and nothing is called.
 * Otherwise `callback` is called exactly once, within the time that `clazar_provider_token` may take, and
 * maybe before this function has returned. `clazar_provider_close` has it called with
 * `CLAZAR_ERR_CLOSED`, unless its token has come, and maybe after `clazar_provider_close` has returned.
 * Freeing the provider ends no wait, and one wait cannot be cancelled. In a child that is forked
 * meanwhile it is not called.
 *
 * @param provider a provider.
 * @param callback what to call with the token or the error; must not be NULL.
 * @param context passed to it as it is; any thread may use it. May be NULL. It is the callback's to free
 *   if it is going to be called, and stays the caller's otherwise.
 * @param token set to the token if one is available, which the caller frees with `clazar_token_free`; NULL if
 *   `callback` is going to be called, and on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` if there is a token or `callback` is going to be called; any error but
 *   `CLAZAR_ERR_BUFFER_TOO_SMALL` if it is not.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_token_async(const clazar_provider *CLAZAR_NONNULL provider,
                                          clazar_token_callback callback,
                                          void *context,
                                          clazar_token **CLAZAR_NONNULL token,
                                          clazar_error **error);

/* ---- Tokens ---- */

/**
 * Requests a new token with the client id and secret: one token request on the calling thread, and
 * nothing is kept. A program that needs the token more than once is better served by a
 * `clazar_provider`, whose calls also end if a system call hangs.
 *
 * Reads the environment variables `HTTPS_PROXY` and `NO_PROXY` unless a proxy is set, and
 * `SSL_CERT_FILE` and `SSL_CERT_DIR`; none of them counts with `clazar_config_set_trust_env` off.
 * The store and the allowed hosts of `config` are for a provider, and have no effect here.
 *
 * @param config the configuration; it may be changed or freed afterwards.
 * @param token set to the token, which the caller frees with `clazar_token_free`; NULL on failure.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK` or any error but `CLAZAR_ERR_BUFFER_TOO_SMALL`, `CLAZAR_ERR_STORE` and
 *   `CLAZAR_ERR_CLOSED`.
 *
 * Thread-safe, as long as no other thread changes `config` or the environment.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_authenticate(const clazar_config *CLAZAR_NONNULL config,
                                  clazar_token **CLAZAR_NONNULL token,
                                  clazar_error **error);

/**
 * The token itself, without "Bearer".
 *
 * @param token a token, or NULL.
 * @param length set to the length without the NUL (0 for NULL); may be NULL.
 * @return NUL-terminated ASCII, valid as long as `token`; NULL for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API const char *clazar_token_value(const clazar_token *token, size_t *length);

/**
 * The value of the Authorization header, "Bearer <token>" (RFC 6750 section 2.1).
 *
 * @param token a token, or NULL.
 * @param length set to the length without the NUL (0 for NULL); may be NULL.
 * @return NUL-terminated ASCII, valid as long as `token`; NULL for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API const char *clazar_token_authorization(const clazar_token *token, size_t *length);

/**
 * When the token expires, by this machine's wall clock at the time of the token request.
 *
 * @param token a token, or NULL.
 * @return Unix seconds, rounded down; 0 for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API int64_t clazar_token_expires_at(const clazar_token *token);

/**
 * How long the token is still valid. Time that the machine was suspended counts.
 *
 * @param token a token, or NULL.
 * @return seconds, rounded down; 0 once it has expired, and for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API int64_t clazar_token_expires_in(const clazar_token *token);

/**
 * Another handle on the same token, to be freed like the first.
 *
 * @param token a token, or NULL.
 * @return the handle; NULL for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE clazar_token *clazar_token_clone(const clazar_token *token);

/**
 * Frees a token, and wipes it if nobody else holds it. NULL is allowed and does nothing.
 *
 * @param token a token, or NULL.
 *
 * Thread-safe, as the last use of this handle.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_token_free(clazar_token *token);

/* ---- Statistics ---- */

/**
 * What a provider did so far, and how it is now.
 *
 * @param provider a provider.
 * @param stats filled in as far as its `size` goes; nothing else of it is read.
 * @param error set to NULL, or to an error that the caller frees; may be NULL.
 * @return `CLAZAR_OK`, or `CLAZAR_ERR_INVALID_ARGUMENT` for a NULL or a `size` that is not set.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API CLAZAR_MUST_USE
clazar_status clazar_provider_stats(const clazar_provider *CLAZAR_NONNULL provider,
                                    clazar_stats *CLAZAR_NONNULL stats,
                                    clazar_error **error);

/* ---- Errors ---- */

/**
 * The status that the failed function returned; `CLAZAR_OK` for NULL.
 *
 * @param error an error, or NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API clazar_status clazar_error_code(const clazar_error *error);

/**
 * One sentence: what happened, where, and what to do next. It holds no secret and no token.
 *
 * @param error an error, or NULL.
 * @return NUL-terminated UTF-8, valid as long as the error; "" for NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API const char *clazar_error_message(const clazar_error *error);

/**
 * The HTTP status code of the API's answer; 0 if none came.
 *
 * @param error an error, or NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API int32_t clazar_error_http_status(const clazar_error *error);

/**
 * Whether the same call may succeed later, with nothing changed; false for NULL.
 *
 * @param error an error, or NULL.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API bool clazar_error_is_retryable(const clazar_error *error);

/**
 * How long to wait before the next call: until the provider that gave this error sends its next
 * request. From `clazar_authenticate`, which does not ask again, it is what the server asked for, up
 * to 300 seconds: `Retry-After` of a 429 or 503 (RFC 9110 section 10.2.3), or `x-ratelimit-reset` of
 * a 429.
 *
 * @param error an error, or NULL.
 * @return milliseconds, rounded up; -1 if there is nothing to wait for.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API int64_t clazar_error_retry_after_ms(const clazar_error *error);

/**
 * Frees an error. NULL is allowed and does nothing.
 *
 * @param error an error, or NULL.
 *
 * Thread-safe, as the last use of this handle.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_error_free(clazar_error *error);

/* ---- The library itself ---- */

/**
 * The name of a status, such as "CLAZAR_ERR_TIMEOUT"; "unknown status" for any other number.
 *
 * @param status a `clazar_status`, or any other number.
 * @return a text that stays valid for ever.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API const char *clazar_status_name(int32_t status);

/**
 * The version of the library, such as "0.1.0".
 *
 * @return a text that stays valid for ever.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API const char *clazar_version(void);

/**
 * The version of the library as a number that grows with each version: `major << 16 | minor << 8 |
 * patch`, to be compared with the `CLAZAR_AUTH_VERSION_NUMBER` that a program was compiled with.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API uint32_t clazar_version_number(void);

/**
 * Overwrites memory with zeros, in a way that no compiler leaves out: for the caller's own copies
 * of a secret or a token. NULL is allowed and does nothing.
 *
 * @param memory `size` bytes that nobody else uses at the same time, or NULL.
 * @param size how many bytes `memory` has.
 *
 * Thread-safe.
 *
 * @since 0.1.0
 */
CLAZAR_API void clazar_memzero(void *memory, size_t size)
    CLAZAR_BUFFER(write_only, 1, memory, 2, size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#if defined(__clang__)
#pragma clang diagnostic pop
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

#endif  /* CLAZAR_AUTH_H */
