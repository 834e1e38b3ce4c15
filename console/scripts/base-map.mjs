// Makes the offline base map from Natural Earth (public domain, by way of the world-atlas package):
// coasts and borders as lists of lines, coordinates in thousandths of a degree, differences only.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, mesh } from "topojson-client";

const require = createRequire(import.meta.url);
const atlas = JSON.parse(readFileSync(require.resolve("world-atlas/countries-10m.json"), "utf8"));
const GRID = 1000;

const packed = (line) => {
  const out = [];
  let [lastX, lastY] = [0, 0];
  for (const [lon, lat] of line) {
    const [x, y] = [Math.round(lon * GRID), Math.round(lat * GRID)];
    if (out.length > 0 && x === lastX && y === lastY) continue;
    out.push(x - lastX, y - lastY);
    [lastX, lastY] = [x, y];
  }
  return out;
};

const land = feature(atlas, atlas.objects.land).features.flatMap(({ geometry }) =>
  (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates).map((rings) => rings.map(packed)),
);
const borders = mesh(atlas, atlas.objects.countries, (a, b) => a !== b).coordinates.map(packed);

mkdirSync(new URL("../public", import.meta.url), { recursive: true });
const file = new URL("../public/base-map.json", import.meta.url);
writeFileSync(file, JSON.stringify({ grid: GRID, land, borders }));
console.log(`base map: ${land.length} land areas, ${borders.length} borders`);
