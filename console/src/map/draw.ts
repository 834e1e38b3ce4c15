// Draws what flies: plans, restrictions, tracks with vectors and data blocks, conflicts.
import { LEVEL_COLOUR, partyColour } from "../colours";
import type { Alert, Plans, Track, Volume } from "../types";
import { pixels, project, toScreen, type Point, type View } from "./projection";

export interface Scene {
  parties: readonly string[];
  own: string;
  tracks: Track[];
  plans: Plans;
  alerts: Alert[];
  now: number;
  chosen: string | null;
  showPlans: boolean;
  showLabels: boolean;
}

/** Velocity vectors show where an aircraft will be after so long. */
const VECTOR_S = 60;
const KNOT = 1852 / 3600;
const FOOT = 0.3048;
/** Labels are drawn for at most so many aircraft. */
const MAX_LABELS = 400;

type G = CanvasRenderingContext2D;

/** The altitude as an officer reads it: flight level in hundreds of feet, or metres for the ellipsoid. */
export const altitudeText = (t: Track): string =>
  t.datum === "baro" ? String(Math.round(t.altitude_m / FOOT / 100)).padStart(3, "0") : `${Math.round(t.altitude_m)}m`;

const ahead = (t: Track, seconds: number): Point => {
  const [lon, lat] = t.at;
  const way = t.speed_mps * seconds;
  const angle = (t.track_deg * Math.PI) / 180;
  const north = (way * Math.cos(angle)) / 111_320;
  const east = (way * Math.sin(angle)) / (111_320 * Math.max(0.01, Math.cos((lat * Math.PI) / 180)));
  return project([lon + east, Math.max(-85, Math.min(85, lat + north))]);
};

const outline = (g: G, view: View, width: number, height: number, volume: Volume) => {
  g.beginPath();
  if ("centre" in volume.area) {
    const [x, y] = toScreen(view, width, height, project(volume.area.centre));
    g.arc(x, y, pixels(view, volume.area.radius_m, volume.area.centre[1]), 0, 2 * Math.PI);
  } else {
    volume.area.vertices.forEach((v, i) => {
      const [x, y] = toScreen(view, width, height, project(v));
      if (i === 0) g.moveTo(x, y);
      else g.lineTo(x, y);
    });
    g.closePath();
  }
};

const drawPlans = (g: G, view: View, width: number, height: number, scene: Scene) => {
  const inConflict = new Map<string, string>();
  for (const a of scene.alerts.filter((a) => a.closed_ms === null && a.key.kind.startsWith("plan"))) {
    for (const s of [a.key.first, a.key.second]) inConflict.set(`${s.party}:${s.id}`, LEVEL_COLOUR[a.level]);
  }
  for (const flight of scene.plans.flights) {
    const conflict = inConflict.get(`${flight.party}:${flight.id}`);
    if (!scene.showPlans && !conflict) continue;
    g.strokeStyle = conflict ?? partyColour(scene.parties, flight.party);
    g.globalAlpha = conflict ? 0.9 : 0.25;
    g.lineWidth = conflict ? 1.5 : 1;
    g.setLineDash(conflict ? [] : [3, 3]);
    for (const volume of flight.volumes) {
      outline(g, view, width, height, volume);
      g.stroke();
    }
  }
  g.setLineDash([]);
  for (const restriction of scene.plans.restrictions) {
    for (const volume of restriction.volumes) {
      const inForce = volume.start_ms <= scene.now && scene.now <= volume.end_ms;
      outline(g, view, width, height, volume);
      g.globalAlpha = inForce ? 0.16 : 0.06;
      g.fillStyle = "#ff5050";
      g.fill();
      g.globalAlpha = 0.9;
      g.strokeStyle = partyColour(scene.parties, restriction.party);
      g.lineWidth = 2;
      g.stroke();
    }
    const area = restriction.volumes[0]?.area;
    const at = area && ("centre" in area ? area.centre : area.vertices[0]);
    if (at) {
      const [x, y] = toScreen(view, width, height, project(at));
      g.fillStyle = "#ff9a9a";
      g.font = "600 11px system-ui, sans-serif";
      g.fillText(`${restriction.id} ${restriction.reason}`, x + 4, y);
    }
  }
  g.globalAlpha = 1;
};

/** A symbol by kind: aeroplane a dart, helicopter a cross in a ring, unmanned a diamond, unknown a square. Own ones
 * are filled. */
const symbol = (g: G, t: Track, x: number, y: number, size: number, filled: boolean) => {
  g.save();
  g.translate(x, y);
  g.beginPath();
  if (t.category === "unmanned") {
    g.moveTo(0, -size); g.lineTo(size, 0); g.lineTo(0, size); g.lineTo(-size, 0); g.closePath();
  } else if (t.category === "helicopter") {
    g.arc(0, 0, size, 0, 2 * Math.PI);
  } else if (t.category === "aeroplane") {
    g.rotate((t.track_deg * Math.PI) / 180);
    g.moveTo(0, -size * 1.5); g.lineTo(size, size); g.lineTo(0, size * 0.4); g.lineTo(-size, size); g.closePath();
  } else {
    g.rect(-size, -size, 2 * size, 2 * size);
  }
  if (filled) g.fill();
  else { g.fillStyle = "#0a1118"; g.fill(); }
  g.stroke();
  if (t.category === "helicopter") {
    g.strokeStyle = filled ? "#0a1118" : g.strokeStyle;
    g.beginPath();
    g.moveTo(-size * 0.7, -size * 0.7); g.lineTo(size * 0.7, size * 0.7);
    g.moveTo(size * 0.7, -size * 0.7); g.lineTo(-size * 0.7, size * 0.7);
    g.stroke();
  }
  g.restore();
};

