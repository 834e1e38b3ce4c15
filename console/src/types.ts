// What the node sends: see crates/hotline-node/src/view.rs.

export type Level = "advisory" | "caution" | "warning";
export type LineState = "normal" | "degraded" | "down";
export type DeliveryState = "queued" | "sent" | "delivered" | "read";
export type Lonlat = [number, number];

export interface Subject { party: string; id: string }

export interface ConflictKey { id: string; kind: string; first: Subject; second: Subject }

export interface Closest { in_s: number; horizontal_m: number; vertical_m: number }

export interface Detection {
  key: ConflictKey;
  level: Level;
  detected_ms: number;
  begins_ms: number;
  ends_ms: number;
  closest: Closest | null;
  place: Lonlat;
}

export interface Ack { officer: string; time_ms: number; level: Level }

export interface Alert {
  key: ConflictKey;
  level: Level;
  raised_ms: number;
  due_ms: number;
  detected_ms: number | null;
  begins_ms: number | null;
  ends_ms: number | null;
  closest: Closest | null;
  place: Lonlat | null;
  asserted_by: string[];
  awaits: string[];
  acks: Record<string, Ack>;
  missed: { party: string; level: Level }[];
  closed_ms: number | null;
  /** Shown by this console at once, before the node has recorded it. */
  unrecorded?: boolean;
}

export interface Peer {
  party: string;
  state: LineState;
  since_ms: number;
  last_answer_ms: number | null;
  round_trip_ms: number | null;
  clock_ahead_ms: number | null;
  held: number;
  receipted: number;
  same_rulebook: boolean;
  disputed: number | null;
}

export interface Delivery {
  number: number;
  kind: string;
  about: string;
  queued_ms: number;
  reached: Record<string, [DeliveryState, number][]>;
}

export interface Volume {
  area: { centre: Lonlat; radius_m: number } | { vertices: Lonlat[] };
  lower_m: number;
  upper_m: number;
  datum: "w84" | "baro" | "agl";
  start_ms: number;
  end_ms: number;
}

export interface Flight extends Subject {
  version: number;
  callsign: string;
  category: string;
  purpose: string;
  aircraft: number;
  squawk: string | null;
  late: boolean;
  volumes: Volume[];
}

export interface Restriction extends Subject { reason: string; volumes: Volume[] }

export interface Plans { flights: Flight[]; restrictions: Restriction[] }

export interface Track {
  party: string;
  id: string;
  callsign: string;
  category: string;
  flight: string | null;
  at: Lonlat;
  altitude_m: number;
  datum: "w84" | "baro" | "agl";
  speed_mps: number;
  track_deg: number;
  climb_mps: number;
  time_ms: number;
  outside: boolean;
}

export type TrackRow = [
  string, string, string, string, string | null, number, number, number, "w84" | "baro" | "agl", number, number, number, number, boolean,
];

export interface Tracks { now_ms: number; tracks: TrackRow[] }

export interface State {
  now_ms: number;
  speed: number;
  trouble: string | null;
  line: string;
  party: string;
  parties: string[];
  officers: (string | null)[];
  rulebook: { lookahead_s: number; warning_s: number; deadlines: { receipt_s: number } };
  rulebook_hash: string;
  peers: Peer[];
  alerts: Alert[];
  deliveries: Delivery[];
  plans: Plans;
  tracks: Tracks;
}

export const trackOf = (row: TrackRow): Track => {
  const [party, id, callsign, category, flight, lon, lat, altitude_m, datum, speed_mps, track_deg, climb_mps, time_ms, outside] = row;
  return { party, id, callsign, category, flight, at: [lon, lat], altitude_m, datum, speed_mps, track_deg, climb_mps, time_ms, outside };
};
