import type { HeldOutcome } from '#shared/contract/held.ts';
import type { HeldToPrimary, HeldToWorker, HoldAct, HoldFacts, HoldReply } from './held-messages.ts';

/** What is held, as those who may decide about it see it: implemented by the stage that has the bytes. */
export interface HeldThing {
  /** The primary has admitted it (or more of its body): null; or why not. */
  verdict(refusal: string | null): void;
  /** Somebody decides, or looks. */
  act(act: HoldAct): Promise<HoldReply>;
  /** It goes on as it came, at once: Spike stops. */
  letGo(): void;
}

/** A hold, as the stage that has the bytes tells of it. */
export interface Hold {
  /** Asks for room for a longer body; answered by `HeldThing.verdict`. */
  reserve(bytes: number): void;
  size(bytes: number): void;
  /** The caller has gone; the thing can still be read, until it is forgotten. */
  callerGone(): void;
  /** It is over, by itself or by what somebody decided. */
  over(outcome: HeldOutcome): void;
}

/** Where a stage asks to hold a call. */
export interface Breakpoints {
  /** @returns null when nothing is held any more: Spike stops. */
  ask(facts: HoldFacts, reserveBytes: number, thing: HeldThing): Hold | null;
}

/** Where nobody could ever let a call go. */
export const noBreakpoints: Breakpoints = { ask: () => null };

/** The calls that one worker holds, and their way to the primary. */
export class WorkerHolds implements Breakpoints {
  #next = 1;
  #isStopping = false;
  readonly #things = new Map<number, HeldThing>();
  readonly #send: (message: HeldToPrimary) => void;

  constructor(send: (message: HeldToPrimary) => void) {
    this.#send = send;
  }

  ask(facts: HoldFacts, reserveBytes: number, thing: HeldThing): Hold | null {
    if (this.#isStopping) return null;
    const hold = this.#next++;
    this.#things.set(hold, thing);
    this.#send({ type: 'held.ask', hold, facts, reserveBytes });
    return {
      reserve: (bytes) => this.#send({ type: 'held.reserve', hold, reserveBytes: bytes }),
      size: (sizeBytes) => this.#send({ type: 'held.size', hold, sizeBytes }),
      callerGone: () => this.#send({ type: 'held.gone', hold }),
      over: (outcome) => {
        this.#things.delete(hold);
        this.#send({ type: 'held.over', hold, outcome });
      },
    };
  }

  received(message: HeldToWorker): void {
    const thing = this.#things.get(message.hold);
    switch (message.type) {
      case 'held.verdict':
        if (message.refusal !== null) this.#things.delete(message.hold);
        return thing?.verdict(message.refusal);
      case 'held.forget':
        this.#things.delete(message.hold);
        return;
      case 'held.act':
        return this.#act(message.ask, message.hold, message.act, thing);
    }
  }

  /** Everything that is held goes on as it came, and nothing is held from now on. */
  stop(): void {
    this.#isStopping = true;
    for (const thing of [...this.#things.values()]) thing.letGo();
    this.#things.clear();
  }

  #act(ask: number, hold: number, act: HoldAct, thing: HeldThing | undefined): void {
    const reply = (reply: HoldReply): void => this.#send({ type: 'held.reply', ask, hold, reply });
    // What became of it is under way to the primary already, or there.
    if (thing === undefined) return reply({ kind: 'over' });
    void thing.act(act).then(reply);
  }
}
