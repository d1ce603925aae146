/* Generated from clazar_auth.h, for parsers without a preprocessor. */
enum { CLAZAR_AUTH_VERSION_NUMBER = 0x000100 };

enum {
    CLAZAR_AUTHORIZATION_MAX = 8008,
    CLAZAR_SEALED_MAX = 10240
};

enum clazar_status {
    CLAZAR_OK = 0,
    CLAZAR_ERR_INVALID_ARGUMENT = 1,
    CLAZAR_ERR_BUFFER_TOO_SMALL = 2,
    CLAZAR_ERR_TRANSPORT = 3,
    CLAZAR_ERR_TIMEOUT = 4,
    CLAZAR_ERR_TLS = 5,
    CLAZAR_ERR_CREDENTIALS = 6,
    CLAZAR_ERR_RATE_LIMITED = 7,
    CLAZAR_ERR_REJECTED = 8,
    CLAZAR_ERR_SERVER = 9,
    CLAZAR_ERR_INVALID_RESPONSE = 10,
    CLAZAR_ERR_STORE = 11,
    CLAZAR_ERR_CLOSED = 12,
    CLAZAR_ERR_INTERNAL = 13,
};
typedef int32_t clazar_status;

enum clazar_event {
    CLAZAR_EVENT_REFRESHED = 1,
    CLAZAR_EVENT_REFRESH_FAILED = 2,
    CLAZAR_EVENT_STALE_SERVED = 3,
    CLAZAR_EVENT_STORE_ERROR = 4,
    CLAZAR_EVENT_FALLBACK_USED = 5,
    CLAZAR_EVENT_TRUST_WARNING = 6,
};
typedef int32_t clazar_event;

enum clazar_level {
    CLAZAR_LEVEL_WARN = 2,
    CLAZAR_LEVEL_INFO = 3,
};
typedef int32_t clazar_level;

enum clazar_cause {
    CLAZAR_CAUSE_EMPTY = 1,
    CLAZAR_CAUSE_PROACTIVE = 2,
    CLAZAR_CAUSE_REFRESH = 3,
    CLAZAR_CAUSE_INVALIDATED = 4,
};
typedef int32_t clazar_cause;

typedef struct clazar_config clazar_config;

typedef struct clazar_error clazar_error;

typedef struct clazar_provider clazar_provider;

typedef struct clazar_token clazar_token;

typedef struct clazar_event_info {
    size_t size;
    clazar_event kind;
    clazar_level level;
    const char *client_id;
    const char *message;
    clazar_cause cause;
    clazar_status error_code;
    int32_t http_status;
    int64_t retry_after_ms;
    int64_t expires_in_ms;
} clazar_event_info;

typedef void (*clazar_event_callback)(void *context, const clazar_event_info *event);

typedef void (*clazar_destroy_callback)(void *context);

typedef void (*clazar_token_callback)(void *context, clazar_token *token, clazar_error *error);

typedef struct clazar_stats {
    size_t size;
    uint64_t empty_succeeded;
    uint64_t empty_failed;
    uint64_t proactive_succeeded;
    uint64_t proactive_failed;
    uint64_t refresh_succeeded;
    uint64_t refresh_failed;
    uint64_t invalidated_succeeded;
    uint64_t invalidated_failed;
    uint64_t waited;
    uint64_t served_stale;
    uint64_t invalidations;
    uint64_t store_hits;
    uint64_t store_misses;
    int64_t expires_in_ms;
    int64_t backoff_ms;
    int64_t refresh_in_ms;
} clazar_stats;

clazar_status clazar_config_new(clazar_config **config, clazar_error **error);

clazar_status clazar_config_new_from_env(clazar_config **config, clazar_error **error);

void clazar_config_free(clazar_config *config);

clazar_status clazar_config_set_client_id(clazar_config *config, const char *client_id);

clazar_status clazar_config_set_client_secret(clazar_config *config, const char *client_secret);

clazar_status clazar_config_set_client_secret_file(clazar_config *config, const char *path);

clazar_status clazar_config_set_client_secret_fallback(clazar_config *config,
                                                       const char *client_secret_fallback);

clazar_status clazar_config_set_auth_url(clazar_config *config, const char *url);

clazar_status clazar_config_set_ca_file(clazar_config *config, const char *path);

