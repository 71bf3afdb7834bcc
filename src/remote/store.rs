//! An object store by its URL.

use std::sync::Arc;

use object_store::{ObjectStore, parse_url_opts, path::Path};
use reqwest::Url;
use rustls::crypto::ring;

/// The schemes of URLs that repositories may have.
const SCHEMES: [&str; 6] = ["s3", "gs", "az", "azure", "http", "https"];

/// What the names of settings begin with.
const PREFIXES: [&str; 3] = ["aws_", "google_", "azure_"];

/// An object store and where the repository lies in it.
#[derive(Debug, Clone)]
pub struct Store {
    pub objects: Arc<dyn ObjectStore>,
    prefix: Path,
    url: String,
    /// Whether it has no listing of its own, as a plain web server, but an `index.json`.
    pub is_indexed: bool,
}

impl Store {
    /// Takes settings and credentials from `variables`, as the store's own tools do: `AWS_*`, `GOOGLE_*`, `AZURE_*`.
    pub fn open(url: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        // An error says that another part of the process chose first.
        let _ = ring::default_provider().install_default();
        let parsed = Url::parse(url).map_err(|error| format!("is not a URL: {error}"))?;
        if !SCHEMES.contains(&parsed.scheme()) {
            return Err(format!("must begin with {}://", SCHEMES.join("://, ")));
        }
        let is_indexed = parsed.scheme().starts_with("http");
        let variables = variables.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        // Others of the environment may have names that are options without a prefix, such as `REGION`.
        let variables = variables.filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        // Without this, plain HTTP is rejected where it was asked for.
        let plain = (parsed.scheme() == "http").then(|| ("allow_http".to_owned(), "true".to_owned()));
        let (objects, prefix) =
            parse_url_opts(&parsed, variables.chain(plain)).map_err(|error| error.to_string())?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { objects: objects.into(), prefix, url, is_indexed })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the repository.
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The object at a path below the repository.
    pub fn path_of(&self, below: &str) -> Path {
        below.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// The object's full name, as messages have it.
    pub fn name_of(&self, below: &str) -> String {
        format!("{}/{below}", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_a_store_and_a_folder() {
        let store = |url| Store::open(url, [("AWS_REGION".to_owned(), "eu-west-1".to_owned())]);
        for url in ["s3://bucket/a/b/", "gs://bucket/a/b", "http://127.0.0.1:1/a/b", "https://host/a/b"] {
            let store = store(url).unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!(store.path_of("tables/ads 1").to_string(), "a/b/tables/ads 1", "{url}");
            assert_eq!(store.is_indexed, url.starts_with("http"));
            assert_eq!(store.name_of("tables"), format!("{}/tables", url.trim_end_matches('/')));
        }
        assert!(store("ftp://host/a").expect_err("no store").starts_with("must begin with s3://"));
        assert!(store("s3:").is_err());
    }
}
