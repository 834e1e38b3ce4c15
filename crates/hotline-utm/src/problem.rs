//! What a client is told when something is wrong.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hotline_dss::Refusal;
use serde_json::json;

/// An error answer: a status and a message that says what was wrong and what would be right.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    message: String,
}

macro_rules! problems {
    ($($name:ident $status:ident $what:literal;)*) => { $(
        #[doc = $what]
        pub fn $name(message: impl Into<String>) -> Self {
            Self { status: StatusCode::$status, message: message.into() }
        }
    )* };
}

impl Problem {
    problems! {
        invalid BAD_REQUEST "The request is not as it should be.";
        unauthenticated UNAUTHORIZED "There is no token, or it is not accepted.";
        forbidden FORBIDDEN "The token does not allow this.";
        not_found NOT_FOUND "There is no such thing.";
        not_allowed METHOD_NOT_ALLOWED "The method is not known here.";
        too_large PAYLOAD_TOO_LARGE "The area or the body is too large.";
        unavailable SERVICE_UNAVAILABLE "The service cannot answer now.";
        failed INTERNAL_SERVER_ERROR "The service has failed.";
        no_room INSUFFICIENT_STORAGE "The disk is full.";
        late GATEWAY_TIMEOUT "The request could not be carried out in time.";
    }

    /// With a status of the caller's.
    pub fn with(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// What is said.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::Conflict(_) | Refusal::MissingKey { .. } => StatusCode::CONFLICT,
            Refusal::UssDown(_) => StatusCode::PRECONDITION_FAILED,
            Refusal::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Late => StatusCode::GATEWAY_TIMEOUT,
        };
        Self { status, message: refusal.to_string() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let challenge: &[(HeaderName, &str)] = match self.status {
            StatusCode::UNAUTHORIZED => &[(header::WWW_AUTHENTICATE, "Bearer")],
            _ => &[],
        };
        let mut response = (self.status, axum::Json(json!({ "message": self.message }))).into_response();
        for (name, value) in challenge {
            response.headers_mut().insert(name, axum::http::HeaderValue::from_static(value));
        }
        response
    }
}