clazar_status clazar_config_set_proxy(clazar_config *config, const char *url);

clazar_status clazar_config_set_timeout_ms(clazar_config *config, uint64_t timeout_ms);

clazar_status clazar_config_set_user_agent(clazar_config *config, const char *user_agent);

clazar_status clazar_config_set_allowed_hosts(clazar_config *config,
                                              const char *const *allowed_hosts,
                                              size_t count);

clazar_status clazar_config_set_store(clazar_config *config, const char *store);

clazar_status clazar_config_set_trust_env(clazar_config *config, bool on);

clazar_status clazar_config_set_system_roots(clazar_config *config, bool on);

clazar_status clazar_config_set_event_callback(clazar_config *config,
                                               clazar_event_callback callback,
                                               void *context,
                                               clazar_destroy_callback destroy);

clazar_status clazar_provider_new(const clazar_config *config,
                                  clazar_provider **provider,
                                  clazar_error **error);

clazar_provider *clazar_provider_clone(const clazar_provider *provider);

void clazar_provider_close(const clazar_provider *provider);

void clazar_provider_free(clazar_provider *provider);

clazar_status clazar_provider_token(const clazar_provider *provider,
                                    clazar_token **token,
                                    clazar_error **error);

clazar_status clazar_provider_token_timeout(const clazar_provider *provider,
                                            uint64_t timeout_ms,
                                            clazar_token **token,
                                            clazar_error **error);

clazar_status clazar_provider_peek(const clazar_provider *provider,
                                   clazar_token **token,
                                   clazar_error **error);

clazar_status clazar_provider_refresh(const clazar_provider *provider,
                                      clazar_token **token,
                                      clazar_error **error);

clazar_status clazar_provider_refresh_timeout(const clazar_provider *provider,
                                              uint64_t timeout_ms,
                                              clazar_token **token,
                                              clazar_error **error);

clazar_status clazar_provider_invalidate(const clazar_provider *provider,
                                         const clazar_token *token,
                                         clazar_error **error);

clazar_status clazar_provider_check_url(const clazar_provider *provider,
                                        const char *url,
                                        clazar_error **error);

clazar_status clazar_provider_authorization(const clazar_provider *provider,
                                            char *buffer,
                                            size_t size,
                                            size_t *length,
                                            clazar_error **error);

clazar_status clazar_provider_authorization_timeout(const clazar_provider *provider,
                                                    uint64_t timeout_ms,
                                                    char *buffer,
                                                    size_t size,
                                                    size_t *length,
                                                    clazar_error **error);

clazar_status clazar_provider_seal(const clazar_provider *provider,
                                   uint8_t *buffer,
                                   size_t size,
                                   size_t *length,
                                   clazar_error **error);

clazar_status clazar_provider_unseal(const clazar_provider *provider,
                                     const uint8_t *blob,
                                     size_t size,
                                     clazar_error **error);

clazar_status clazar_provider_token_async(const clazar_provider *provider,
                                          clazar_token_callback callback,
                                          void *context,
                                          clazar_token **token,
                                          clazar_error **error);

clazar_status clazar_authenticate(const clazar_config *config,
                                  clazar_token **token,
                                  clazar_error **error);

const char *clazar_token_value(const clazar_token *token, size_t *length);

const char *clazar_token_authorization(const clazar_token *token, size_t *length);

int64_t clazar_token_expires_at(const clazar_token *token);

int64_t clazar_token_expires_in(const clazar_token *token);

clazar_token *clazar_token_clone(const clazar_token *token);

void clazar_token_free(clazar_token *token);

clazar_status clazar_provider_stats(const clazar_provider *provider,
                                    clazar_stats *stats,
                                    clazar_error **error);

clazar_status clazar_error_code(const clazar_error *error);

const char *clazar_error_message(const clazar_error *error);

int32_t clazar_error_http_status(const clazar_error *error);

bool clazar_error_is_retryable(const clazar_error *error);

int64_t clazar_error_retry_after_ms(const clazar_error *error);

void clazar_error_free(clazar_error *error);

const char *clazar_status_name(int32_t status);

const char *clazar_version(void);

uint32_t clazar_version_number(void);

void clazar_memzero(void *memory, size_t size);
