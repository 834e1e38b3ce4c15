// The base map: land and borders from the node itself; nothing leaves the machine.
import type { Lonlat } from "../types";
import { project, toScreen, type Point, type View } from "./projection";

interface Packed { grid: number; land: number[][][]; borders: number[][] }
interface Shape { path: Path2D; box: [number, number, number, number] }
interface Overlay {
  features: { properties: { kind: string; name?: string }; geometry: { type: string; coordinates: unknown } }[];
}

export interface Base { land: Shape[]; borders: Shape[]; rivers: Point[][]; towns: { name: string; at: Point }[] }

const shapeOf = (lines: number[][], grid: number, close: boolean): Shape => {
  const path = new Path2D();
  const box: Shape["box"] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const line of lines) {
    let [lon, lat] = [0, 0];
    for (let i = 0; i < line.length; i += 2) {
      lon += line[i] ?? 0;
      lat += line[i + 1] ?? 0;
      const [x, y] = project([lon / grid, lat / grid]);
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y); box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    }
    if (close) path.closePath();
  }
  return { path, box };
};

export const loadBase = async (): Promise<Base> => {
  const [packed, overlay] = (await Promise.all(
    ["/base-map.json", "/console/overlay"].map(async (url) => (await fetch(url)).json()),
  )) as [Packed, Overlay];
  const lines = overlay.features.filter((f) => f.geometry.type === "LineString");
  const points = overlay.features.filter((f) => f.geometry.type === "Point");
  return {
    land: packed.land.map((rings) => shapeOf(rings, packed.grid, true)),
    borders: packed.borders.map((line) => shapeOf([line], packed.grid, false)),
    rivers: lines.map((f) => (f.geometry.coordinates as Lonlat[]).map(project)),
    towns: points.map((f) => ({ name: f.properties.name ?? "", at: project(f.geometry.coordinates as Lonlat) })),
  };
};

export const drawBase = (g: CanvasRenderingContext2D, base: Base | null, view: View, width: number, height: number) => {
  g.fillStyle = "#0a1118";
  g.fillRect(0, 0, width, height);
  if (!base) return;
  const [halfX, halfY] = [width / 2 / view.scale, height / 2 / view.scale];
  g.save();
  g.translate(width / 2, height / 2);
  g.scale(view.scale, view.scale);
  for (const copy of [-1, 0, 1]) {
    const [x0, x1] = [view.x - halfX - copy, view.x + halfX - copy];
    if (x1 < 0 || x0 > 1) continue;
    const seen = ({ box }: Shape) => box[0] <= x1 && box[2] >= x0 && box[1] <= view.y + halfY && box[3] >= view.y - halfY;
    g.save();
    g.translate(copy - view.x, -view.y);
    g.fillStyle = "#141c22";
    for (const shape of base.land) if (seen(shape)) g.fill(shape.path, "evenodd");
    g.strokeStyle = "#33424d";
    g.lineWidth = 1 / view.scale;
    for (const shape of base.borders) if (seen(shape)) g.stroke(shape.path);
    g.restore();
  }
  g.restore();

  g.strokeStyle = "#23516e";
  g.lineWidth = 2.5;
  g.lineJoin = "round";
  for (const river of base.rivers) {
    g.beginPath();
    river.forEach((p, i) => {
      const [x, y] = toScreen(view, width, height, p);
      if (i === 0) g.moveTo(x, y);
      else g.lineTo(x, y);
    });
    g.stroke();
  }
  g.font = "11px system-ui, sans-serif";
  for (const town of base.towns) {
    const [x, y] = toScreen(view, width, height, town.at);
    g.fillStyle = "#5b6b76";
    g.fillRect(x - 2, y - 2, 4, 4);
    g.fillText(town.name, x + 6, y + 12);
  }
};
