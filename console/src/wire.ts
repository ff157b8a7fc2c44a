// What the server sends, as docs/compat.md and /fermata/v1/openapi.json describe it.

export interface Owner {
  kind: "application" | "operator" | "phone";
  id: string | null;
  displayName: string | null;
}

export interface Identity {
  id: string;
  displayName?: string | null;
}

/** Graph's identitySet: exactly one of them is there. */
export interface IdentitySet {
  application?: Identity | null;
  user?: Identity | null;
  phone?: Identity | null;
}

export interface ResultInfo {
  code: number;
  subcode: number;
  message: string | null;
}

export interface Layer {
  layer: "holdMusic" | "remoteHold" | "muted";
  phase: "loading" | "starting" | "playing" | "stopping" | null;
  since: string;
  owner: Owner;
  operationId: string | null;
}

export interface Media {
  transport: "udp" | "tcp" | "tls" | "browser";
  codec: string;
  /** The profile of SRTP; null in clear. */
  encryption: string | null;
  packetsReceived: number;
  packetsLost: number;
  lossPercent: number;
  jitterMilliseconds: number;
  playoutDelayMilliseconds: number;
  concealedFrames: number;
  packetsSent: number;
  remoteLossPercent: number | null;
  roundTripMilliseconds: number | null;
  /** In dBFS; -100 is silence. */
  level: number;
}

export interface Participant {
  id: string;
  identity: IdentitySet;
  state: "ringing" | "joined" | "left";
  isApplication: boolean;
  isMuted: boolean;
  direction: string;
  since: string;
  layers: Layer[];
  hears: { source: "conversation" | "music" | "silence" | "nothing"; participants: string[] };
  heardBy: string[];
  media: Media | null;
}

export interface Operation {
  id: string;
  kind: string;
  status: "running" | "completed" | "failed";
  clientContext: string | null;
  participantId: string | null;
  by: Owner;
  createdDateTime: string;
  endedDateTime: string | null;
  phases: { phase: string; since: string }[];
  resultInfo: ResultInfo | null;
}

export interface Call {
  id: string;
  conversationId: string;
  revision: number;
  state: string;
  kind: "group" | "peerToPeer";
  application: { id: string; displayName: string | null };
  createdDateTime: string;
  endedDateTime: string | null;
  resultInfo: ResultInfo | null;
  participants: Participant[];
  operations: Operation[];
}

export interface TimelineEntry {
  sequence: number;
  dateTime: string;
  kind: "command" | "fact" | "effect" | "notice";
  name: string;
  outcome: "accepted" | "refused" | "repeated" | null;
  by: Owner | null;
  participantId: string | null;
  operationId: string | null;
  text: string;
}

export interface Timeline {
  value: TimelineEntry[];
  dropped: number;
}

export interface Attempt {
  number: number;
  startedDateTime: string;
  durationMs: number;
  status: number | null;
  failure: string | null;
  nextAttemptDateTime: string | null;
}

export interface LedgerEntry {
  sequence: number;
  messageId: string;
  resourceUrl: string;
  changeType: string;
  state: "pending" | "delivered" | "dead";
  createdDateTime: string;
  nextAttemptDateTime: string | null;
  attemptCount: number;
  attempts: Attempt[];
  payload: unknown;
}

/** What is known of a recording; all is null of what could not be decoded. */
export interface Sound {
  durationSeconds: number | null;
  sampleRateHz: number | null;
  channels: number | null;
  container: string | null;
  codec: string | null;
  /** Of the whole recording, and of its loudest sample. */
  rmsDbfs: number | null;
  peakDbfs: number | null;
}

export interface Prompt extends Sound {
  /** Null: the built-in music. */
  uri: string | null;
  bytes: number | null;
  memoryBytes: number;
  codecsReady: string[];
  fetchedDateTime: string | null;
  freshUntilDateTime: string | null;
  isGraphPrompt: boolean;
  calls: string[];
}

export interface Verdict {
  isAccepted: boolean;
  problems: string[];
}

export interface Preflight extends Sound {
  uri: string;
  status: number | null;
  bytes: number | null;
  fermata: Verdict;
  graph: Verdict;
}

export interface Me {
  id: string;
  name: string;
  displayName: string;
  roles: string[];
  scope: string;
}
