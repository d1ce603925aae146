/**
 * @file
 * The types of pointers to the functions of clazar_auth.h, for a program that loads the library
 * with dlopen():
 *
 *     clazar_provider_token_fn get_token;
 *     *(void **)&get_token = dlsym(library, "clazar_provider_token");
 *
 * On Windows it is LoadLibrary("clazar_auth.dll") and GetProcAddress(), which gives a pointer to a
 * function, to be cast to the type.
 */
#ifndef CLAZAR_AUTH_DLOPEN_H
#define CLAZAR_AUTH_DLOPEN_H

#include <clazar_auth.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Points to `clazar_config_new`. */
typedef clazar_status (*clazar_config_new_fn)(clazar_config **config, clazar_error **error);

/** Points to `clazar_config_new_from_env`. */
typedef clazar_status (*clazar_config_new_from_env_fn)(clazar_config **config,
                                                       clazar_error **error);

/** Points to `clazar_config_free`. */
typedef void (*clazar_config_free_fn)(clazar_config *config);

/** Points to `clazar_config_set_client_id`. */
typedef clazar_status (*clazar_config_set_client_id_fn)(clazar_config *config,
                                                        const char *client_id);

/** Points to `clazar_config_set_client_secret`. */
typedef clazar_status (*clazar_config_set_client_secret_fn)(clazar_config *config,
                                                            const char *client_secret);

/** Points to `clazar_config_set_client_secret_file`. */
typedef clazar_status (*clazar_config_set_client_secret_file_fn)(clazar_config *config,
                                                                 const char *path);

/** Points to `clazar_config_set_client_secret_fallback`. */
typedef clazar_status (*clazar_config_set_client_secret_fallback_fn)(clazar_config *config,
                                                                     const char *client_secret_fallback);

/** Points to `clazar_config_set_auth_url`. */
typedef clazar_status (*clazar_config_set_auth_url_fn)(clazar_config *config, const char *url);

/** Points to `clazar_config_set_ca_file`. */
typedef clazar_status (*clazar_config_set_ca_file_fn)(clazar_config *config, const char *path);

/** Points to `clazar_config_set_proxy`. */
typedef clazar_status (*clazar_config_set_proxy_fn)(clazar_config *config, const char *url);

/** Points to `clazar_config_set_timeout_ms`. */
typedef clazar_status (*clazar_config_set_timeout_ms_fn)(clazar_config *config,
                                                         uint64_t timeout_ms);

/** Points to `clazar_config_set_user_agent`. */
typedef clazar_status (*clazar_config_set_user_agent_fn)(clazar_config *config,
                                                         const char *user_agent);

/** Points to `clazar_config_set_allowed_hosts`. */
typedef clazar_status (*clazar_config_set_allowed_hosts_fn)(clazar_config *config,
                                                            const char *const *allowed_hosts,
                                                            size_t count);

/** Points to `clazar_config_set_store`. */
typedef clazar_status (*clazar_config_set_store_fn)(clazar_config *config, const char *store);

/** Points to `clazar_config_set_trust_env`. */
typedef clazar_status (*clazar_config_set_trust_env_fn)(clazar_config *config, bool on);

/** Points to `clazar_config_set_system_roots`. */
typedef clazar_status (*clazar_config_set_system_roots_fn)(clazar_config *config, bool on);

/** Points to `clazar_config_set_event_callback`. */
typedef clazar_status (*clazar_config_set_event_callback_fn)(clazar_config *config,
                                                             clazar_event_callback callback,
                                                             void *context,
                                                             clazar_destroy_callback destroy);

/** Points to `clazar_provider_new`. */
typedef clazar_status (*clazar_provider_new_fn)(const clazar_config *config,
                                                clazar_provider **provider,
                                                clazar_error **error);

/** Points to `clazar_provider_clone`. */
typedef clazar_provider *(*clazar_provider_clone_fn)(const clazar_provider *provider);

/** Points to `clazar_provider_close`. */
typedef void (*clazar_provider_close_fn)(const clazar_provider *provider);

/** Points to `clazar_provider_free`. */
typedef void (*clazar_provider_free_fn)(clazar_provider *provider);

/** Points to `clazar_provider_token`. */
typedef clazar_status (*clazar_provider_token_fn)(const clazar_provider *provider,
                                                  clazar_token **token,
                                                  clazar_error **error);

/** Points to `clazar_provider_token_timeout`. */
typedef clazar_status (*clazar_provider_token_timeout_fn)(const clazar_provider *provider,
                                                          uint64_t timeout_ms,
                                                          clazar_token **token,
                                                          clazar_error **error);

/** Points to `clazar_provider_peek`. */
typedef clazar_status (*clazar_provider_peek_fn)(const clazar_provider *provider,
                                                 clazar_token **token,
                                                 clazar_error **error);

