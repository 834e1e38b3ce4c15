// What the node sends: see crates/hotline-node/src/view.rs.

export type Level = "advisory" | "caution" | "warning";
export type LineState = "normal" | "degraded" | "down" | "suspended";
export type DeliveryState = "queued" | "sent" | "delivered" | "read" | "answered" | "expired" | "escalated";
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
  missed: { party: string; level: Level; stage: string }[];
  unreported: string[];
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
  member: boolean;
  shown: number;
  waits_for: string | null;
  offences: Record<string, number>;
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
  unit: string;
  withheld: boolean;
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
  persons: Person[];
  rulebook: Rulebook;
  rulebook_hash: string;
  peers: Peer[];
  alerts: Alert[];
  deliveries: Delivery[];
  plans: Plans;
  tracks: Tracks;
  dealings: Dealings;
}

// ---- what persons say, owe and decide: see crates/hotline-node/src/view_line.rs ----

export interface Person { holder: string; name: string; role: "officer" | "supervisor" }

export interface Rulebook {
  line: string;
  version: number;
  parties: string[];
  lookahead_s: number;
  warning_s: number;
  deadlines: Record<string, number>;
  voting: Record<string, { matters: string[]; needed: number | string; veto: string[]; dispute_abstains: boolean }>;
}

export interface Words { phrase: string | null; parameters: Record<string, string>; language: string; text: string }

export interface Spoken {
  statement: string;
  party: string;
  time_ms: number;
  person: { holder: string; role: string };
  name: string;
  kind: string;
  deed: {
    to?: string[];
    words?: Words;
    reply_to?: string | null;
    read_back?: boolean;
    statement?: string;
    reply?: { how: string; words?: Words; essentials?: Record<string, string> };
    about?: string;
    case?: string | null;
    step?: { step: string; words?: Words };
    proposal?: string;
    choice?: string;
  };
}

export interface Obligation {
  id: string;
  statement: string;
  from: string;
  by: string;
  owed: "read" | "answer" | "check" | "position" | "vote";
  said_ms: number;
  due_ms: number;
  read_ms: number | null;
  met: { statement: string; time_ms: number; how: string; words: Words | null } | null;
  missed: "next-officer" | "supervisor" | "call-sheet" | null;
  read_back: Record<string, string> | null;
  misread: Record<string, string> | null;
}

export interface Remark { statement: string; time_ms: number; words: Words }

export interface Case {
  case: string;
  opened_ms: number;
  kind: string;
  status: "open" | "raised" | "resolved";
  overdue: boolean;
  severity: string;
  owner: string;
  due_ms: number;
  words: Words;
  involved: string[];
  statements: string[];
  subjects: string[];
  positions: Record<string, Remark[]>;
  resolved: Record<string, Remark>;
  raised: Record<string, Remark>;
  reopened: Remark | null;
}

export interface Ballot {
  proposal: string;
  party: string;
  number: number;
  time_ms: number;
  words: Words;
  class: string;
  change: { matter: string; party?: string; toml?: string; address?: string; root_words?: string | null };
  deadline_ms: number;
  dispute: string[];
  votes: Record<string, "yes" | "no" | "abstain" | "absent" | "pending">;
  outcome: string | null;
  void: string | null;
  may_vote: boolean;
}

export interface Dealings {
  spoken: Spoken[];
  obligations: Obligation[];
  cases: Case[];
  ballots: Ballot[];
  standings: { suspended: Record<string, { since_ms: number; words: Words }>; members: string[]; withheld: number };
  speech: { state: string; why: string | null };
}

export interface HealthDay {
  date: string;
  index: number;
  components: { name: string; weight: number; score: number | null }[];
  mean_time_s: number | null;
  conflicts: number;
  flights: number;
  protests_open: number;
}

export interface Health { days: HealthDay[]; lowest_ever: boolean | null }

export const trackOf = (row: TrackRow): Track => {
  const [party, id, callsign, category, flight, lon, lat, altitude_m, datum, speed_mps, track_deg, climb_mps, time_ms, outside] = row;
  return { party, id, callsign, category, flight, at: [lon, lat], altitude_m, datum, speed_mps, track_deg, climb_mps, time_ms, outside };
};
