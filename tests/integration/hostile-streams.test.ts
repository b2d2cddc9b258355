import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { defaultClientLimits } from '../../src-main/engine/io/client-watch.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { answerOf, callHttp2, openHttp2 } from '../support/http2-peers.ts';

/** Clients of HTTP/2 that stall on one stream, while others of their connection go on. */
const scene = useScene({}, { clientLimits: { ...defaultClientLimits, stalledTimeoutMs: 400 } });

async function open() {
  const server = await scene.peers.http((asked, response) => {
    if (asked.url === '/well') return void response.end('well');
    asked.resume();
    // More than windows and buffers take.
    if (asked.url === '/much') response.end(Buffer.alloc(8 * 1024 * 1024));
  });
  await scene.spike.configure({ routes: [routeTo(server.port)] });
  const session = await openHttp2(scene.peers, `http://${scene.spike.address('service')}`);
  const isWell = async (): Promise<void> => {
    expect((await callHttp2(session, { ':path': '/well' })).body.toString()).toBe('well');
  };
  return { session, isWell };
}

describe('a stream whose client', () => {
  it('stalls in its body is answered 408, and the others go on', async () => {
    const { session, isWell } = await open();
    const stream = session.request({ ':path': '/body', ':method': 'POST' }, { endStream: false });
    stream.write('half');
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 408, code: 0 });
    expect(answer.body.toString()).toContain('no byte of it came');
    const { flow } = await scene.spike.flow(({ http }) => http?.url.endsWith('/body') === true);
    expect(flow.error?.cause).toBe('client-timeout');
    await isWell();
  });

  it('takes nothing of its answer is reset, and the others go on', async () => {
    const { session, isWell } = await open();
    session.setLocalWindowSize(16 * 1024 * 1024);
    const stream = session.request({ ':path': '/much' });
    stream.pause();
    stream.on('error', () => undefined); // Its code says the same.
    await once(stream, 'response');
    const { flow } = await scene.spike.flow(({ http }) => http?.url.endsWith('/much') === true);
    expect(flow).toMatchObject({ http: { status: 200 }, error: { cause: 'client-timeout' } });
    await isWell();
    stream.resume();
    if (!stream.closed) await once(stream, 'close');
    expect(stream.rstCode).toBe(8);
  });
});
