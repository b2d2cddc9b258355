import { describe, expect, it } from 'vitest';
import type { RequestListener } from 'node:http';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { AppliedFault } from '../../src-shared/flow/flow.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { curlArgs, routeTo, useScene } from '../support/data-plane-test.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();

function rule(...faults: FaultInput[]): RuleText {
  return { name: 'rule', faults };
}

/** A service, a route to it, and rules over both. */
async function serve(answer: RequestListener, ...rules: RuleText[]): Promise<string> {
  const { port } = await scene.peers.http(answer);
  await scene.spike.configure({ routes: [routeTo(port)], rules });
  return `http://127.0.0.1:${port}/`;
}

const plain: RequestListener = (request, response) => {
  request.resume();
  response.end('hello');
};

function curl(...args: string[]) {
  return runProgram('curl', curlArgs(scene.spike, ...args));
}

/** What the one rule did to the one call. */
async function marks(): Promise<readonly AppliedFault[]> {
  return (await scene.spike.flow()).flow.faults;
}

describe('delay', () => {
  it('holds the first byte', async () => {
    const url = await serve(plain, rule({ type: 'delay', delayMs: 250 }));
    const { stdout } = await curl('-w', ' %{time_starttransfer}', url);
    const [body, seconds] = stdout.split(' ');
    expect(body).toBe('hello');
    expect(Number(seconds)).toBeGreaterThanOrEqual(0.249);
    expect(await marks()).toMatchObject([{ type: 'delay', outcome: 'done', direction: 'response' }]);
  });

  it('lets the head pass and holds the body', async () => {
    const url = await serve(plain, rule({ type: 'delay', what: 'body', delayMs: 400 }));
    const { stdout } = await curl('-w', ' %{time_starttransfer} %{time_total}', url);
    const [body, first, total] = stdout.split(' ');
    expect(body).toBe('hello');
    expect(Number(total) - Number(first)).toBeGreaterThanOrEqual(0.3);
    const [mark] = await marks();
    expect(mark?.note).toMatch(/^held the body of the response for 4\d\d ms$/);
  });
});

describe('slow head', () => {
  it('trickles the head, and the body follows at once', async () => {
    const url = await serve(plain, rule({ type: 'slow-head', bytesPerSecond: 1000 }));
    const { stdout } = await curl('-i', '-w', ' %{time_total}', url);
    const seconds = Number(stdout.split(' ').at(-1));
    const headBytes = stdout.indexOf('\r\n\r\n') + 4;
    expect(seconds).toBeGreaterThanOrEqual(headBytes / 1000 - 0.03);
    expect(await marks()).toMatchObject([{ type: 'slow-head', bytes: headBytes, outcome: 'done' }]);
  });

  it('trickles the head of a request', async () => {
    const url = await serve(plain, rule({ type: 'slow-head', direction: 'request', bytesPerSecond: 500 }));
    const { stdout } = await curl('-d', 'x'.repeat(5000), url);
    expect(stdout).toBe('hello');
    const [mark] = await marks();
    expect(mark?.delayedMs).toBeGreaterThanOrEqual(((mark?.bytes ?? 0) / 500) * 1000 - 30);
  });
});
