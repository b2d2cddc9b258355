import type { FaultPlan } from '../rules/fault-plan.ts';
import type { MessageShape } from '../rules/faults/stage.ts';
import type { Link } from '../rules/link.ts';
import type { AnswerOwner } from './answer-owner.ts';
import { hold } from './ports.ts';
import type { BytesFate, Transport } from './ports.ts';

/** An answer in HTTP/1.1 on its way to the client: straight, or through the link where rules stand. */
export class Http1Answer {
  #link: Link | null = null;
  /** A head that waits for its first body bytes, to leave in one packet with them. */
  #pendingHead: string | null = null;
  readonly #client: Transport;
  readonly #owner: AnswerOwner;

  constructor(client: Transport, owner: AnswerOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /** @param shape Asked for when rules stand on the way. */
  begin(text: string, shape: () => MessageShape, plan: FaultPlan | null): void {
    if (plan !== null) this.#linkBy(plan, shape());
    if (this.#link === null) this.#pendingHead = text;
    else this.#link.push(Buffer.from(text, 'latin1'));
  }

  body(wire: Buffer): void {
    if (this.#link !== null) return this.#link.push(wire);
    const head = this.#pendingHead;
    this.#pendingHead = null;
    const client = this.#client;
    if (!(head === null ? client.write(wire) : client.writeBoth(head, wire)))
      this.#owner.pauseUpstream(hold.full);
  }

  /** Of what `body` was given. */
  get bodyFate(): BytesFate {
    const { isFlushed } = this.#client;
    if (this.#link !== null || isFlushed === undefined) return 'kept';
    return isFlushed ? 'passed' : 'passing';
  }

  /** A whole answer of our own. */
  whole(bytes: Buffer, shape: MessageShape, plan: FaultPlan | null): void {
    if (plan !== null) this.#linkBy(plan, shape);
    if (this.#link === null) this.#client.write(bytes);
    else this.#link.push(bytes);
  }

  /** Nothing more is known right now: what was kept back to be sent in one packet goes out. */
  flush(): void {
    const head = this.#pendingHead;
    if (head === null) return;
    this.#pendingHead = null;
    if (!this.#client.writeText(head)) this.#owner.pauseUpstream(hold.full);
  }

  end(): void {
    if (this.#link !== null) this.#link.end();
    else this.#owner.delivered();
  }

  #linkBy(plan: FaultPlan, shape: MessageShape): void {
    plan.responseShape = shape;
    this.#link ??= plan.createLink(
      'response',
      {
        write: (bytes) => {
          if (!this.#client.write(bytes)) this.#owner.pauseUpstream(hold.full);
        },
        end: () => this.#owner.delivered(),
        reset: () => this.#owner.cut('reset'),
        close: () => this.#owner.cut('close'),
        giveUp: () => this.#owner.giveUpUpstream(),
      },
      {
        pause: () => this.#owner.pauseUpstream(hold.link),
        resume: () => this.#owner.resumeUpstream(hold.link),
      },
    );
  }
}