/** Finds free places for data blocks. */
class Placed {
  private taken: [number, number, number, number][] = [];
  free(x: number, y: number, w: number, h: number): boolean {
    return this.taken.every(([a, b, c, d]) => x + w < a || a + c < x || y + h < b || b + d < y);
  }
  take(x: number, y: number, w: number, h: number) {
    this.taken.push([x, y, w, h]);
  }
}

const OFFSETS: Point[] = [[12, -26], [12, 8], [-86, -26], [-86, 8], [16, -8]];

const dataBlock = (g: G, placed: Placed, t: Track, x: number, y: number, must: boolean) => {
  const climb = t.climb_mps > 1 ? "↑" : t.climb_mps < -1 ? "↓" : "";
  const lines = [t.callsign || t.id, `${altitudeText(t)}${climb} ${Math.round(t.speed_mps / KNOT)}${t.outside ? " !" : ""}`];
  const [w, h] = [74, 24];
  const offset = OFFSETS.find(([dx, dy]) => placed.free(x + dx, y + dy, w, h)) ?? (must ? OFFSETS[0] : undefined);
  if (!offset) return;
  const [bx, by] = [x + offset[0], y + offset[1]];
  placed.take(bx, by, w, h);
  g.globalAlpha = 0.5;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(offset[0] < 0 ? bx + w - 4 : bx - 2, by + h / 2);
  g.stroke();
  g.globalAlpha = 1;
  lines.forEach((line, i) => g.fillText(line, bx, by + 10 + i * 12));
};

const drawConflicts = (g: G, view: View, width: number, height: number, scene: Scene, found: Map<string, Track>) => {
  for (const alert of scene.alerts) {
    if (alert.closed_ms !== null || !alert.place) continue;
    const chosen = scene.chosen === alert.key.id;
    g.strokeStyle = g.fillStyle = LEVEL_COLOUR[alert.level];
    g.lineWidth = chosen ? 3 : 1.5;
    const ends = [alert.key.first, alert.key.second].map((s) => found.get(`${s.party}:${s.id}`));
    const at = toScreen(view, width, height, project(alert.place));
    for (const end of ends) {
      if (!end) continue;
      const [x, y] = toScreen(view, width, height, project(end.at));
      g.setLineDash([6, 4]);
      g.beginPath();
      g.moveTo(x, y);
      g.lineTo(at[0], at[1]);
      g.stroke();
      g.setLineDash([]);
      g.beginPath();
      g.arc(x, y, 13, 0, 2 * Math.PI);
      g.stroke();
    }
    g.beginPath();
    g.moveTo(at[0] - 5, at[1] - 5); g.lineTo(at[0] + 5, at[1] + 5);
    g.moveTo(at[0] + 5, at[1] - 5); g.lineTo(at[0] - 5, at[1] + 5);
    g.stroke();
  }
};

export const drawTraffic = (g: G, view: View, width: number, height: number, scene: Scene) => {
  drawPlans(g, view, width, height, scene);
  const found = new Map(scene.tracks.map((t) => [`${t.party}:${t.id}`, t]));
  drawConflicts(g, view, width, height, scene, found);
  const concerned = new Set(
    scene.alerts.filter((a) => a.closed_ms === null).flatMap((a) => [a.key.first, a.key.second].map((s) => `${s.party}:${s.id}`)),
  );
  const seen = scene.tracks
    .map((t) => ({ t, at: toScreen(view, width, height, project(t.at)), concerned: concerned.has(`${t.party}:${t.id}`) }))
    .filter(({ at: [x, y] }) => x > -50 && y > -50 && x < width + 50 && y < height + 50);
  // Those in conflict last, so that they lie on top, but first when labels are placed.
  seen.sort((a, b) => Number(a.concerned) - Number(b.concerned));
  for (const { t, at: [x, y] } of seen) {
    const colour = partyColour(scene.parties, t.party);
    g.strokeStyle = g.fillStyle = colour;
    g.lineWidth = 1.2;
    const [vx, vy] = toScreen(view, width, height, ahead(t, VECTOR_S));
    g.globalAlpha = 0.8;
    g.beginPath();
    g.moveTo(x, y);
    g.lineTo(vx, vy);
    g.stroke();
    g.globalAlpha = 1;
    symbol(g, t, x, y, t.category === "unmanned" ? 3 : 4.5, t.party === scene.own);
  }
  const placed = new Placed();
  g.font = "10px ui-monospace, monospace";
  let labels = 0;
  const order = ({ t, concerned }: (typeof seen)[number]) => (concerned ? 0 : t.category === "unmanned" ? 2 : 1);
  for (const { t, at: [x, y], concerned } of [...seen].sort((a, b) => order(a) - order(b))) {
    if (!concerned && (!scene.showLabels || labels >= MAX_LABELS)) continue;
    labels += 1;
    g.strokeStyle = g.fillStyle = partyColour(scene.parties, t.party);
    dataBlock(g, placed, t, x, y, concerned);
  }
};

/** A scale bar in nautical miles. */
export const drawScale = (g: G, view: View, width: number, height: number, lat: number) => {
  const perMile = pixels(view, 1852, lat);
  const miles = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((m) => m * perMile > 60) ?? 1000;
  const [x, y] = [width - miles * perMile - 16, height - 14];
  g.strokeStyle = g.fillStyle = "#8a9aa5";
  g.lineWidth = 1.5;
  g.beginPath();
  g.moveTo(x, y - 5); g.lineTo(x, y); g.lineTo(x + miles * perMile, y); g.lineTo(x + miles * perMile, y - 5);
  g.stroke();
  g.font = "11px system-ui, sans-serif";
  g.fillText(`${miles} NM`, x + 4, y - 5);
};
