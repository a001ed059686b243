//! What callers send, for the OpenAPI document alone: which values a field takes is said by `nexus_core::entity`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// A new plan.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewPlan {
    /// Name, unique without regard to case.
    #[schema(example = "Complete")]
    name: String,
    #[serde(flatten)]
    others: PlanChanges,
}

/// The fields of a plan to set. Whatever else a plan is read with is passed over, so one may be sent back as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlanChanges {
    /// Name, unique without regard to case. The companies of the plan take its new name over.
    name: Option<String>,
    /// What it means.
    description: Option<String>,
    /// Its place in a list; the smallest comes first.
    position: Option<i64>,
    /// What it includes, by feature: all of it.
    #[schema(example = json!({"Antivirus": "Managed", "Backup": "Daily"}))]
    features: Option<BTreeMap<String, String>>,
}

/// A new feature.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewFeature {
    /// Name, unique without regard to case.
    #[schema(example = "Backup")]
    name: String,
    #[serde(flatten)]
    others: FeatureChanges,
}

/// The fields of a feature to set. Whatever else a feature is read with is passed over, so one may be sent back as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeatureChanges {
    /// Name, unique without regard to case.
    name: Option<String>,
    /// What it means.
    description: Option<String>,
    /// Its place in a list; the smallest comes first.
    position: Option<i64>,
}
