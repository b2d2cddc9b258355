import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { endAll, eventually, startedAgent, temporaryDirectory } from '../support/spike-process.ts';
import type { StartedAgent } from '../support/spike-process.ts';

const text = `# The team's rules. Keep them in order.
version: 1

rules:
  # Since the incident in March.
  - name: payments is slow
    enabled: false # off by default
    match: { callee: payments,   path: /v1/* }
    faults:
      - { type: latency, latencyMs: \${DELAY:-20} }
  - name: everything fails
    enabled: false
    faults:
      - { type: status, status: 503 }   # like a deploy
`.replace('${DELAY:-20}', '"${DELAY:-20}"');

let origin: Server | null = null;
afterEach(async () => {
  await endAll();
  await new Promise((done) => (origin === null ? done(null) : origin.close(done)));
  origin = null;
});

async function agentWith(content: string): Promise<StartedAgent & { path: string }> {
  const path = join(temporaryDirectory(), 'spike.yaml');
  writeFileSync(path, content);
  const agent = await startedAgent(['--workspace', path]);
  return { ...agent, path };
}

const workspaceOf = async ({ client }: StartedAgent) => (await client.agent.status()).workspace;

/** The status of a call through the proxy. */
async function statusThrough({ ready }: StartedAgent): Promise<number> {
  origin ??= createServer((_, response) => response.end('fine'));
  const server = origin;
  if (!server.listening) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const path = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const [host = '', port] = ready.proxy.split(':');
  return new Promise((done, fail) => {
    request({ host, port, path, agent: false }, (answer) =>
      answer.resume().on('end', () => done(answer.statusCode ?? 0)),
    )
      .on('error', fail)
      .end();
  });
}

describe('from the file to the traffic', () => {
  it('an edit takes effect on the next calls, and is taken back', async () => {
    const agent = await agentWith(text);
    expect(await statusThrough(agent)).toBe(200);
    writeFileSync(agent.path, text.replace('fails\n    enabled: false', 'fails\n    enabled: true'));
    await eventually(async () => expect(await statusThrough(agent)).toBe(503));
    writeFileSync(agent.path, text);
    await eventually(async () => expect(await statusThrough(agent)).toBe(200));
  });

  it('an editor that writes beside it and renames is followed, again and again', async () => {
    const agent = await agentWith(text);
    for (const name of ['one', 'two', 'three']) {
      renameSync(agent.path, `${agent.path}~`); // vim, with backupcopy=no
      writeFileSync(`${agent.path}.new`, text.replace('payments is slow', name));
      renameSync(`${agent.path}.new`, agent.path);
      await eventually(async () =>
        expect((await agent.client.rules.list()).map((rule) => rule.name)).toContain(name),
      );
    }
    expect(await workspaceOf(agent)).toMatchObject({ state: 'saved', problem: null });
  });

  it('a bad edit is refused with its place; what was before stays, until it is mended', async () => {
    const agent = await agentWith(text.replace('fails\n    enabled: false', 'fails\n    enabled: true'));
    expect(await statusThrough(agent)).toBe(503);
    writeFileSync(agent.path, text.replace('status: 503', 'status: many'));
    await eventually(async () => expect((await workspaceOf(agent)).state).toBe('invalid'));
    expect((await workspaceOf(agent)).problem).toMatchObject({
      line: 14,
      column: 33,
      message:
        'spike.yaml:14:33 was not applied. Expected an HTTP status from 200 to 599, such as 503. The rules from before stay in force.',
    });
    expect(await statusThrough(agent)).toBe(503);
    writeFileSync(agent.path, text);
    await eventually(async () => expect((await workspaceOf(agent)).state).toBe('saved'));
    expect(await statusThrough(agent)).toBe(200);
  });

  it('routes come and go with the file', async () => {
    const agent = await agentWith(
      'version: 1\nroutes:\n  - { name: a, listen: 127.0.0.1:0, upstream: "http://127.0.0.1:1" }\n',
    );
    expect(agent.ready.routes['a']).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    writeFileSync(
      agent.path,
      'version: 1\nroutes:\n  - { name: b, listen: 127.0.0.1:0, upstream: "tcp://127.0.0.1:1" }\n',
    );
    await eventually(async () => {
      const routes = await agent.client.routes.list();
      expect(routes).toMatchObject([{ name: 'b', address: expect.stringMatching(/^127/) as string }]);
    });
  });

  it('a file of roots that is not there is refused at its place', async () => {
    const agent = await agentWith(text);
    writeFileSync(agent.path, `${text}tls:\n  trust: [./absent.pem]\n`);
    await eventually(async () => expect((await workspaceOf(agent)).problem?.line).toBe(16));
    expect((await workspaceOf(agent)).problem?.message).toContain('absent.pem');
  });
});

