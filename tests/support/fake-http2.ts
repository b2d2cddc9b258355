import type { FlatFields } from '../../src-main/engine/proxy/http1/fields.ts';
import type {
  Http2ClientStream,
  Http2RequestHead,
  Http2ResponseHead,
  Http2Stream,
  Http2StreamError,
  Http2Upstream,
  Http2UpstreamOwner,
} from '../../src-main/engine/proxy/http2/ports.ts';
import type { TransportOwner } from '../../src-main/engine/proxy/ports.ts';

/** A stream that writes down what it is told, as a list. */
export class FakeStream implements Http2ClientStream, Http2Stream {
  owner: TransportOwner | null = null;
  trailers: FlatFields | null = null;
  isFull = false;
  holds = 0;
  progress = 0;
  readonly commands: string[] = [];

  get isHeld(): boolean {
    return this.holds !== 0;
  }

  write(bytes: Buffer): boolean {
    this.commands.push(`data ${bytes.toString('latin1')}`);
    return !this.isFull;
  }
  writeText(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }
  writeBoth(text: string, bytes: Buffer): boolean {
    return this.writeText(text + bytes.toString('latin1'));
  }
  inform(status: number): void {
    this.commands.push(`inform ${status}`);
  }
  respond({ status, fields, ended }: Http2ResponseHead): void {
    this.commands.push(`head ${status} ${fields.join(' ')}${ended ? ' end' : ''}`);
  }
  endWith(trailers: FlatFields | null): void {
    this.commands.push(trailers === null ? 'end' : `end ${trailers.join(' ')}`);
  }
  end(): void {
    this.endWith(null);
  }
  resetWith(code: number): void {
    this.commands.push(`reset ${code}`);
  }
  abandonWith(code: number): void {
    this.commands.push(`abandon ${code}`);
  }
  close(): void {
    this.commands.push('close');
  }
  destroy(): void {
    this.commands.push('destroy');
  }
  reset(): void {
    this.commands.push('reset');
  }
  pause(reason: number): void {
    this.holds |= reason;
  }
  resume(reasons: number): void {
    this.holds &= ~reasons;
  }
  /** What was commanded since the last time. */
  take(): string[] {
    return this.commands.splice(0);
  }
}

/** A connection to an upstream whose streams are fakes. */
export class FakeUpstream implements Http2Upstream {
  readonly address = '127.0.0.1:80';
  readonly timings = { dnsMs: -1, connectMs: 1, tlsMs: -1 };
  uses = 0;
  hasConnectProtocol = false;
  readonly opened: { head: Http2RequestHead; owner: Http2UpstreamOwner; stream: FakeStream }[] = [];

  open(head: Http2RequestHead, owner: Http2UpstreamOwner): Http2Stream {
    const stream = new FakeStream();
    stream.owner = owner;
    this.opened.push({ head, owner, stream });
    this.uses += 1;
    return stream;
  }
}

export function requestHead(more: Partial<Http2RequestHead> = {}): Http2RequestHead {
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'orders',
    path: '/',
    protocol: null,
    fields: [],
    neverIndexed: [],
    ended: true,
    ...more,
  };
}

export function resetBy(http2Code: number | null): Http2StreamError {
  return Object.assign(new Error('reset'), { code: 'ECONNRESET', http2Code });
}
