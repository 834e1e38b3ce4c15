//! The map of the valley: the course of the Euphrates between Raqqa and Al-Qaim, and its towns (approximate
//! positions, degrees, longitude first).

/// The river, from north-west to south-east.
pub(crate) const RIVER: [(f64, f64); 14] = [
    (39.01, 35.93),
    (39.24, 35.88),
    (39.47, 35.81),
    (39.66, 35.72),
    (39.82, 35.69),
    (39.95, 35.55),
    (40.14, 35.35),
    (40.29, 35.20),
    (40.45, 35.03),
    (40.56, 34.92),
    (40.68, 34.78),
    (40.80, 34.62),
    (40.93, 34.46),
    (41.05, 34.39),
];

/// Towns.
pub(crate) const TOWNS: [(&str, f64, f64); 6] = [
    ("Raqqa", 39.01, 35.95),
    ("Tibni", 39.82, 35.61),
    ("Deir ez-Zor", 40.14, 35.34),
    ("Mayadin", 40.45, 35.02),
    ("Abu Kamal", 40.92, 34.45),
    ("Al-Qaim", 41.05, 34.37),
];

/// The overlay for the console's map, GeoJSON.
pub fn overlay() -> String {
    let river: Vec<String> = RIVER.iter().map(|(lon, lat)| format!("[{lon},{lat}]")).collect();
    let towns = TOWNS.iter().map(|(name, lon, lat)| {
        format!(
            r#"{{"type":"Feature","properties":{{"kind":"town","name":"{name}"}},"geometry":{{"type":"Point","coordinates":[{lon},{lat}]}}}}"#
        )
    });
    let towns: Vec<String> = towns.collect();
    format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"kind":"river","name":"Euphrates"}},"geometry":{{"type":"LineString","coordinates":[{}]}}}},{}]}}"#,
        river.join(","),
        towns.join(",")
    )
}
