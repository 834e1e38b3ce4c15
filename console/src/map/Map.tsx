// The map: a canvas that is drawn anew when anything on it changes, moved with mouse, touch or keys.
import { createEffect, createSignal, onCleanup, onMount } from "solid-js";
import { known, nodeNow, now, plans, tracks } from "../node";
import { chosen, showLabels, showPlans } from "../settings";
import { drawBase, loadBase, type Base } from "./base";
import { drawScale, drawTraffic } from "./draw";
import { fitting, MAX_SCALE, MIN_SCALE, project, type View } from "./projection";

const [view, setView] = createSignal<View>({ x: 0.5, y: 0.4, scale: 1_000 });
let size = { width: 800, height: 600 };

/** Shows all aircraft. */
export const fit = () => {
  const fitted = fitting(tracks().map((t) => project(t.at)), size.width, size.height);
  if (fitted) setView(fitted);
};

const zoom = (factor: number, x: number, y: number) =>
  setView((v) => {
    const scale = Math.max(MIN_SCALE, Math.min(MAX_SCALE, v.scale * factor));
    const [dx, dy] = [x - size.width / 2, y - size.height / 2];
    return { scale, x: v.x + dx / v.scale - dx / scale, y: v.y + dy / v.scale - dy / scale };
  });

export const Map = () => {
  let canvas!: HTMLCanvasElement;
  const [base, setBase] = createSignal<Base | null>(null);
  const [resized, setResized] = createSignal(0);
  let fitted = false;
  let asked = false;

  const draw = () => {
    asked = false;
    const g = canvas.getContext("2d");
    if (!g) return;
    const { width, height } = size;
    g.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawBase(g, base(), view(), width, height);
    const scene = {
      parties: known.parties, own: known.party, tracks: tracks(), plans: plans(), alerts: Object.values(known.alerts), now: nodeNow(),
      chosen: chosen(), showPlans: showPlans(), showLabels: showLabels(),
    };
    drawTraffic(g, view(), width, height, scene);
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * view().y))) * 180) / Math.PI;
    drawScale(g, view(), width, height, lat);
  };

  createEffect(() => {
    if (!fitted && tracks().length > 0) {
      fitted = true;
      fit();
    }
  });
  createEffect(() => {
    // Everything that the drawing depends on.
    [base(), view(), tracks(), plans(), chosen(), showPlans(), showLabels(), resized(), now(), Object.keys(known.alerts).length];
    if (!asked) {
      asked = true;
      requestAnimationFrame(draw);
    }
  });

  onMount(() => {
    void loadBase().then(setBase);
    const observer = new ResizeObserver(() => {
      const box = canvas.getBoundingClientRect();
      size = { width: box.width, height: box.height };
      canvas.width = Math.round(box.width * devicePixelRatio);
      canvas.height = Math.round(box.height * devicePixelRatio);
      setResized((n) => n + 1);
    });
    observer.observe(canvas);
    onCleanup(() => observer.disconnect());
  });

  const held = new globalThis.Map<number, [number, number]>();
  const onMove = (e: PointerEvent) => {
    const before = held.get(e.pointerId);
    if (!before) return;
    held.set(e.pointerId, [e.offsetX, e.offsetY]);
    const others = [...held.entries()].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
    const other = others[0];
    if (other) {
      const distance = ([x, y]: [number, number]) => Math.hypot(x - other[0], y - other[1]);
      zoom(distance([e.offsetX, e.offsetY]) / Math.max(1, distance(before)), other[0], other[1]);
    } else {
      setView((v) => ({ ...v, x: v.x - (e.offsetX - before[0]) / v.scale, y: v.y - (e.offsetY - before[1]) / v.scale }));
    }
  };

  return (
    <canvas
      ref={canvas}
      class="map"
      data-testid="map"
      onPointerDown={(e) => { canvas.setPointerCapture(e.pointerId); held.set(e.pointerId, [e.offsetX, e.offsetY]); }}
      onPointerMove={onMove}
      onPointerUp={(e) => held.delete(e.pointerId)}
      onPointerCancel={(e) => held.delete(e.pointerId)}
      onWheel={(e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY * 0.0015), e.offsetX, e.offsetY); }}
    />
  );
};
