// How loud somebody is, on a scale that ends where nobody would hear anything any more.

import { levels } from "./store";

/** The left end, in dBFS. Speech is around -25; the noise of a quiet office below -55. */
const FLOOR_DBFS = -60;

export function Meter({ participant, name, initial }: { participant: string; name: string; initial: number }) {
  const level = levels.value.get(participant) ?? initial;
  const shown = Math.max(FLOOR_DBFS, Math.min(0, level));
  const isSilent = level <= FLOOR_DBFS;
  return (
    <div
      class="meter"
      role="meter"
      aria-label={`Level of ${name}`}
      aria-valuemin={FLOOR_DBFS}
      aria-valuemax={0}
      aria-valuenow={shown}
      aria-valuetext={isSilent ? "silent" : `${Math.round(level)} dBFS`}
    >
      <span class="meter-bar">
        <span class="meter-fill" style={{ transform: `scaleX(${1 - shown / FLOOR_DBFS})` }} />
      </span>
      <span class="meter-figure" aria-hidden="true">
        {isSilent ? "–" : `${Math.round(level)} dB`}
      </span>
    </div>
  );
}
