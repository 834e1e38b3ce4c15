//! What a supplier asks of a DSS, ours or another's.

use crate::http::{AskError, Http};
use crate::wire::{ConstraintReference, IntentReference, Subscriber, Volume4};
use hotline_utm::scopes::{CONFORMANCE, CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING, STRATEGIC};
use serde::Deserialize;
use serde_json::{Value, json};

/// Planning, and being told of constraints.
pub(crate) const STRATEGIC_AND_CONSTRAINTS: &str = "utm.strategic_coordination utm.constraint_processing";

#[derive(Deserialize)]
struct Intents {
    operational_intent_references: Vec<IntentReference>,
}

#[derive(Deserialize)]
struct Constraints {
    constraint_references: Vec<ConstraintReference>,
}

#[derive(Deserialize)]
struct OneIntent {
    operational_intent_reference: IntentReference,
}

#[derive(Deserialize)]
struct OneConstraint {
    constraint_reference: ConstraintReference,
}

/// What a changed intent is answered with.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangedIntent {
    pub(crate) operational_intent_reference: IntentReference,
    #[serde(default)]
    pub(crate) subscribers: Vec<Subscriber>,
}

/// What a changed constraint is answered with.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangedConstraint {
    pub(crate) constraint_reference: ConstraintReference,
    #[serde(default)]
    pub(crate) subscribers: Vec<Subscriber>,
}

/// What a standing subscription is answered with.
#[derive(Debug, Deserialize)]
pub(crate) struct Subscribed {
    #[serde(default)]
    pub(crate) operational_intent_references: Vec<IntentReference>,
    #[serde(default)]
    pub(crate) constraint_references: Vec<ConstraintReference>,
}

/// What matters of a subscription.
#[derive(Debug, Deserialize)]
pub(crate) struct SubscriptionReference {
    pub(crate) version: String,
}

#[derive(Debug, Default, Deserialize)]
struct Missing {
    #[serde(default)]
    missing_operational_intents: Vec<Identified>,
    #[serde(default)]
    missing_constraints: Vec<Identified>,
}

#[derive(Debug, Deserialize)]
struct Identified {
    id: String,
}

/// Why the DSS did not take an intent.
#[derive(Debug)]
pub(crate) enum PutError {
    /// The key lacks these.
    Missing {
        intents: Vec<String>,
        constraints: Vec<String>,
    },
    /// The own OVN is not the current one.
    Stale(String),
    Other(AskError),
}

/// A DSS at a base URL.
pub(crate) struct DssClient {
    base: String,
}

