// Reads server-sent events from a stream of text (HTML, section 9.2.6). EventSource cannot send a token, so it is fetched.

export interface Message {
  event: string;
  data: string;
}

/** Takes text as it comes, and hands over each message when it is whole. */
export class MessageReader {
  private rest = "";
  private event = "";
  private data: string[] = [];

  constructor(private readonly take: (message: Message) => void) {}

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  private line(line: string): void {
    if (line === "") return this.end();
    const colon = line.indexOf(":");
    // A line that begins with a colon is a comment: it says that somebody is there.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    if (field === "data") this.data.push(value);
  }

  private end(): void {
    if (this.data.length > 0) this.take({ event: this.event || "message", data: this.data.join("\n") });
    this.event = "";
    this.data = [];
  }
}
