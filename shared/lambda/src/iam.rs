//! Passwords of RDS and Aurora that are signed with the function's role (Amazon Aurora user guide, "IAM database
//! authentication").

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use secrecy::SecretString;

use crate::{Environment, Fault};

/// How long a password can be used to log in. A connection that is open stays open.
pub const LIFE: Duration = Duration::from_mins(15);

/// A password for `user` of the database at `host` and `port`, good for [`LIFE`].
///
/// # Errors
/// Where the platform's variables are absent, or cannot be signed with.
pub fn password(
    environment: &Environment,
    (host, port): (&str, u16),
    user: &str,
    now: SystemTime,
) -> Result<SecretString, Fault> {
    let credentials = Credentials::new(
        environment.need("AWS_ACCESS_KEY_ID")?,
        environment.need("AWS_SECRET_ACCESS_KEY")?,
        environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    );
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFE);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(environment.need("AWS_REGION")?)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()
        .map_err(Fault::of)?
        .into();
    let mut address = url::Url::parse(&format!("https://{host}:{port}/")).map_err(Fault::of)?;
    address.query_pairs_mut().append_pair("Action", "connect").append_pair("DBUser", user);
    let signable = SignableRequest::new("GET", address.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(Fault::of)?;
    let (instructions, _) = sign(signable, &parameters).map_err(Fault::of)?.into_parts();
    for (name, value) in instructions.params() {
        address.query_pairs_mut().append_pair(name, value);
    }
    // The password is the address without its scheme.
    Ok(address.as_str().trim_start_matches("https://").to_owned().into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use secrecy::ExposeSecret as _;

    use super::password;
    use crate::Environment;

    #[test]
    fn a_password_names_user_region_and_life_and_is_signed() {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", "of/the+session="),
            ("AWS_REGION", "eu-central-1"),
        ];
        let environment = Environment::of(variables);
        let at = UNIX_EPOCH + Duration::from_mins(24_015_636);
        let signed = password(&environment, ("db.example.com", 5432), "nexus", at).unwrap();
        let signed = signed.expose_secret();
        let address = url::Url::parse(&format!("https://{signed}")).unwrap();
        let pairs: std::collections::BTreeMap<_, _> = address.query_pairs().into_owned().collect();
        assert_eq!((address.host_str(), address.port(), address.path()), (Some("db.example.com"), Some(5432), "/"));
        assert_eq!((pairs["Action"].as_str(), pairs["DBUser"].as_str()), ("connect", "nexus"));
        assert_eq!((pairs["X-Amz-Expires"].as_str(), pairs["X-Amz-Date"].as_str()), ("900", "20150830T123600Z"));
        assert_eq!(pairs["X-Amz-Credential"], "AKIDEXAMPLE/20150830/eu-central-1/rds-db/aws4_request");
        assert_eq!(pairs["X-Amz-Security-Token"], "of/the+session=");
        assert_eq!(pairs["X-Amz-Signature"].len(), 64);
        let later = password(&environment, ("db.example.com", 5432), "nexus", at + Duration::from_secs(1)).unwrap();
        assert_ne!(later.expose_secret(), signed);
    }
}
