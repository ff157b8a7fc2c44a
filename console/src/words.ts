// How things are called on the page.

import type { Call, IdentitySet, Layer, Operation, Owner, Participant } from "./wire";

export function nameOf(identity: IdentitySet): string {
  const known = identity.user ?? identity.application ?? identity.phone;
  return known?.displayName || readableAddress(known?.id ?? "Somebody").split("@")[0]!;
}

export function nameIn(call: Call, participantId: string | null): string {
  const found = call.participants.find((participant) => participant.id === participantId);
  return found ? nameOf(found.identity) : "somebody who has left";
}

/** The whole address, where a name or a part stands for it. */
export function addressOf(identity: IdentitySet): string | null {
  const address = identity.phone ? readableAddress(identity.phone.id) : null;
  return address === nameOf(identity) ? null : address;
}

/** People are in a call; the application has only made it. */
export function people(call: Call): Participant[] {
  return call.participants.filter((participant) => !participant.isApplication);
}

export function titleOf(call: Call): string {
  const names = people(call).map((participant) => nameOf(participant.identity));
  return names.length > 0 ? list(names) : "Nobody yet";
}

export function applicationOf(call: Call): string {
  return call.application.displayName || `application ${shortId(call.application.id)}`;
}

export function list(names: string[]): string {
  if (names.length <= 1) return names[0] ?? "";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

const STATES: Record<string, string> = {
  incoming: "Ringing at the bot",
  establishing: "Calling",
  established: "Established",
  terminating: "Ending",
  terminated: "Ended",
  redirecting: "Being redirected",
  transferring: "Being transferred",
};

export function stateOf(call: Call): string {
  return STATES[call.state] ?? call.state;
}

export function hears(call: Call, participant: Participant): string {
  const { source, participants } = participant.hears;
  switch (source) {
    case "conversation":
      return participants.length > 0 ? list(participants.map((id) => nameIn(call, id))) : "Nobody";
    case "music":
      return "Hold music";
    case "silence":
      return "Silence, until the music is there";
    case "nothing":
      return "Nothing: its phone is not listening";
  }
}

export function heardBy(call: Call, participant: Participant): string {
  return participant.heardBy.length > 0 ? list(participant.heardBy.map((id) => nameIn(call, id))) : "Nobody";
}

export function layerName({ layer, phase }: Layer): string {
  switch (layer) {
    case "remoteHold":
      return "Held at the phone";
    case "muted":
      return "Muted";
    case "holdMusic":
      if (phase === "stopping") return "Coming back";
      return phase === "playing" ? "On hold" : "On hold, music loading";
  }
}

export function ownerName(owner: Owner): string {
  if (owner.kind === "phone") return "the phone itself";
  const name = owner.displayName || (owner.id ? `${owner.kind} ${shortId(owner.id)}` : owner.kind);
  return owner.kind === "operator" ? `${name} (operator)` : name;
}

export function layerOf(participant: Participant, layer: Layer["layer"]): Layer | undefined {
  return participant.layers.find((other) => other.layer === layer);
}

export function isHeld(participant: Participant): boolean {
  return layerOf(participant, "holdMusic") !== undefined;
}

const OPERATIONS: Record<string, string> = {
  startHoldMusic: "Hold",
  stopHoldMusic: "Take off hold",
  inviteParticipants: "Invite",
  muteParticipant: "Mute",
  unmuteParticipant: "Unmute",
  subscribeToTone: "Listen for keys",
  sendDtmfTones: "Send keys",
};

export function operationName(operation: Operation): string {
  return OPERATIONS[operation.kind] ?? operation.kind;
}

const CODECS: Record<string, string> = { opus: "Opus", G722: "G.722", PCMU: "G.711 µ-law", PCMA: "G.711 A-law" };

export function codecName(codec: string): string {
  return CODECS[codec] ?? codec;
}

const TRANSPORTS: Record<string, string> = { udp: "SIP over UDP", tcp: "SIP over TCP", tls: "SIP over TLS", browser: "Browser" };

export function transportName(transport: string): string {
  return TRANSPORTS[transport] ?? transport;
}

export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** `sip:alice@192.0.2.1:5062;transport=udp` is an address to machines, `alice@192.0.2.1` to people. */
export function readableAddress(id: string): string {
  return id.replace(/^sips?:/, "").replace(/[;?].*$/, "").replace(/:\d+$/, "");
}
