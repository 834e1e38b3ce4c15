//! ASTM F3411-22a.

use crate::Problem;
use crate::geometry::{Time, Volume4};
use crate::remote_id::Edition;
use hotline_dss::{RidSubscription, ServiceArea, Window};
use serde::Deserialize;
use serde_json::{Value, json};

const DISPLAY: &str = "rid.display_provider";
const SERVICE: &str = "rid.service_provider";

/// The edition of 2022.
pub(crate) struct Edition22a;

#[derive(Deserialize)]
pub(crate) struct Put {
    extents: Volume4,
    uss_base_url: String,
}

impl Edition for Edition22a {
    const BASE: &'static str = "/rid/v2/dss";
    const READ: &'static [&'static str] = &[DISPLAY];
    const READ_AREA: &'static [&'static str] = &[DISPLAY, SERVICE];
    const READ_SUBSCRIPTION: &'static [&'static str] = &[DISPLAY, SERVICE];
    const WRITE: &'static [&'static str] = &[SERVICE];
    type PutArea = Put;
    type PutSubscription = Put;

    fn area(put: Put) -> Result<(Window, String), Problem> {
        Ok((put.extents.window()?, put.uss_base_url))
    }

    fn subscription(put: Put) -> Result<(Window, String), Problem> {
        Self::area(put)
    }

    fn area_body(area: &ServiceArea) -> Value {
        json!({
            "id": area.id.to_string(),
            "owner": *area.owner,
            "version": *area.version,
            "uss_base_url": *area.url,
            "time_start": Time::at(area.extent.start),
            "time_end": Time::at(area.extent.end),
        })
    }

    fn subscription_body(subscription: &RidSubscription) -> Value {
        json!({
            "id": subscription.id.to_string(),
            "owner": *subscription.owner,
            "version": *subscription.version,
            "uss_base_url": *subscription.url,
            "notification_index": subscription.index,
            "time_start": Time::at(subscription.extent.start),
            "time_end": Time::at(subscription.extent.end),
        })
    }
}
