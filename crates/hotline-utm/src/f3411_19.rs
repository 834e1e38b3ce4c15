//! ASTM F3411-19.
//!
//! Where the edition of 2022 has one base URL, this one has the URLs of resources. Each edition shows the URL that was given, also when it was
//! given to the other: that is what other services in the field do.

use crate::Problem;
use crate::geometry::{Polygon, instant, polygon_cells, window, written};
use crate::remote_id::Edition;
use hotline_dss::{RidSubscription, ServiceArea, Window};
use serde::Deserialize;
use serde_json::{Value, json};

const READ: &str = "dss.read.identification_service_areas";
const WRITE: &str = "dss.write.identification_service_areas";

/// The edition of 2019.
pub(crate) struct Edition19;

#[derive(Deserialize)]
struct Volume3 {
    footprint: Polygon,
    altitude_lo: Option<f64>,
    altitude_hi: Option<f64>,
}

#[derive(Deserialize)]
struct Volume4 {
    spatial_volume: Volume3,
    time_start: Option<String>,
    time_end: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PutArea {
    extents: Volume4,
    flights_url: String,
}

#[derive(Deserialize)]
struct Callbacks {
    identification_service_area_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PutSubscription {
    extents: Volume4,
    callbacks: Callbacks,
}

impl Volume4 {
    fn window(&self) -> Result<Window, Problem> {
        let time = |text: &Option<String>| text.as_deref().map(instant).transpose();
        let volume = &self.spatial_volume;
        let cells = polygon_cells(&volume.footprint.vertices)?;
        window(cells, volume.altitude_lo, volume.altitude_hi, time(&self.time_start)?, time(&self.time_end)?)
    }
}

impl Edition for Edition19 {
    const BASE: &'static str = "/v1/dss";
    const READ: &'static [&'static str] = &[READ];
    const READ_AREA: &'static [&'static str] = &[READ];
    const READ_SUBSCRIPTION: &'static [&'static str] = &[READ, WRITE];
    const WRITE: &'static [&'static str] = &[WRITE];
    type PutArea = PutArea;
    type PutSubscription = PutSubscription;

    fn area(put: PutArea) -> Result<(Window, String), Problem> {
        Ok((put.extents.window()?, put.flights_url))
    }

    fn subscription(put: PutSubscription) -> Result<(Window, String), Problem> {
        let url = put.callbacks.identification_service_area_url;
        let url = url.ok_or_else(|| Problem::invalid("callbacks needs identification_service_area_url"))?;
        Ok((put.extents.window()?, url))
    }

    fn area_body(area: &ServiceArea) -> Value {
        json!({
            "id": area.id.to_string(),
            "owner": *area.owner,
            "version": *area.version,
            "flights_url": *area.url,
            "time_start": written(area.extent.start),
            "time_end": written(area.extent.end),
        })
    }

    fn subscription_body(subscription: &RidSubscription) -> Value {
        json!({
            "id": subscription.id.to_string(),
            "owner": *subscription.owner,
            "version": *subscription.version,
            // The file asks for it without saying what it is.
            "url": *subscription.url,
            "callbacks": { "identification_service_area_url": *subscription.url },
            "notification_index": subscription.index,
            "time_start": written(subscription.extent.start),
            "time_end": written(subscription.extent.end),
        })
    }
}
