//! Which bodies of requests some bytes are.

use crate::remote_id::Edition;
use crate::{Problem, f3411_19, f3411_22a, f3548};

/// The names of the requests that these bytes could be the body of, geometry included. For tools, and for throwing any bytes at
/// all readers.
pub fn forms_of(bytes: &[u8]) -> Vec<&'static str> {
    fn put<T: serde::de::DeserializeOwned, R>(bytes: &[u8], read: impl Fn(T) -> Result<R, Problem>) -> bool {
        serde_json::from_slice(bytes).is_ok_and(|body| read(body).is_ok())
    }
    let mut found = f3548::forms_of(bytes);
    let remote_id = [
        ("19 service area", put(bytes, f3411_19::Edition19::area)),
        ("19 subscription", put(bytes, f3411_19::Edition19::subscription)),
        ("22a service area or subscription", put(bytes, f3411_22a::Edition22a::area)),
    ];
    found.extend(remote_id.iter().filter(|(_, is)| *is).map(|(name, _)| *name));
    if std::str::from_utf8(bytes).is_ok_and(|area| crate::geometry::searched_cells(area).is_ok()) {
        found.push("searched area");
    }
    found
}
