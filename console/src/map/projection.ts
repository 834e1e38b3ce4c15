// Web Mercator in units of the world's width, and a view of it. East-west it wraps round.
import type { Lonlat } from "../types";

export interface View { x: number; y: number; scale: number }
export type Point = [number, number];

const EARTH_CIRCUMFERENCE_M = 40_075_016.686;
const MAX_LATITUDE = 85.05;
export const MIN_SCALE = 200;
export const MAX_SCALE = 40_000_000;

export const project = ([lon, lat]: Lonlat): Point => {
  const bounded = Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, lat));
  const sin = Math.sin((bounded * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)];
};

/** Pixels of a world point; of its copies, the one nearest to the middle of the view. */
export const toScreen = (view: View, width: number, height: number, [x, y]: Point): Point => {
  let dx = x - view.x;
  dx -= Math.round(dx);
  return [width / 2 + dx * view.scale, height / 2 + (y - view.y) * view.scale];
};

/** Pixels for so many metres at a latitude. */
export const pixels = (view: View, metres: number, lat: number): number =>
  (metres / (EARTH_CIRCUMFERENCE_M * Math.cos((lat * Math.PI) / 180))) * view.scale;

/** The view that shows all points with a margin. */
export const fitting = (points: Point[], width: number, height: number): View | null => {
  const first = points[0];
  if (!first) return null;
  // Relative to the first point, so that a fleet across the antimeridian is not spread round the world.
  const xs = points.map(([x]) => { const d = x - first[0]; return first[0] + d - Math.round(d); });
  const ys = points.map(([, y]) => y);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = 0.86 * Math.min(width / Math.max(x1 - x0, 1e-5), height / Math.max(y1 - y0, 1e-5));
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(MIN_SCALE, Math.min(MAX_SCALE, scale)) };
};