describe('from the window to the file', () => {
  it('a toggle changes one word, and the mode of the file stays', async () => {
    const agent = await agentWith(text);
    chmodSync(agent.path, 0o640);
    await agent.client.rules.enable({ id: 'payments-is-slow' });
    const expected = text.replace('enabled: false # off', 'enabled: true # off');
    await eventually(() => expect(readFileSync(agent.path, 'utf8')).toBe(expected));
    expect(statSync(agent.path).mode & 0o777).toBe(0o640);
    expect(await workspaceOf(agent)).toMatchObject({ state: 'saved' });
  });

  it('a new rule is appended, a removed one goes, placeholders and comments stay', async () => {
    const agent = await agentWith(text);
    await agent.client.rules.create({
      name: 'orders resets',
      match: { callee: 'orders' },
      faults: [{ type: 'reset' }],
    });
    await agent.client.rules.remove({ id: 'everything-fails' });
    await eventually(() => {
      const now = readFileSync(agent.path, 'utf8');
      expect(now).toContain('- name: orders resets\n');
      expect(now).not.toContain('everything fails');
      expect(now).toContain('# Since the incident in March.');
      expect(now).toContain('"${DELAY:-20}"');
    });
  });

  it('an edit of the disk at the same time wins, and the toggle is put on top of it', async () => {
    const agent = await agentWith(text);
    writeFileSync(agent.path, text.replace('status: 503', 'status: 418'));
    await agent.client.rules.enable({ id: 'everything-fails' });
    await eventually(() => {
      const now = readFileSync(agent.path, 'utf8');
      expect(now).toContain('status: 418');
      expect(now).toContain('fails\n    enabled: true');
    });
    await eventually(async () => expect(await statusThrough(agent)).toBe(418));
  });

  it('a broken file is not touched; the toggle is written once it is mended', async () => {
    const agent = await agentWith(text);
    const broken = text.replace('version: 1', 'version: [');
    writeFileSync(agent.path, broken);
    await eventually(async () => expect((await workspaceOf(agent)).state).toBe('invalid'));
    await agent.client.rules.enable({ id: 'payments-is-slow' });
    await new Promise((done) => setTimeout(done, 400)); // longer than it takes to be written
    expect(readFileSync(agent.path, 'utf8')).toBe(broken);
    writeFileSync(agent.path, text);
    await eventually(() => expect(readFileSync(agent.path, 'utf8')).toContain('enabled: true # off'));
    expect((await agent.client.rules.get({ id: 'payments-is-slow' })).enabled).toBe(true);
  });

  it('a file that is deleted is not made again, and is taken up when it returns', async () => {
    const agent = await agentWith(text);
    rmSync(agent.path);
    await eventually(async () =>
      expect((await workspaceOf(agent)).problem?.message).toContain('The file is gone.'),
    );
    expect(await agent.client.rules.list()).toHaveLength(2);
    writeFileSync(agent.path, text.replace('payments is slow', 'back'));
    await eventually(async () => expect((await agent.client.rules.list())[0]?.name).toBe('back'));
  });

  it('a change just before the end is written', async () => {
    const agent = await agentWith(text);
    await agent.client.rules.enable({ id: 'everything-fails' });
    agent.process.kill('SIGTERM');
    expect((await agent.process.ended).code).toBe(0);
    expect(readFileSync(agent.path, 'utf8')).toContain('fails\n    enabled: true');
  });
});
