import type { Cut } from '../rules/faults/stage.ts';

/** Whose answer it is, as the answer tells and commands it on its way to the client. */
export interface AnswerOwner {
  /** What comes of the upstream's answer is not to be read, for a reason of `hold`. */
  pauseUpstream(reason: number): void;
  resumeUpstream(reasons: number): void;
  /** All of it is with the client's side, but for what ends it. */
  delivered(): void;
  /** A rule has put another answer in its place: nothing more of the upstream is wanted. */
  giveUpUpstream(): void;
  /** A rule ends it before its time. */
  cut(how: Cut): void;
}
