import { SpikeError } from '#shared/contract/errors.ts';
import type { AutoPassthrough } from '#shared/contract/passthrough.ts';
import type { ToPrimary } from './cluster/messages.ts';
import type { PassthroughList } from './engine-interface.ts';
import type { Log } from './log.ts';
import { AutoPassthroughBook } from './tls/auto-passthrough.ts';
import type { ClientDistrust, PassedClient, TlsRejection } from './tls/auto-passthrough.ts';

type TlsReport = Extract<ToPrimary, { type: 'tls.rejected' | 'tls.accepted' }>;

export interface PassthroughListOptions {
  readonly now: () => number;
  readonly log: Log;
  /** Hands the list to the workers; resolves when they have it. */
  readonly apply: () => Promise<unknown>;
  /** The same, when nobody waits for it. */
  readonly applyLater: () => void;
}

/** The primary's list of clients that reject Spike's certificates: what workers report, what users see and forget. */
export class EnginePassthroughList implements PassthroughList {
  #isOn = true;
  readonly #book: AutoPassthroughBook;
  readonly #options: PassthroughListOptions;

  constructor(options: PassthroughListOptions) {
    this.#options = options;
    this.#book = new AutoPassthroughBook(options.now);
  }

  list(): AutoPassthrough[] {
    return this.#book.list().map(shown);
  }

  async forget(id: string): Promise<void> {
    if (!this.#book.forget(id)) {
      throw new SpikeError('not-found', `No client is passed through by itself under the id "${id}".`);
    }
    await this.#options.apply();
  }

  /** Off, it forgets everyone: who turns it on again begins anew. */
  setOn(isOn: boolean): void {
    this.#isOn = isOn;
    if (!isOn) this.#book.clear();
  }

  /** What a worker has seen. */
  received(message: TlsReport): void {
    if (!this.#isOn) return;
    if (message.type === 'tls.rejected') this.#rejected(message);
    else if (this.#book.accepted(message.client, message.name)) this.#options.applyLater();
  }

  /** For the workers. */
  config(): { readonly autoPassthrough: boolean; readonly distrust: readonly ClientDistrust[] } {
    return { autoPassthrough: this.#isOn, distrust: this.#book.snapshot() };
  }

  #rejected(rejection: TlsRejection): void {
    const entry = this.#book.rejected(rejection);
    if (entry !== null) {
      const { client, name, reason } = entry;
      this.#options.log.info(
        { client, name, reason },
        'A client rejects the certificate: it passes through.',
      );
    }
    this.#options.applyLater();
  }
}

function shown({ sinceMs, untilMs, ...entry }: PassedClient): AutoPassthrough {
  return { ...entry, since: new Date(sinceMs).toISOString(), until: new Date(untilMs).toISOString() };
}
