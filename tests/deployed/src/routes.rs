//! Which function answers a path.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::template::Template;

/// The routes of the template's HTTP API, chosen as API Gateway chooses: the path itself, else the longest greedy route
/// before it, else `$default`. All of ours take every method.
#[derive(Clone, Debug)]
pub struct Routes {
    exact: BTreeMap<String, String>,
    /// By what stands before the greedy variable, such as `/settings/users/`.
    greedy: BTreeMap<String, String>,
    default: Option<String>,
    /// How long each function may take.
    limits: BTreeMap<String, Duration>,
}

impl Routes {
    /// Those of a translated template.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        let routes = template.routes();
        let limit = |function: &Value| Duration::from_secs(function["Timeout"].as_u64().expect("a time limit"));
        let limits = template.functions().into_iter().map(|(name, (_, function))| (name.to_owned(), limit(function)));
        let routes = Self::from_pairs(routes.iter().map(|(path, function)| (path.as_str(), function.as_str())));
        Self { limits: limits.collect(), ..routes }
    }

    fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut routes =
            Self { exact: BTreeMap::new(), greedy: BTreeMap::new(), default: None, limits: BTreeMap::new() };
        for (path, function) in pairs {
            let function = function.to_owned();
            if path == "$default" {
                routes.default = Some(function);
            } else if let Some((before, variable)) = path.split_once('{') {
                assert!(variable.ends_with("+}"), "{path}: a variable that is not greedy is not known here");
                routes.greedy.insert(before.to_owned(), function);
            } else {
                routes.exact.insert(path.to_owned(), function);
            }
        }
        routes
    }

    /// The function that answers a request of this path (without its query).
    #[must_use]
    pub fn function(&self, path: &str) -> Option<&str> {
        // A greedy variable takes one segment at least.
        let under = |before: &str| path.len() > before.len() && path.starts_with(before);
        let longest = || self.greedy.iter().filter(|(before, _)| under(before)).max_by_key(|(before, _)| before.len());
        self.exact
            .get(path)
            .or_else(|| longest().map(|(_, function)| function))
            .or(self.default.as_ref())
            .map(String::as_str)
    }

    /// How long a function may take.
    #[must_use]
    pub fn limit(&self, function: &str) -> Duration {
        self.limits[function]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_itself_goes_before_the_longest_greedy_route_and_that_before_the_rest() {
        let routes = Routes::from_pairs([
            ("$default", "home"),
            ("/a", "a"),
            ("/a/{proxy+}", "below a"),
            ("/a/b/{proxy+}", "below a/b"),
            ("/a/b/c", "c"),
        ]);
        let expected = [
            ("/", "home"),
            ("/a", "a"),
            ("/a/", "home"),
            ("/ab", "home"),
            ("/a/x", "below a"),
            ("/a/b", "below a"),
            ("/a/b/x/y", "below a/b"),
            ("/a/b/c", "c"),
            ("/a/b/c/d", "below a/b"),
        ];
        for (path, function) in expected {
            assert_eq!(routes.function(path), Some(function), "{path}");
        }
        assert_eq!(Routes::from_pairs([("/a", "a")]).function("/b"), None);
    }
}
