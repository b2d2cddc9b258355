/** A timer that has been set; `cancel` is idempotent and does nothing once it has fired. */
export interface Timer {
  cancel(): void;
}

/**
 * Time, injected everywhere: the engine reads no clock and sets no timer by itself, so that tests decide both.
 */
export interface Clock {
  /** Unix time in ms with µs as fraction; advances evenly within a process (does not follow clock steps). */
  now(): number;
  /** Calls back once, after at least `delayMs`; does not keep the process alive when `background` is set. */
  setTimer(delayMs: number, callback: () => void, background?: boolean): Timer;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** The machine's own clock. */
export function createSystemClock(): Clock {
  const origin = performance.timeOrigin;
  return {
    now: () => origin + performance.now(),
    setTimer(delayMs, callback, background = false) {
      const handle = setTimeout(callback, delayMs);
      if (background) handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
