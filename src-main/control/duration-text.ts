const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a duration that the contract has let through: `500ms`, `60s`, `5m`, `1h`. */
export function durationMs(text: string): number {
  const parts = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (parts === null) throw new TypeError(`not a duration: ${text}`);
  return Number(parts[1]) * unitMs[parts[2] as keyof typeof unitMs];
}
