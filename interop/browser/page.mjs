// What a softphone page does for its user, without a face: it rings, answers, holds, moves and listens. Runs in the page.

// What is judged at a time: 100 ms, in which whole periods of every tone fit.
const WINDOW_S = 0.1;

const news = [];
const waiting = [];
const samples = [];
let token, id, peer, leg, context, withoutUdp;

globalThis.phone = {
    // Opens the browser: it rings from now on.
    async open(accessToken) {
        token = accessToken;
        const response = await ask("GET", "/fermata/v1/ringing");
        expect(response, 200);
        // It ends with the server, or with the token.
        read(response.body.pipeThrough(new TextDecoderStream()).getReader()).catch(() => {});
    },

    // Waits for the next piece of news of a kind.
    async news(kind) {
        const event = await next(kind);
        if (kind === "called") id = event.id;
        return event;
    },

    // `without`: what the user's network does not let through.
    async answer(without) {
        withoutUdp = without === "udp";
        leg = (await connect("POST", `/fermata/v1/ringing/${id}`, 201)).headers.get("location");
    },

    async decline() {
        expect(await ask("DELETE", `/fermata/v1/ringing/${id}`), 204);
    },

    // Another direction: the user's own hold, or its end.
    async turn(direction) {
        peer.getTransceivers()[0].direction = direction;
        await change();
    },

    // Other sockets, and so another address: what a page does when its network has changed.
    async restartIce() {
        const before = await selectedPort();
        peer.restartIce();
        await change();
        await until(async () => peer.connectionState === "connected" && (await selectedPort()) !== before);
    },

    // What a page does that was reloaded: the session is gone, the leg is not.
    async reconnect() {
        const before = peer;
        await connect("POST", leg, 200);
        before.close();
    },

    async leave() {
        expect(await ask("DELETE", leg), 204);
        peer.close();
    },

    // The page goes without a word.
    close() {
        peer.close();
    },

    // Listens for some seconds. Returns the levels of tones in dBFS, window by window.
    async listen({ seconds, tones }) {
        const from = samples.length;
        const size = Math.round(context.sampleRate * WINDOW_S);
        await until(() => samples.length - from >= seconds * context.sampleRate);
        const windows = [];
        for (let at = from; at + size <= samples.length; at += size) {
            windows.push(tones.map((hz) => level(samples.slice(at, at + size), hz)));
        }
        return windows;
    },

    async statistics() {
        const all = [...(await peer.getStats()).values()];
        const inbound = all.find((report) => report.type === "inbound-rtp");
        const remote = all.find((report) => report.type === "remote-inbound-rtp");
        const transport = all.find((report) => report.type === "transport");
        const pair = all.find((report) => report.id === transport?.selectedCandidatePairId);
        const local = all.find((report) => report.id === pair?.localCandidateId);
        return { received: inbound?.packetsReceived, lost: inbound?.packetsLost, lossOfOurs: remote?.fractionLost, protocol: local?.protocol };
    },
};

function ask(method, path, body, headers = {}) {
    return fetch(path, { method, body, headers: { authorization: `Bearer ${token}`, ...headers } });
}

// A session of its own, whatever there was before.
async function connect(method, path, status) {
    const microphone = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    peer = new RTCPeerConnection();
    peer.ontrack = (event) => hear(event.streams[0] ?? new MediaStream([event.track]));
    peer.addTransceiver(microphone.getAudioTracks()[0], { direction: "sendrecv", streams: [microphone] });
    const response = await offer(method, path);
    expect(response, status);
    await accept(response);
    await state("connected");
    return response;
}

// There is no trickling: the offer has every candidate in it.
async function offer(method, path) {
    await peer.setLocalDescription(await peer.createOffer());
    await until(() => peer.iceGatheringState === "complete");
    return ask(method, path, reachable(peer.localDescription.sdp), { "content-type": "application/sdp" });
}

async function change() {
    const response = await offer("PATCH", leg);
    expect(response, 200);
    await accept(response);
}

async function accept(response) {
    await peer.setRemoteDescription({ type: "answer", sdp: reachable(await response.text()) });
}

// A network that lets no UDP through is, to both sides, as if there were no such candidates.
function reachable(sdp) {
    const isReachable = (line) => !withoutUdp || !/^a=candidate:.* udp /i.test(line);
    return sdp.split("\r\n").filter(isReachable).join("\r\n");
}

function expect(response, status) {
    if (response.status !== status) throw new Error(`${response.url}: ${response.status}`);
}

async function selectedPort() {
    const report = await peer.getStats();
    const transport = [...report.values()].find((entry) => entry.type === "transport");
    return report.get(report.get(transport?.selectedCandidatePairId)?.localCandidateId)?.port;
}

async function read(reader) {
    let text = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += value;
        const events = text.split("\n\n");
        text = events.pop();
        for (const event of events) take(event.split("\n"));
    }
}

function take(lines) {
    const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    if (field("event") === undefined) return;
    news.push({ kind: field("event"), ...JSON.parse(field("data")) });
    waiting.splice(0).forEach((resume) => resume());
}

async function next(kind) {
    for (;;) {
        const at = news.findIndex((event) => event.kind === kind);
        if (at >= 0) return news.splice(at, 1)[0];
        await new Promise((resume) => waiting.push(resume));
    }
}

// A remote stream reaches WebAudio only while it hangs on an element, too.
function hear(stream) {
    const element = new Audio();
    element.srcObject = stream;
    element.muted = true;
    element.play();
    context?.close();
    context = new AudioContext();
    const recorder = context.createScriptProcessor(1024, 1, 1);
    recorder.onaudioprocess = (event) => {
        for (const sample of event.inputBuffer.getChannelData(0)) samples.push(sample);
    };
    context.createMediaStreamSource(stream).connect(recorder);
    recorder.connect(context.destination);
}

// The level of a tone (Goertzel), where a sine of full scale is at -3 dBFS.
function level(window, hz) {
    const step = (2 * Math.PI * hz) / context.sampleRate;
    let real = 0;
    let imaginary = 0;
    window.forEach((sample, at) => {
        real += sample * Math.cos(step * at);
        imaginary += sample * Math.sin(step * at);
    });
    const rms = (Math.SQRT2 * Math.hypot(real, imaginary)) / window.length;
    return Math.max(20 * Math.log10(rms), -120);
}

async function state(wanted) {
    await until(() => peer.connectionState === wanted);
}

async function until(holds) {
    while (!(await holds())) await new Promise((resume) => setTimeout(resume, 10));
}
