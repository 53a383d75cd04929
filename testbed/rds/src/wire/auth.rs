//! Who calls: the credential scope of a Signature Version 4 header. The signature itself is not verified, because this server knows no
//! secret keys; what a client gets wrong without a secret (no header, another region, another service) is refused as AWS refuses it.

use rds_model::ApiError;

use super::error;

/// The account-independent part of the caller's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The access key id, as sent.
    pub(crate) access_key: String,
}

/// Reads the `Authorization` header and checks that its scope names `region` and `service`.
pub(crate) fn authenticate(header: Option<&str>, region: &str, service: &str) -> Result<Caller, ApiError> {
    let header = header.ok_or_else(error::missing_token)?;
    let fields = header
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| error::incomplete_signature("Unsupported AWS 'algorithm'"))?;
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| error::incomplete_signature(format!("Authorization header requires '{name}' parameter.")))
    };
    field("Signature")?;
    field("SignedHeaders")?;
    let scope: Vec<&str> = field("Credential")?.split('/').collect();
    let [access_key, _date, scope_region, scope_service, "aws4_request"] = scope.as_slice() else {
        return Err(error::incomplete_signature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term",
        ));
    };
    if scope_region != &region {
        return Err(error::wrong_scope(format!(
            "Credential should be scoped to a valid region, not '{scope_region}': this endpoint serves '{region}'."
        )));
    }
    if scope_service != &service {
        return Err(error::wrong_scope(format!("Credential should be scoped to correct service: '{service}'.")));
    }
    Ok(Caller { access_key: (*access_key).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes() {
        let header = |scope: &str| format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=ab");
        let good = header("AKID/20260101/eu-central-1/rds/aws4_request");
        let cases = [
            (None, Err("MissingAuthenticationToken")),
            (Some(good), Ok("AKID")),
            (Some("Bearer x".to_owned()), Err("IncompleteSignature")),
            (Some(header("AKID/20260101")), Err("IncompleteSignature")),
            (Some(header("AKID/20260101/us-east-1/rds/aws4_request")), Err("SignatureDoesNotMatch")),
            (Some(header("AKID/20260101/eu-central-1/s3/aws4_request")), Err("SignatureDoesNotMatch")),
        ];
        for (header, expected) in cases {
            let seen = authenticate(header.as_deref(), "eu-central-1", "rds");
            let seen = seen.as_ref().map(|caller| caller.access_key.as_str()).map_err(|error| error.code.as_str());
            assert_eq!(seen, expected, "{header:?}");
        }
    }
}
