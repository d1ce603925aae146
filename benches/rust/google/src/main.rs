//! google-cloud-auth with a refresh token, its one flow with a token URL of one's own. It has no call for a new token,
//! so each request makes new credentials.

use google_cloud_auth::credentials::{CacheableResource, Credentials, user_account};
use http::{Extensions, HeaderMap};
use protocol::{Subject, variable};
use serde_json::json;
use tokio::runtime::Runtime;

struct Google {
    runtime: Runtime,
    credentials: Credentials,
}

/// Starts a task that gets a token at once.
fn credentials() -> Credentials {
    let user = json!({
        "type": "authorized_user",
        "client_id": variable("CLAZAR_CLIENT_ID"),
        "client_secret": variable("CLAZAR_CLIENT_SECRET"),
        "refresh_token": "not-a-real-refresh-token",
        "token_uri": variable("CLAZAR_AUTH_URL"),
    });
    user_account::Builder::new(user).build().unwrap()
}

async fn headers(credentials: &Credentials) -> Result<HeaderMap, String> {
    match credentials.headers(Extensions::new()).await {
        Ok(CacheableResource::New { data, .. }) => Ok(data),
        Ok(CacheableResource::NotModified) => unreachable!("no tag was given"),
        Err(error) => Err(error.to_string()),
    }
}

impl Subject for Google {
    fn authorization(&self) -> Result<String, String> {
        let headers = self.runtime.block_on(headers(&self.credentials))?;
        Ok(headers["authorization"].to_str().unwrap().to_owned())
    }

    fn request(&self) {
        self.runtime.block_on(async { headers(&credentials()).await }).unwrap();
    }

    fn cached(&self, _way: &str, calls: usize) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                std::hint::black_box(headers(&self.credentials).await.unwrap());
            }
        });
    }
}

fn main() {
    protocol::run(|| {
        let runtime = Runtime::new().unwrap();
        let credentials = runtime.block_on(async { credentials() });
        Google { runtime, credentials }
    });
}
