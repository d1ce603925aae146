//! yup-oauth2 with a service account, its one flow with a token URL of one's own: each request signs an assertion.

use protocol::{Subject, variable};
use tokio::runtime::Runtime;
use yup_oauth2::authenticator::DefaultAuthenticator;
use yup_oauth2::{ServiceAccountAuthenticator, read_service_account_key};

const SCOPES: &[&str] = &["https://www.example.com/scope"];

struct Yup {
    runtime: Runtime,
    authenticator: DefaultAuthenticator,
}

impl Yup {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let authenticator = runtime.block_on(async {
            let key = read_service_account_key(variable("BENCH_SERVICE_ACCOUNT")).await.unwrap();
            ServiceAccountAuthenticator::builder(key).build().await.unwrap()
        });
        Self { runtime, authenticator }
    }
}

impl Subject for Yup {
    fn authorization(&self) -> Result<String, String> {
        let token = self.runtime.block_on(self.authenticator.token(SCOPES));
        let token = token.map_err(|error| error.to_string())?;
        Ok(format!("Bearer {}", token.token().unwrap()))
    }

    fn request(&self) {
        self.runtime.block_on(self.authenticator.force_refreshed_token(SCOPES)).unwrap();
    }

    fn cached(&self, _way: &str, calls: usize) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                std::hint::black_box(self.authenticator.token(SCOPES).await.unwrap());
            }
        });
    }
}

fn main() {
    protocol::run(Yup::new);
}