impl DssClient {
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').into() }
    }

    fn at(&self, path: &str) -> String {
        format!("{}/dss/v1/{path}", self.base)
    }

    pub(crate) fn intents(&self, http: &Http, area: &Volume4) -> Result<Vec<IntentReference>, AskError> {
        let asked = json!({ "area_of_interest": area });
        let url = self.at("operational_intent_references/query");
        let found: Intents = http.must("POST", &url, STRATEGIC, Some(&asked))?;
        Ok(found.operational_intent_references)
    }

    pub(crate) fn constraints(
        &self,
        http: &Http,
        area: &Volume4,
    ) -> Result<Vec<ConstraintReference>, AskError> {
        let asked = json!({ "area_of_interest": area });
        let url = self.at("constraint_references/query");
        let found: Constraints = http.must("POST", &url, CONSTRAINT_PROCESSING, Some(&asked))?;
        Ok(found.constraint_references)
    }

    pub(crate) fn intent(&self, http: &Http, id: &str) -> Result<IntentReference, AskError> {
        let url = self.at(&format!("operational_intent_references/{id}"));
        http.must("GET", &url, STRATEGIC, None)
            .map(|OneIntent { operational_intent_reference }| operational_intent_reference)
    }

    pub(crate) fn constraint(&self, http: &Http, id: &str) -> Result<ConstraintReference, AskError> {
        let url = self.at(&format!("constraint_references/{id}"));
        http.must("GET", &url, CONSTRAINT_MANAGEMENT, None)
            .map(|OneConstraint { constraint_reference }| constraint_reference)
    }

    /// Creates an intent, or changes it when its OVN is given.
    pub(crate) fn put_intent(
        &self,
        http: &Http,
        id: &str,
        ovn: Option<&str>,
        body: &Value,
        scope: &'static str,
    ) -> Result<ChangedIntent, PutError> {
        let url = match ovn {
            None => self.at(&format!("operational_intent_references/{id}")),
            Some(ovn) => self.at(&format!("operational_intent_references/{id}/{ovn}")),
        };
        let (status, answer) = http.ask("PUT", &url, scope, Some(body)).map_err(PutError::Other)?;
        if status == 409 {
            let text = answer.to_string();
            let missing: Missing = serde_json::from_value(answer).unwrap_or_default();
            let ids = |all: Vec<Identified>| all.into_iter().map(|Identified { id }| id).collect::<Vec<_>>();
            let (intents, constraints) =
                (ids(missing.missing_operational_intents), ids(missing.missing_constraints));
            if intents.is_empty() && constraints.is_empty() {
                return Err(PutError::Stale(text));
            }
            return Err(PutError::Missing { intents, constraints });
        }
        if !(200..300).contains(&status) {
            return Err(PutError::Other(AskError::Refused { url, status, body: answer.to_string() }));
        }
        serde_json::from_value(answer)
            .map_err(|e| PutError::Other(AskError::Unreadable { url, why: e.to_string() }))
    }

    pub(crate) fn delete_intent(
        &self,
        http: &Http,
        reference: &IntentReference,
    ) -> Result<ChangedIntent, AskError> {
        let ovn = reference.ovn.as_deref().unwrap_or_default();
        let url = self.at(&format!("operational_intent_references/{}/{ovn}", reference.id));
        let scope = if reference.state.is_nominal() { STRATEGIC } else { CONFORMANCE };
        http.must("DELETE", &url, scope, None)
    }

    /// Creates a constraint, or changes it when its OVN is given.
    pub(crate) fn put_constraint(
        &self,
        http: &Http,
        id: &str,
        ovn: Option<&str>,
        body: &Value,
    ) -> Result<ChangedConstraint, AskError> {
        let url = match ovn {
            None => self.at(&format!("constraint_references/{id}")),
            Some(ovn) => self.at(&format!("constraint_references/{id}/{ovn}")),
        };
        http.must("PUT", &url, CONSTRAINT_MANAGEMENT, Some(body))
    }

    pub(crate) fn delete_constraint(
        &self,
        http: &Http,
        reference: &ConstraintReference,
    ) -> Result<ChangedConstraint, AskError> {
        let ovn = reference.ovn.as_deref().unwrap_or_default();
        let url = self.at(&format!("constraint_references/{}/{ovn}", reference.id));
        http.must("DELETE", &url, CONSTRAINT_MANAGEMENT, None)
    }

    /// Creates a standing subscription, or changes it when its version is given.
    pub(crate) fn put_subscription(
        &self,
        http: &Http,
        id: &str,
        version: Option<&str>,
        body: &Value,
    ) -> Result<Subscribed, AskError> {
        let url = match version {
            None => self.at(&format!("subscriptions/{id}")),
            Some(version) => self.at(&format!("subscriptions/{id}/{version}")),
        };
        http.must("PUT", &url, STRATEGIC_AND_CONSTRAINTS, Some(body))
    }

    /// The version of a standing subscription.
    pub(crate) fn subscription_version(&self, http: &Http, id: &str) -> Result<String, AskError> {
        #[derive(Deserialize)]
        struct One {
            subscription: SubscriptionReference,
        }
        let url = self.at(&format!("subscriptions/{id}"));
        http.must("GET", &url, STRATEGIC, None).map(|One { subscription }| subscription.version)
    }

    /// Tells of an error that would go unnoticed otherwise.
    pub(crate) fn report(&self, http: &Http, report: &Value) -> Result<Value, AskError> {
        http.must("POST", &self.at("reports"), STRATEGIC, Some(report))
    }
}
