// States of the console that somebody may meet, as the server would send them. They are made up; what the server really
// sends is tried in hold.test.mjs.

/** A moment, in seconds before the page is opened. */
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const guid = (number) => `${String(number).padStart(8, "0")}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`;

const BOT = { kind: "application", id: "22222222-2222-4222-8222-222222222222", displayName: "Reception bot" };
const OPERATOR = { kind: "operator", id: guid(1), displayName: "Alice" };
const PHONE = { kind: "phone", id: null, displayName: null };

let count = 100;

function media(changes = {}) {
  return {
    transport: "udp", codec: "opus", encryption: null, packetsReceived: 5123, packetsLost: 2, lossPercent: 0,
    jitterMilliseconds: 1.2, playoutDelayMilliseconds: 20, concealedFrames: 2, packetsSent: 5120,
    remoteLossPercent: 0, roundTripMilliseconds: 0.9, level: -24, ...changes,
  };
}

function person(name, { address, layers = [], state = "joined", ...changes } = {}) {
  const identity = address
    ? { application: null, user: null, phone: { id: address, displayName: name } }
    : { application: null, user: { id: guid(++count), displayName: name }, phone: null };
  return {
    id: guid(++count), identity, state, isApplication: false, isMuted: layers.some(({ layer }) => layer === "muted"),
    direction: "sendReceive", since: ago(160), layers, hears: null, heardBy: [], media: state === "joined" ? media() : null, ...changes,
  };
}

/** Says who hears whom, as the layers have it. */
function together(participants) {
  const has = (participant, layer) => participant.layers.some((other) => other.layer === layer);
  const joined = participants.filter(({ state }) => state === "joined");
  const apart = (participant) => has(participant, "holdMusic") || has(participant, "remoteHold");
  const heard = (participant) => !apart(participant) && !has(participant, "muted");
  for (const participant of participants) {
    const others = joined.filter((other) => other !== participant);
    const source = has(participant, "remoteHold") ? "nothing" : has(participant, "holdMusic") ? "music" : "conversation";
    participant.hears = { source, participants: source === "conversation" ? others.filter(heard).map(({ id }) => id) : [] };
    participant.heardBy = heard(participant) ? others.filter((other) => !apart(other)).map(({ id }) => id) : [];
    if (!heard(participant) && participant.media) participant.media = { ...participant.media, level: -100 };
  }
  return participants;
}

function operation(kind, participant, changes = {}) {
  return {
    id: guid(++count), kind, status: "completed", clientContext: "5f0d", participantId: participant?.id ?? null, by: BOT,
    createdDateTime: ago(80), endedDateTime: ago(79.6), phases: [], resultInfo: null, ...changes,
  };
}

function call(participants, changes = {}) {
  return {
    id: guid(++count), conversationId: guid(++count), revision: 1, state: "established", kind: "group",
    application: { id: BOT.id, displayName: BOT.displayName }, createdDateTime: ago(163), endedDateTime: null,
    resultInfo: null, participants: together(participants), operations: [], ...changes,
  };
}

const holdMusic = (changes = {}) => ({ layer: "holdMusic", phase: "playing", since: ago(41), owner: BOT, operationId: guid(++count), ...changes });

function heldCall() {
  const bob = person("Bob Okafor", { layers: [holdMusic()], media: media({ codec: "G722", transport: "tls", encryption: "AEAD_AES_256_GCM", jitterMilliseconds: 3.4 }) });
  const alice = person("Alice Lindqvist", { media: media({ codec: "PCMU", level: -18 }) });
  const carol = person("Carol", { address: "sip:+4930901820@trunk.example", media: media({ codec: "PCMA", transport: "tcp", lossPercent: 2.4, remoteLossPercent: 1.2, jitterMilliseconds: 14.2, level: -33 }), layers: [{ layer: "muted", phase: null, since: ago(12), owner: OPERATOR, operationId: guid(++count) }] });
  const hold = operation("startHoldMusic", bob, {
    createdDateTime: ago(41.2), endedDateTime: ago(41),
    phases: [{ phase: "loading", since: ago(41.2) }, { phase: "starting", since: ago(41.04) }],
  });
  const mute = operation("muteParticipant", carol, { by: OPERATOR, createdDateTime: ago(12), endedDateTime: ago(12) });
  const invite = operation("inviteParticipants", carol, { createdDateTime: ago(150), endedDateTime: ago(143) });
  return call([alice, bob, carol], { operations: [invite, hold, mute] });
}

