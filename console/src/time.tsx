// Times and durations, as the reader's own clock has them.

import { now } from "./store";

/** `14:03:27`, or with milliseconds where order matters. */
export function clock(dateTime: string, withMilliseconds = false): string {
  const time = new Date(dateTime);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return withMilliseconds ? `${seconds}.${String(time.getMilliseconds()).padStart(3, "0")}` : seconds;
}

/** `0:07`, `12:40`, `1:02:09`. */
export function duration(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** `740 ms`, `1.2 s`, `2:40`. */
export function shortDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : duration(milliseconds);
}

export function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

/** Counts up since a moment, or stands still when there is an end. */
export function Elapsed({ since, until = null }: { since: string; until?: string | null }) {
  const to = until ? Date.parse(until) : now.value;
  return <time dateTime={since}>{duration(to - Date.parse(since))}</time>;
}

export function Clock({ at, exact = false }: { at: string; exact?: boolean }) {
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {clock(at, exact)}
    </time>
  );
}
