import type { FaultPlan } from '../../rules/fault-plan.ts';
import type { MessageShape } from '../../rules/faults/stage.ts';
import type { AnswerOwner } from '../answer-owner.ts';
import type { FlatFields } from '../http1/fields.ts';
import { hold } from '../ports.ts';
import { statusIn } from './head-text.ts';
import { LinkedMessage } from './linked-message.ts';
import type { Http2ClientStream, Http2ResponseHead } from './ports.ts';
import { withoutConnectionFields } from './translate-head.ts';

export interface Http2AnswerOwner extends AnswerOwner {
  /** A rule resets the client's stream. */
  resetStream(code: number): void;
  /** A rule ends the call with these trailers: nothing more of the upstream is wanted. */
  callEnded(trailers: FlatFields): void;
}

/** An answer on its way to the client's stream: straight, or through the link where rules stand. */
export class Http2Answer {
  /** A head has been told: another one cannot be. */
  hasBegun = false;
  trailers: FlatFields | null = null;
  #link: LinkedMessage | null = null;
  readonly #client: Http2ClientStream;
  readonly #owner: Http2AnswerOwner;

  constructor(client: Http2ClientStream, owner: Http2AnswerOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /**
   * @param text The head as the link sees it.
   * @param shape Asked for when rules stand on the way.
   */
  begin(head: Http2ResponseHead, text: string, shape: () => MessageShape, plan: FaultPlan | null): void {
    this.hasBegun = true;
    if (plan !== null) this.#link = this.#createLink(head, shape(), plan);
    if (this.#link === null) this.#client.respond(head);
    else this.#link.begin(text);
  }

  data(bytes: Buffer): void {
    if (this.#link !== null) this.#link.push(bytes);
    else this.#write(bytes);
  }

  end(trailers: FlatFields | null): void {
    this.trailers = trailers;
    if (this.#link !== null) this.#link.end();
    else this.#owner.delivered();
  }

  #createLink(head: Http2ResponseHead, shape: MessageShape, plan: FaultPlan): LinkedMessage | null {
    const owner = this.#owner;
    plan.responseShape = shape;
    return LinkedMessage.create(
      plan,
      'response',
      {
        // What ends with the head may end later: its end passes the link by itself.
        head: (changed) => {
          const fields = changed === null ? head.fields : withoutConnectionFields(changed.fields);
          const status = statusIn(changed?.startLine ?? null) ?? head.status;
          this.#client.respond({ ...head, status, fields, ended: false });
        },
        data: (bytes) => this.#write(bytes),
        end: () => owner.delivered(),
        cut: (how) => owner.cut(how),
        resetStream: (code) => owner.resetStream(code),
        giveUp: () => owner.giveUpUpstream(),
        endCall: (changed) => {
          this.trailers = changed;
          owner.callEnded(changed);
        },
      },
      { pause: () => owner.pauseUpstream(hold.link), resume: () => owner.resumeUpstream(hold.link) },
    );
  }

  #write(bytes: Buffer): void {
    if (!this.#client.write(bytes)) this.#owner.pauseUpstream(hold.full);
  }
}