function failedCall() {
  const dana = person("Dana Petrov");
  const eli = person("Eli", { address: "sip:eli@192.0.2.14:5062" });
  const failed = operation("startHoldMusic", dana, {
    status: "failed", createdDateTime: ago(9), endedDateTime: ago(5.9),
    phases: [{ phase: "loading", since: ago(9) }],
    resultInfo: { code: 400, subcode: 8534, message: "The prompt could not be fetched: the server answered 404." },
  });
  const before = operation("startHoldMusic", eli, { phases: [{ phase: "loading", since: ago(80) }, { phase: "starting", since: ago(79.8) }] });
  return call([dana, eli], { operations: [before, operation("stopHoldMusic", eli, { createdDateTime: ago(60), endedDateTime: ago(59.9) }), failed] });
}

const NAMES = [
  ["Farid Haddad", "Greta Sørensen"], ["Hana Kim", "Ivo Marković", "Jun"], ["Kofi Mensah"], ["Lena Vogel", "Mateo Ruiz"],
  ["Noor de Vries", "Oskar", "Priya Raman", "Quentin"], ["Rosa Almeida", "Sam"], ["Tove", "Uma Joshi"],
];

function tenCalls() {
  const others = NAMES.map((names, index) =>
    call(
      names.map((name, place) =>
        person(name, { layers: index === 4 && place === 2 ? [{ layer: "remoteHold", phase: null, since: ago(30), owner: PHONE, operationId: null }] : [], state: index === 2 ? "ringing" : "joined" }),
      ),
      { createdDateTime: ago(140 - index * 17), state: index === 2 ? "establishing" : "established", kind: names.length > 2 ? "group" : "peerToPeer" },
    ),
  );
  const waiting = call([person("Vera Costa", { layers: [holdMusic({ phase: "loading", since: ago(1) })] }), person("Wim")], { createdDateTime: ago(22) });
  waiting.participants[0].hears.source = "silence";
  return [heldCall(), failedCall(), waiting, ...others];
}

function endedCall() {
  const over = call([person("Xenia", { state: "left" }), person("Yusuf", { state: "left" })], {
    state: "terminated", createdDateTime: ago(400), endedDateTime: ago(250),
    resultInfo: { code: 486, subcode: 10003, message: "The callee is busy." },
  });
  return { ...over, participants: over.participants.map((participant) => ({ ...participant, hears: { source: "nothing", participants: [] }, heardBy: [], media: null })) };
}

function entry(sequence, resource, changes = {}) {
  return {
    sequence, messageId: `msg_${guid(sequence)}`, resourceUrl: `/communications/calls/${guid(9)}${resource}`, changeType: "updated",
    state: "delivered", createdDateTime: ago(160 - sequence * 20), nextAttemptDateTime: null, attemptCount: 1,
    attempts: [{ number: 1, startedDateTime: ago(160 - sequence * 20), durationMs: 12, status: 200, failure: null, nextAttemptDateTime: null }],
    payload: { "@odata.type": "#microsoft.graph.commsNotifications", value: [{ changeType: "updated", resourceUrl: `/communications/calls/${guid(9)}${resource}` }] },
    ...changes,
  };
}

const refused = (number, seconds) => ({ number, startedDateTime: ago(seconds), durationMs: 3, status: null, failure: "connection refused", nextAttemptDateTime: null });

const LEDGER = [entry(1, "", { changeType: "created" }), entry(2, "/participants"), entry(3, ""), entry(4, "/operations/5f0d")];
const DEAD_LEDGER = [
  ...LEDGER.slice(0, 2),
  entry(3, "", { state: "dead", attemptCount: 9, attempts: [refused(7, 40), refused(8, 25), refused(9, 8)] }),
  entry(4, "/operations/5f0d", { state: "dead", attemptCount: 9, attempts: [{ ...refused(9, 7), status: 502, failure: null }] }),
  entry(5, "/participants", { state: "pending", attemptCount: 0, attempts: [], nextAttemptDateTime: ago(-4) }),
];

const moment = (sequence, seconds, kind, name, text, changes = {}) => ({
  sequence, dateTime: ago(seconds), kind, name, outcome: kind === "command" ? "accepted" : null, by: kind === "command" ? BOT : null, participantId: null, operationId: null, text, ...changes,
});

