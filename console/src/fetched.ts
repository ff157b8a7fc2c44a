// What is fetched beside the events, and fetched again when something it depends on has changed.

import { useEffect, useState } from "preact/hooks";
import { messageOf } from "./store";

/** Changes come in bursts; a fetch for each would be for nothing. */
const SETTLE_MS = 250;

export interface Fetched<T> {
  value: T | null;
  problem: string | null;
  again(): void;
}

/** Fetches, and keeps what is there while the next answer is under way. `mark` says what the answer depends on. */
export function useFetched<T>(fetch: () => Promise<T>, mark: string | number, everyMs?: number): Fetched<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((turn) => turn + 1);
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(
      () =>
        fetch().then(
          (fetched) => {
            if (!isWanted) return;
            setValue(fetched);
            setProblem(null);
          },
          (error) => isWanted && setProblem(messageOf(error)),
        ),
      value === null ? 0 : SETTLE_MS,
    );
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [mark, turn]);
  useEffect(() => {
    if (!everyMs) return;
    const timer = setInterval(again, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return { value, problem, again };
}
