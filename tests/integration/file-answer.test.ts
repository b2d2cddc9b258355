import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { endRealAgents, eventually, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { runProgram } from '../support/run-program.ts';

afterEach(endRealAgents);

const bytes = Buffer.from([0, 255, 137, 80, 78, 71, 13, 10, 26, 10]);

async function agent(): Promise<RealAgent & { file(name: string, content: string | Buffer): void }> {
  const started = await startRealAgent({ workers: 1 });
  const file = (name: string, content: string | Buffer): void =>
    writeFileSync(join(dirname(started.workspacePath), name), content);
  return { ...started, file };
}

const rule = (path: string, more: object = {}) => ({
  name: 'answer',
  enabled: true,
  faults: [{ type: 'file-answer' as const, path, ...more }],
});

/** A call to nobody: only Spike can answer it. */
const asked = ({ proxyUrl }: RealAgent, ...words: string[]) =>
  runProgram('curl', ['-sS', '-m', '20', '-x', proxyUrl, ...words, 'http://nobody.invalid/']);

describe('an answer from a file', () => {
  it('has its bytes, a type by its name, and what the rule says', async () => {
    const spike = await agent();
    spike.file('answer.json', '{"from":"file"}');
    spike.file('picture.png', bytes);
    await spike.client.rules.create(rule('answer.json', { status: 201, headers: { 'x-a': '1' } }));
    const { stdout } = await asked(spike, '-i');
    expect(stdout).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(stdout).toMatch(/\r\ncontent-type: application\/json\r\n/i);
    expect(stdout).toMatch(/\r\nx-a: 1\r\n/);
    expect(stdout.endsWith('\r\n\r\n{"from":"file"}')).toBe(true);
    await spike.client.rules.update({
      params: { id: 'answer' },
      body: { faults: rule('./picture.png').faults },
    });
    const out = join(dirname(spike.workspacePath), 'out');
    const { stdout: type } = await asked(spike, '-o', out, '-w', '%{content_type}');
    expect(type).toBe('image/png');
    expect((await runProgram('cmp', [out, join(dirname(spike.workspacePath), 'picture.png')])).exitCode).toBe(
      0,
    );
    await eventually(async () => {
      const [flow] = await spike.flows('fault:file-answer');
      expect(flow?.faults[0]?.note).toBe('answered 200 without asking the upstream');
    });
  });

  it('is read again when its rule is turned on again, and its absence then changes nothing', async () => {
    const spike = await agent();
    spike.file('a.txt', 'one');
    await spike.client.rules.create(rule('a.txt'));
    spike.file('a.txt', 'two');
    expect((await asked(spike)).stdout).toBe('one');
    const absent = { faults: rule('absent.txt').faults };
    const why = 'Rule "answer": The file "absent.txt" is not there';
    await expect(spike.client.rules.update({ params: { id: 'answer' }, body: absent })).rejects.toThrow(why);
    expect((await asked(spike)).stdout).toBe('one');
    await spike.client.rules.disable({ id: 'answer' });
    await spike.client.rules.enable({ id: 'answer' });
    expect((await asked(spike)).stdout).toBe('two');
  });

  it('that a workspace file names and that is missing leaves what was before', async () => {
    const spike = await agent();
    spike.file('good.txt', 'good');
    const text = (path: string): string =>
      `version: 1\nrules:\n  - name: other\n    enabled: true\n    match: { path: /other }\n    faults: [{ type: hang }]\n  - name: answer\n    enabled: true\n    faults: [{ type: file-answer, path: ${path} }]\n`;
    writeFileSync(spike.workspacePath, text('good.txt'));
    await eventually(async () => expect((await asked(spike)).stdout).toBe('good'));
    writeFileSync(spike.workspacePath, text('missing.txt').replace('/other', '/changed'));
    await eventually(async () => {
      const { workspace } = await spike.client.agent.status();
      expect(workspace).toMatchObject({ state: 'invalid' });
      expect(JSON.stringify(workspace)).toContain(
        'Rule \\"answer\\": The file \\"missing.txt\\" is not there',
      );
    });
    expect((await asked(spike)).stdout).toBe('good');
    expect((await spike.client.rules.get({ id: 'other' })).match).toEqual({ path: '/other' });
  });
});
