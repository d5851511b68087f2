//! Reads the catalog.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Url;
use serde::Deserialize;

use super::claims::{ANNOTATION, Claims, Entity, KIND};
use super::{CatalogSettings, TokenSource};
use crate::endpoint::{Endpoint, Limits};

/// Limits of a page.
const PAGE: Limits = Limits { timeout: Duration::from_secs(10), bytes: 8 << 20 };
/// Time for all pages.
const ALL_PAGES: Duration = Duration::from_mins(2);
/// Entities of a page.
const PAGE_SIZE: &str = "500";
const MOST_PAGES: usize = 200;

/// A catalog to read.
#[derive(Debug)]
pub(super) struct Reader {
    url: Url,
    token: TokenSource,
    namespaces: Vec<String>,
    endpoint: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Entity>,
    #[serde(default)]
    page_info: PageInfo,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    next_cursor: Option<String>,
}

impl Reader {
    pub fn new(settings: &CatalogSettings) -> anyhow::Result<Self> {
        let base = settings.url.as_str().trim_end_matches('/');
        let url = format!("{base}/api/catalog/entities/by-query").parse()?;
        let endpoint = Endpoint::new(&settings.tls, PAGE)?;
        endpoint.check(&url)?;
        let namespaces = settings.namespaces.iter().map(|namespace| namespace.to_lowercase()).collect();
        Ok(Self { url, token: settings.token.clone(), namespaces, endpoint })
    }

    /// All claims. Those of a part of the catalog would be wrong, so there are none after an error on any page.
    pub async fn claims(&self) -> anyhow::Result<Claims> {
        let reading = tokio::time::timeout(ALL_PAGES, self.read()).await;
        let (claims, entities) = reading.context("the catalog takes longer than two minutes")??;
        // A Backstage that has just been set up has no entities yet.
        ensure!(entities > 0, "{} has no components that may claim services", self.url);
        Ok(claims)
    }

    async fn read(&self) -> anyhow::Result<(Claims, usize)> {
        let token = self.token.read()?;
        let (mut claims, mut entities) = (Claims::new(), 0);
        let (mut url, mut seen) = (self.first_page(), BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let page: Page = self.endpoint.get_as(&url, &token).await?;
            entities += page.items.len();
            for entity in &page.items {
                entity.claim(&self.namespaces, &mut claims);
            }
            let Some(cursor) = page.page_info.next_cursor else { return Ok((claims, entities)) };
            url = self.page(&[("cursor", &cursor)]);
            ensure!(seen.insert(cursor), "{} answers with the same page again", self.url);
        }
        anyhow::bail!("{} has more than {MOST_PAGES} pages of {PAGE_SIZE} components", self.url)
    }

    fn first_page(&self) -> Url {
        let of = |namespace| format!("kind={KIND},metadata.namespace={namespace}");
        let filters: Vec<_> = self.namespaces.iter().map(of).collect();
        let filters = filters.iter().map(|filter| ("filter", filter.as_str()));
        let more = [("orderField", "metadata.name,asc"), ("totalItems", "exclude")];
        self.page(&filters.chain(more).collect::<Vec<_>>())
    }

    fn page(&self, asked: &[(&str, &str)]) -> Url {
        let fields = format!(
            "kind,metadata.name,metadata.namespace,metadata.uid,metadata.annotations.{ANNOTATION},spec.owner,relations"
        );
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .extend_pairs(asked)
            .extend_pairs([("fields", fields.as_str()), ("limit", PAGE_SIZE)]);
        url
    }
}

impl TokenSource {
    pub(super) fn read(&self) -> anyhow::Result<String> {
        let token = match self {
            Self::Given(token) => token.clone(),
            Self::File(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the catalog's token in {}", path.display()))?,
        };
        let token = token.trim();
        ensure!(!token.is_empty(), "the catalog's token is empty");
        Ok(token.to_owned())
    }
}
