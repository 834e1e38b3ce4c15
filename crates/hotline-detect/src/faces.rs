//! Flight paths on the six faces of a cube around the earth.
//!
//! Straight lines in space stay straight under central projection, so a short flight is a segment on a face and
//! its reach a small rectangle; poles and antimeridian are places like any other. Whatever two reaches share lies on
//! some face, and both their rectangles on that face hold it: two aircraft whose rectangles meet on no face cannot
//! meet.

/// A rectangle on a face; the face itself is [-1, 1] x [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) u: [f64; 2],
    pub(crate) v: [f64; 2],
}

/// A range in single precision, never narrower.
pub(crate) fn outwards([low, high]: [f64; 2]) -> [f32; 2] {
    [(low as f32).next_down(), (high as f32).next_up()]
}

/// How many faces there are.
pub(crate) const FACES: usize = 6;

/// What is nearer to the middle plane than this, metres, is not on a face: a point of the earth's surface that is on
/// the face is at least 0.577 of the smaller radius away.
const FACE_BEGINS: f64 = 3_600_000.0;
/// Too near to the middle plane for a useful rectangle, metres.
const GRAZING: f64 = 1_000_000.0;

/// Visits every face that the points within `margin` of the segment may be on, with the rectangle that holds them.
/// Places are earth-centred, metres, on or near the earth's surface.
pub(crate) fn on_faces(a: [f64; 3], b: [f64; 3], margin: f64, mut visit: impl FnMut(u8, Rect)) {
    for face in 0..FACES {
        let axis = face / 2;
        let sign = if face % 2 == 0 { 1.0 } else { -1.0 };
        let (wa, wb) = (a[axis] * sign, b[axis] * sign);
        if wa.max(wb) + margin < FACE_BEGINS {
            continue;
        }
        let nearest = wa.min(wb) - margin;
        if nearest < GRAZING {
            visit(face as u8, Rect { u: [-1.0, 1.0], v: [-1.0, 1.0] });
            continue;
        }
        let range = |other: usize| {
            let (x, y) = (a[other] / wa, b[other] / wb);
            // (p + m) / (w - m) - p / w <= m (1 + |p / w|) / (w - m)
            let slack = margin * (1.0 + x.abs().max(y.abs())) / nearest;
            [x.min(y) - slack, x.max(y) + slack]
        };
        let (u, v) = (range((axis + 1) % 3), range((axis + 2) % 3));
        if u[0] <= 1.0 && u[1] >= -1.0 && v[0] <= 1.0 && v[1] >= -1.0 {
            visit(face as u8, Rect { u, v });
        }
    }
}
