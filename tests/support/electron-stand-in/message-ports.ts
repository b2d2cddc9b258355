import { EventEmitter } from 'node:events';

/** Electron's MessagePortMain: messages wait until `start`; closing one end tells the other, once what was sent is there. */
export class StandInPort extends EventEmitter {
  other: StandInPort | null = null;
  readonly #waiting: unknown[] = [];
  #started = false;
  #closed = false;

  postMessage(data: unknown): void {
    const copy: unknown = structuredClone(data);
    const { other } = this;
    if (this.#closed || other === null) return;
    setImmediate(() => other.#receive(copy));
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const data of this.#waiting.splice(0)) this.#emitMessage(data);
  }

  close(): void {
    const { other } = this;
    if (this.#closed) return;
    this.#closed = true;
    setImmediate(() => {
      this.emit('close');
      other?.close();
    });
  }

  #receive(data: unknown): void {
    if (this.#closed) return;
    if (this.#started) this.#emitMessage(data);
    else this.#waiting.push(data);
  }

  #emitMessage(data: unknown): void {
    this.emit('message', { data, ports: [] });
  }
}

export class MessageChannelMain {
  readonly port1 = new StandInPort();
  readonly port2 = new StandInPort();

  constructor() {
    this.port1.other = this.port2;
    this.port2.other = this.port1;
  }
}
