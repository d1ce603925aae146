// Gets a URL of the Clazar API from Node.js: the token comes through the C interface, with koffi.
//
//     npm install koffi
//     node get.mjs https://api.clazar.io/listings/
//
// CLAZAR_AUTH_LIBRARY is the path of libclazar_auth.so.0 where the system does not find it.
import { promisify } from "node:util";
import koffi from "koffi";

const library = koffi.load(process.env.CLAZAR_AUTH_LIBRARY ?? "libclazar_auth.so.0");
for (const handle of ["config", "provider", "token", "error"]) koffi.opaque(`clazar_${handle}`);
const declare = (prototype) => library.func(prototype);
const newFromEnv = declare("int clazar_config_new_from_env(_Out_ clazar_config **config, _Out_ clazar_error **error)");
const configFree = declare("void clazar_config_free(clazar_config *config)");
const providerNew = declare("int clazar_provider_new(clazar_config *config, _Out_ clazar_provider **provider, _Out_ clazar_error **error)");
const providerFree = declare("void clazar_provider_free(clazar_provider *provider)");
const providerToken = declare("int clazar_provider_token(clazar_provider *provider, _Out_ clazar_token **token, _Out_ clazar_error **error)");
const checkUrl = declare("int clazar_provider_check_url(clazar_provider *provider, const char *url, _Out_ clazar_error **error)");
const invalidate = declare("int clazar_provider_invalidate(clazar_provider *provider, clazar_token *token, void *error)");
const authorization = declare("const char *clazar_token_authorization(clazar_token *token, void *length)");
const tokenFree = declare("void clazar_token_free(clazar_token *token)");
const message = declare("const char *clazar_error_message(clazar_error *error)");
const errorFree = declare("void clazar_error_free(clazar_error *error)");

/** Throws the error that a function handed out. */
function check(status, error) {
  if (status === 0) return;
  const text = message(error[0]);
  errorFree(error[0]);
  throw new Error(text);
}

/** A provider with the options that the environment holds. */
function makeProvider() {
  const [config, provider, error] = [[null], [null], [null]];
  check(newFromEnv(config, error), error);
  try {
    check(providerNew(config[0], provider, error), error);
  } finally {
    configFree(config[0]);
  }
  return provider[0];
}

/** Calls `work` with a token, which is got on a thread of koffi's: the event loop goes on meanwhile. */
async function withToken(provider, work) {
  const [token, error] = [[null], [null]];
  check(await promisify(providerToken.async)(provider, token, error), error);
  try {
    return await work(token[0]);
  } finally {
    tokenFree(token[0]);
  }
}

/** The answer to a GET request, which is made once more with another token after a 401. */
async function get(provider, url, mayRetry = true) {
  const error = [null];
  check(checkUrl(provider, url, error), error);
  const response = await withToken(provider, async (token) => {
    const answer = await fetch(url, { headers: { Authorization: authorization(token, null) }, redirect: "manual" });
    if (answer.status === 401) invalidate(provider, token, null);
    return answer;
  });
  return response.status === 401 && mayRetry ? get(provider, url, false) : response;
}

const url = process.argv[2];
if (url === undefined) {
  console.error("usage: node get.mjs URL");
  process.exit(2);
}
const provider = makeProvider();
try {
  const response = await get(provider, url);
  console.log(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  providerFree(provider);
}
