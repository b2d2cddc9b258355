import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { DataPlaneHarness } from '../support/data-plane-harness.ts';
import { routeTo, useScene } from '../support/data-plane-test.ts';
import { runProgram } from '../support/run-program.ts';

const scene = useScene();

/** A second Spike whose route leads to a port of the first, and back. */
async function secondSpike(port: number): Promise<DataPlaneHarness> {
  const second = await DataPlaneHarness.start(
    { routes: [routeTo(port, 'http', 'back')] },
    { agentId: 'def456' },
  );
  scene.peers.also(async () => {
    await second[Symbol.asyncDispose]();
  });
  return second;
}

describe('a call that comes back', () => {
  it('from another Spike that leads here again ends with 508, and says where', async () => {
    await scene.spike.configure({ routes: [routeTo(9, 'http', 'there')] });
    const second = await secondSpike(scene.spike.port('there'));
    const listen = scene.spike.address('there');
    await scene.spike.configure({
      routes: [{ ...routeTo(second.port('back'), 'http', 'there'), listen }],
    });
    const { stdout } = await runProgram('curl', ['-sS', '-m', '20', '-i', `http://${listen}/round`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 508 Loop Detected\r\n/);
    expect(stdout).toContain('spike-error: upstream-loop');
    const isLoop = (spike: DataPlaneHarness) =>
      spike.ended.filter(({ flow }) => flow.error?.cause === 'upstream-loop');
    await scene.spike.until(() => scene.spike.ended.length > 256);
    const found = [...isLoop(scene.spike), ...isLoop(second)];
    expect(found).toHaveLength(1);
    expect(found[0]?.flow.error?.message).toContain('came back to this Spike');
  });
});

describe('many calls at once that go nowhere twice', () => {
  it('all arrive; those beyond the bound carry a mark', async () => {
    const many = 300;
    const vias: (string | undefined)[] = [];
    const waiting: (() => void)[] = [];
    const server = await scene.peers.http((asked, response) => {
      vias.push(asked.headers.via);
      waiting.push(() => response.end('ok'));
      if (waiting.length === many) for (const answer of waiting) answer();
    });
    await scene.spike.configure({ routes: [routeTo(server.port)] });
    const port = scene.spike.port('service');
    const statuses = await Promise.all(
      Array.from(
        { length: many },
        () =>
          new Promise<number | undefined>((resolve, reject) => {
            const call = request({ port, host: '127.0.0.1', path: '/', agent: false }, (response) => {
              response.resume().on('end', () => resolve(response.statusCode));
            });
            call.on('error', reject).end();
          }),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(vias.filter((via) => via === undefined)).toHaveLength(256);
    expect(vias.filter((via) => via === '1.1 spike-abc123')).toHaveLength(many - 256);
  });
});
