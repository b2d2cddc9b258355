import type { AppliedFault, Direction } from '#shared/flow/flow.ts';

/**
 * What one fault did to one flow, written down while it acts. The note is made when somebody reads it.
 */
export class FaultMark {
  delayedMs: number | null = null;
  bytes: number | null = null;
  status: number | null = null;
  messages: number | null = null;
  code: number | null = null;
  outcome: AppliedFault['outcome'] = 'acting';
  /** Set by the fault: turns the numbers into a sentence. */
  describe: (mark: FaultMark) => string = () => '';
  readonly ruleId: string;
  readonly ruleName: string;
  readonly type: string;
  readonly direction: Direction | null;
  readonly atMs: number;

  constructor(ruleId: string, ruleName: string, type: string, direction: Direction | null, atMs: number) {
    this.ruleId = ruleId;
    this.ruleName = ruleName;
    this.type = type;
    this.direction = direction;
    this.atMs = atMs;
  }

  snapshot(): AppliedFault {
    return {
      ruleId: this.ruleId,
      ruleName: this.ruleName,
      type: this.type,
      direction: this.direction,
      atMs: round3(this.atMs),
      delayedMs: this.delayedMs === null ? null : round3(this.delayedMs),
      bytes: this.bytes,
      status: this.status,
      messages: this.messages,
      code: this.code,
      outcome: this.outcome,
      note: this.describe(this),
    };
  }
}

function round3(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** `2,014 ms`, for notes. */
export function milliseconds(ms: number | null): string {
  return `${Math.round(ms ?? 0).toLocaleString('en-US')} ms`;
}

/** `3 messages`, for notes. */
export function messageCount(messages: number | null): string {
  return `${(messages ?? 0).toLocaleString('en-US')} ${messages === 1 ? 'message' : 'messages'}`;
}

/** `4,096 bytes`, for notes. */
export function byteCount(bytes: number | null): string {
  return `${(bytes ?? 0).toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

/** `128 MiB`, or `1,000 bytes` of what is no whole number of MiB; for notes. */
export function sizeWords(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return Number.isInteger(mebibytes) && mebibytes > 0
    ? `${mebibytes.toLocaleString('en-US')} MiB`
    : byteCount(bytes);
}
