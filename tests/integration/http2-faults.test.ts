// Faults of streams and their connections, as node:http2, curl and nghttp see them.
import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import { http2ErrorCodes } from '../../src-shared/rules/faults/http2.ts';
import { useScene } from '../support/data-plane-test.ts';
import { answerOf, callHttp2, openHttp2, serveHttp2 } from '../support/http2-peers.ts';
import { isInstalled, runProgram } from '../support/run-program.ts';

const scene = useScene();
let asked = 0;

async function routed(...faults: FaultInput[]): Promise<string> {
  asked = 0;
  const server = await serveHttp2(scene.peers, (stream) => {
    asked += 1;
    stream.respond({ ':status': 200, 'content-length': '10' });
    stream.end('0123456789');
  });
  await scene.spike.configure({
    routes: [{ name: 'service', listen: '127.0.0.1:0', upstream: `h2c://127.0.0.1:${server.port}` }],
    rules: faults.length === 0 ? [] : [{ name: 'rule', faults }],
  });
  return `http://${scene.spike.address('service')}`;
}

describe('rst-stream', () => {
  it.each([
    ['start', 0, '', 0],
    ['before-head', 0, '', 1],
    ['after-head', 200, '', 1],
    ['mid-body', 200, '01234', 1],
  ] as const)('%s, with its code', async (at, status, body, reached) => {
    const client = await openHttp2(
      scene.peers,
      await routed({ type: 'rst-stream', code: 'ENHANCE_YOUR_CALM', at }),
    );
    const answer = await callHttp2(client, { ':path': '/' });
    expect(answer).toMatchObject({ status, code: constants.NGHTTP2_ENHANCE_YOUR_CALM });
    expect(answer.body.toString()).toBe(body);
    expect(asked).toBe(reached);
    const { flow } = await scene.spike.flow();
    expect(flow.error).toEqual({
      cause: 'fault-reset',
      code: 'HTTP2_ENHANCE_YOUR_CALM',
      message: "A rule reset the client's stream with ENHANCE_YOUR_CALM.",
    });
    expect(flow.faults).toMatchObject([{ type: 'rst-stream', code: 11, outcome: 'done' }]);
    // The connection goes on.
    await scene.spike.configure({ rules: [] });
    expect((await callHttp2(client, { ':path': '/' })).status).toBe(200);
  });

  it.each(http2ErrorCodes.slice(1))('%s reaches the client as it is', async (code) => {
    const client = await openHttp2(scene.peers, await routed({ type: 'rst-stream', code, at: 'start' }));
    expect((await callHttp2(client, { ':path': '/' })).code).toBe(http2ErrorCodes.indexOf(code));
  });

  it('curl names it', async () => {
    const origin = await routed({ type: 'rst-stream', code: 'INTERNAL_ERROR' });
    const { exitCode, stderr } = await runProgram('curl', ['-sS', '--http2-prior-knowledge', `${origin}/`]);
    expect(exitCode).toBe(92);
    expect(stderr).toContain('INTERNAL_ERROR');
  });
});

describe('goaway', () => {
  it('with NO_ERROR the call ends well, and the next one needs another connection', async () => {
    const client = await openHttp2(scene.peers, await routed({ type: 'goaway' }));
    const told = once(client, 'goaway') as Promise<[number]>;
    const over = once(client, 'close');
    expect((await callHttp2(client, { ':path': '/' })).body.toString()).toBe('0123456789');
    expect((await told)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    await over;
    expect((await scene.spike.flow()).flow).toMatchObject({
      error: null,
      faults: [{ code: 0, note: "ended the client's connection with GOAWAY NO_ERROR" }],
    });
  });

  it('with another code every call of the connection ends', async () => {
    const origin = await routed();
    const client = await openHttp2(scene.peers, origin);
    await scene.spike.configure({
      rules: [
        { name: 'holds', match: { path: '/held' }, faults: [{ type: 'hang' }] },
        { name: 'ends', match: { path: '/ends' }, faults: [{ type: 'goaway', code: 'ENHANCE_YOUR_CALM' }] },
      ],
    });
    const told = once(client, 'goaway') as Promise<[number]>;
    const held = answerOf(client.request({ ':path': '/held' }));
    await expect.poll(() => asked).toBe(1);
    await callHttp2(client, { ':path': '/ends' });
    expect((await told)[0]).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect((await held).status).toBe(0);
    expect(asked).toBe(1);
    const flows = await scene.spike.flows(2);
    for (const { flow } of flows)
      expect(flow.error).toMatchObject({ cause: 'fault-close', code: 'HTTP2_ENHANCE_YOUR_CALM' });
  });

  it.skipIf(!isInstalled('nghttp'))('nghttp sees the frame', async () => {
    const origin = await routed({ type: 'goaway', code: 'ENHANCE_YOUR_CALM' });
    const { stdout } = await runProgram('nghttp', ['-v', '-n', `${origin}/`]);
    expect(stdout).toMatch(/recv GOAWAY[^]*error_code=ENHANCE_YOUR_CALM/);
  });
});
