//! Values of environment variables: they are understood or refused, and name no host that they do not say.

#![no_main]

use agentspan_discovery::{ClusterCategory, DomainOverride, Environment, Switches, values};
use fuzz::show;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    check_values(text);
    // The same value for every variable that is read.
    let environment = Environment::from_lookup(|_| Some(text.to_owned()));
    let switches = Switches::read(&environment);
    let _ = format!("{switches:?} {}", switches.environment_name());
    match DomainOverride::read(&environment) {
        Ok(None) => assert!(
            text.trim_matches(|c: char| c <= ' ' || c.is_whitespace())
                .is_empty()
        ),
        Ok(Some(domain)) => {
            let authority = domain.authority();
            let parsed: http::uri::Authority = authority.parse().expect("a host and a port");
            assert_eq!(parsed.as_str(), authority);
            assert!(
                !authority.contains(['@', '/', '?', '#', '\\']),
                "{authority}"
            );
            let path = domain.base_path();
            assert!(path.is_empty() || path.starts_with('/') && !path.ends_with('/'));
            assert!(
                !path.split('/').any(|part| matches!(part, "." | "..")),
                "{path}"
            );
        }
        Err(error) => show(&error),
    }
    match text.parse::<ClusterCategory>() {
        Ok(cluster) => assert_eq!(cluster.as_str().parse::<ClusterCategory>(), Ok(cluster)),
        Err(error) => show(&error),
    }
});

fn check_values(text: &str) {
    if let Some(flag) = values::boolean(text) {
        assert_eq!(text.trim().to_ascii_lowercase(), flag.to_string());
    }
    if let Some(number) = values::integer(text) {
        assert_eq!(values::integer(&number.to_string()), Some(number));
        assert_eq!(values::positive_integer(text).is_some(), number > 0);
    }
    let times = [values::duration(text), values::timeout(text)];
    assert!(
        times
            .into_iter()
            .flatten()
            .all(|time| time <= values::LONGEST)
    );
    assert!(values::ratio(text).is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
    for entry in values::list(text) {
        assert!(!entry.is_empty() && entry.trim() == entry && !entry.contains(','));
    }
    let pairs = values::pairs(text).count();
    assert_eq!(pairs, values::list(text).count());
    if let Some(attributes) = values::resource_attributes(text) {
        assert_eq!(attributes.len(), pairs, "none is left out");
        assert!(attributes.iter().all(|(name, _)| !name.is_empty()));
    }
}