const TIMELINE = {
  dropped: 0,
  value: [
    moment(1, 163, "command", "createCall", "Reception bot called Dana Petrov and Eli."),
    moment(2, 162.9, "effect", "dial", "Dana Petrov's phone is called."),
    moment(3, 162.8, "effect", "dial", "Eli's phone is called."),
    moment(4, 155.2, "fact", "answered", "Dana Petrov has answered."),
    moment(5, 155.1, "notice", "call", "The application is told that the call is established."),
    moment(6, 152.4, "fact", "answered", "Eli has answered."),
    moment(7, 9, "command", "startHoldMusic", "startHoldMusic of Dana Petrov was accepted; operation 00000131 runs."),
    moment(8, 9, "effect", "route", "Dana Petrov and the others are apart."),
    moment(9, 8.9, "effect", "loadPrompt", "The prompt is fetched."),
    moment(10, 5.9, "fact", "promptFailed", "The prompt could not be fetched: the server answered 404."),
    moment(11, 5.9, "effect", "route", "Dana Petrov is back in the conversation."),
    moment(12, 5.9, "notice", "operation", "The application is told that the operation has failed."),
    moment(13, 3, "command", "startHoldMusic", "startHoldMusic of Eli was refused: somebody else is on hold.", { outcome: "refused" }),
  ],
};

const PROMPTS = [
  { uri: "https://media.example/hold/evening.wav", durationSeconds: 94.2, sampleRateHz: 16000, channels: 1, container: "wav", codec: "pcm16", rmsDbfs: -21.4, peakDbfs: -3.1, bytes: 3014400, memoryBytes: 6028800, codecsReady: ["PCMU", "opus"], fetchedDateTime: ago(500), freshUntilDateTime: ago(-3100), isGraphPrompt: true, calls: [guid(9)] },
  { uri: "https://media.example/hold/loud-and-wide-announcement-with-a-long-name.mp3", durationSeconds: 12.04, sampleRateHz: 44100, channels: 2, container: "mp3", codec: "mp3", rmsDbfs: -11.2, peakDbfs: 0, bytes: 192640, memoryBytes: 2400000, codecsReady: ["G722"], fetchedDateTime: ago(4200), freshUntilDateTime: ago(600), isGraphPrompt: false, calls: [] },
  { uri: null, durationSeconds: 48, sampleRateHz: 48000, channels: 1, container: "wav", codec: "pcm16", rmsDbfs: -24, peakDbfs: -6.2, bytes: 4608000, memoryBytes: 4608000, codecsReady: ["PCMU", "G722", "opus"], fetchedDateTime: null, freshUntilDateTime: null, isGraphPrompt: true, calls: [guid(9), guid(8)] },
];

export const PREFLIGHT = {
  uri: "https://media.example/hold/loud.mp3", status: 200, bytes: 192640, durationSeconds: 12.04, sampleRateHz: 44100, channels: 2, container: "mp3", codec: "mp3", rmsDbfs: -11.2, peakDbfs: 0,
  fermata: { isAccepted: true, problems: [] },
  graph: { isAccepted: false, problems: ["It is MP3; Graph wants WAV.", "The sample rate is 44100 Hz; Graph wants 16000 Hz.", "It has 2 channels; Graph wants mono."] },
};

const base = { me: { id: guid(1), name: "alice", displayName: "Alice", roles: ["Console.Operate"], scope: "Console" }, calls: [], ended: [], ledger: LEDGER, timeline: TIMELINE, prompts: PROMPTS };

export const scenes = {
  signedOut: () => ({ ...base, me: null }),
  refused: () => ({ ...base, me: { ...base.me, name: "carol", displayName: "Carol", roles: [] } }),
  empty: () => base,
  held: () => ({ ...base, calls: [heldCall()] }),
  ten: () => ({ ...base, calls: tenCalls(), ended: [endedCall()] }),
  failed: () => ({ ...base, calls: [failedCall()] }),
  dead: () => ({ ...base, calls: [heldCall()], ledger: DEAD_LEDGER }),
  over: () => ({ ...base, ended: [endedCall()] }),
  reader: () => ({ ...base, me: { ...base.me, name: "bob", displayName: "Bob", roles: ["Console.Read"] }, calls: [heldCall()] }),
};