/** Points to `clazar_provider_refresh`. */
typedef clazar_status (*clazar_provider_refresh_fn)(const clazar_provider *provider,
                                                    clazar_token **token,
                                                    clazar_error **error);

/** Points to `clazar_provider_refresh_timeout`. */
typedef clazar_status (*clazar_provider_refresh_timeout_fn)(const clazar_provider *provider,
                                                            uint64_t timeout_ms,
                                                            clazar_token **token,
                                                            clazar_error **error);

/** Points to `clazar_provider_invalidate`. */
typedef clazar_status (*clazar_provider_invalidate_fn)(const clazar_provider *provider,
                                                       const clazar_token *token,
                                                       clazar_error **error);

/** Points to `clazar_provider_check_url`. */
typedef clazar_status (*clazar_provider_check_url_fn)(const clazar_provider *provider,
                                                      const char *url,
                                                      clazar_error **error);

/** Points to `clazar_provider_authorization`. */
typedef clazar_status (*clazar_provider_authorization_fn)(const clazar_provider *provider,
                                                          char *buffer,
                                                          size_t size,
                                                          size_t *length,
                                                          clazar_error **error);

/** Points to `clazar_provider_authorization_timeout`. */
typedef clazar_status (*clazar_provider_authorization_timeout_fn)(const clazar_provider *provider,
                                                                  uint64_t timeout_ms,
                                                                  char *buffer,
                                                                  size_t size,
                                                                  size_t *length,
                                                                  clazar_error **error);

/** Points to `clazar_provider_seal`. */
typedef clazar_status (*clazar_provider_seal_fn)(const clazar_provider *provider,
                                                 uint8_t *buffer,
                                                 size_t size,
                                                 size_t *length,
                                                 clazar_error **error);

/** Points to `clazar_provider_unseal`. */
typedef clazar_status (*clazar_provider_unseal_fn)(const clazar_provider *provider,
                                                   const uint8_t *blob,
                                                   size_t size,
                                                   clazar_error **error);

/** Points to `clazar_provider_token_async`. */
typedef clazar_status (*clazar_provider_token_async_fn)(const clazar_provider *provider,
                                                        clazar_token_callback callback,
                                                        void *context,
                                                        clazar_token **token,
                                                        clazar_error **error);

/** Points to `clazar_authenticate`. */
typedef clazar_status (*clazar_authenticate_fn)(const clazar_config *config,
                                                clazar_token **token,
                                                clazar_error **error);

/** Points to `clazar_token_value`. */
typedef const char *(*clazar_token_value_fn)(const clazar_token *token, size_t *length);

/** Points to `clazar_token_authorization`. */
typedef const char *(*clazar_token_authorization_fn)(const clazar_token *token, size_t *length);

/** Points to `clazar_token_expires_at`. */
typedef int64_t (*clazar_token_expires_at_fn)(const clazar_token *token);

/** Points to `clazar_token_expires_in`. */
typedef int64_t (*clazar_token_expires_in_fn)(const clazar_token *token);

/** Points to `clazar_token_clone`. */
typedef clazar_token *(*clazar_token_clone_fn)(const clazar_token *token);

/** Points to `clazar_token_free`. */
typedef void (*clazar_token_free_fn)(clazar_token *token);

/** Points to `clazar_provider_stats`. */
typedef clazar_status (*clazar_provider_stats_fn)(const clazar_provider *provider,
                                                  clazar_stats *stats,
                                                  clazar_error **error);

/** Points to `clazar_error_code`. */
typedef clazar_status (*clazar_error_code_fn)(const clazar_error *error);

/** Points to `clazar_error_message`. */
typedef const char *(*clazar_error_message_fn)(const clazar_error *error);

/** Points to `clazar_error_http_status`. */
typedef int32_t (*clazar_error_http_status_fn)(const clazar_error *error);

/** Points to `clazar_error_is_retryable`. */
typedef bool (*clazar_error_is_retryable_fn)(const clazar_error *error);

/** Points to `clazar_error_retry_after_ms`. */
typedef int64_t (*clazar_error_retry_after_ms_fn)(const clazar_error *error);

/** Points to `clazar_error_free`. */
typedef void (*clazar_error_free_fn)(clazar_error *error);

/** Points to `clazar_status_name`. */
typedef const char *(*clazar_status_name_fn)(int32_t status);

/** Points to `clazar_version`. */
typedef const char *(*clazar_version_fn)(void);

/** Points to `clazar_version_number`. */
typedef uint32_t (*clazar_version_number_fn)(void);

/** Points to `clazar_memzero`. */
typedef void (*clazar_memzero_fn)(void *memory, size_t size);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif
