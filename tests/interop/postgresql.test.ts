// psql and pgbench with a PostgreSQL server through a route of a real agent: all they do succeeds, and is told as commands.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import { createLeafIssuer } from '../../src-main/engine/tls/leaf-certificates.ts';
import { testAuthority } from '../support/data-plane-harness.ts';
import { skipWithout } from '../support/database-programs.ts';
import { startPostgresql } from '../support/postgresql-server.ts';
import type { PostgresqlServer } from '../support/postgresql-server.ts';
import { decodedFlow, messagesOf, openedFromNowOn, routePort } from '../support/decoded-flows.ts';
import { endRealAgents, startRealAgent, temporaryDirectory } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';

const isSkipped = skipWithout('postgresql', 'postgres', 'initdb', 'psql', 'pgbench');

describe.skipIf(isSkipped)('PostgreSQL through a route', () => {
  let server: PostgresqlServer;
  let agent: RealAgent;
  let port: number;

  beforeAll(async () => {
    server = await startPostgresql();
    agent = await startRealAgent({
      workspace: `version: 1\nroutes:\n  - { name: db, listen: "127.0.0.1:0", upstream: "tcp://127.0.0.1:${server.port}" }\n`,
    });
    port = await routePort(agent, 'db');
    const filled = await server.run('pgbench', server.port, ['-i', '-q']);
    expect(filled.exitCode, filled.stderr).toBe(0);
  });
  afterAll(async () => {
    await endRealAgents();
    await server[Symbol.asyncDispose]();
  });

  /** One connection of psql. */
  async function psql(...args: string[]): Promise<{
    exitCode: number | string;
    stdout: string;
    stderr: string;
    flow: Flow;
    messages: FlowMessage[];
  }> {
    const isNew = openedFromNowOn('postgresql');
    const end = await server.run('psql', port, ['-XqAt', ...args]);
    const flow = await decodedFlow(agent, isNew);
    return { ...end, flow, messages: await messagesOf(agent, flow) };
  }

  const told = (messages: readonly FlowMessage[]) =>
    messages.map(({ type, text, summary, error }) => ({ type, text, summary, error }));

  it('statements, their results and their errors', async () => {
    const end = await psql(
      '-c',
      'CREATE TABLE part (id int PRIMARY KEY, name text)',
      '-c',
      "INSERT INTO part SELECT g, 'grün ' || g FROM generate_series(1, 5) g; SELECT * FROM part WHERE id < 4",
      '-c',
      'SELECT 1/0',
      '-c',
      "DO $$ BEGIN RAISE NOTICE 'mind'; END $$",
      '-c',
      'BEGIN; SELECT 1; COMMIT',
      '-c',
      "ALTER ROLE spike PASSWORD 'only-for-tests'",
    );
    expect(end.stdout).toBe('1|grün 1\n2|grün 2\n3|grün 3\n1\n');
    expect(end.stderr).toContain('division by zero');
    expect(end.flow).toMatchObject({ kind: 'tcp', route: 'db', protocol: 'postgresql', error: null });
    const command = { type: 'command', error: null };
    expect(told(end.messages)).toEqual([
      { ...command, text: 'connect as spike to postgres (psql)', summary: 'SCRAM-SHA-256' },
      { ...command, text: 'CREATE TABLE part (id int PRIMARY KEY, name text)', summary: 'CREATE TABLE' },
      {
        ...command,
        text: "INSERT INTO part SELECT g, 'grün ' || g FROM generate_series(1, 5) g; SELECT * FROM part WHERE id < 4",
        summary: '2 statements: 5 rows inserted, 3 rows',
      },
      { ...command, text: 'SELECT 1/0', summary: '', error: 'ERROR 22012: division by zero' },
      { type: 'notice', text: 'mind', summary: 'NOTICE 00000', error: null },
      { ...command, text: "DO $$ BEGIN RAISE NOTICE 'mind'; END $$", summary: 'DO' },
      { ...command, text: 'BEGIN; SELECT 1; COMMIT', summary: '3 statements: BEGIN, 1 row, COMMIT' },
      { ...command, text: "ALTER ROLE spike PASSWORD '…'", summary: 'ALTER ROLE' },
    ]);
    for (const { type, durationMs } of end.messages) {
      if (type === 'command') expect(durationMs).toBeGreaterThanOrEqual(0);
    }
    expect(JSON.stringify(end.messages)).not.toContain(server.password);
  });

  it('COPY in both directions: rows and bytes', async () => {
    const file = join(temporaryDirectory(), 'rows.csv');
    writeFileSync(file, '101,a\n102,b\n103,c\n');
    await server.run('psql', server.port, ['-Xqc', 'CREATE TABLE copied (id int, name text)']);
    const end = await psql('-c', `\\copy copied FROM ${file} csv`, '-c', '\\copy copied TO STDOUT csv');
    expect({ exitCode: end.exitCode, stdout: end.stdout }).toEqual({
      exitCode: 0,
      stdout: '101,a\n102,b\n103,c\n',
    });
    expect(told(end.messages).slice(1)).toMatchObject([
      { text: 'COPY  copied FROM STDIN csv', summary: '3 rows copied, 18 bytes in' },
      { text: 'COPY  copied TO STDOUT csv', summary: '3 rows copied, 18 bytes out' },
    ]);
  });

  it('a password that is wrong', async () => {
    const isNew = openedFromNowOn('postgresql');
    const { exitCode } = await server.run('psql', port, ['-Xc', 'SELECT 1'], { PGPASSWORD: 'wrong' });
    expect(exitCode).toBe(2);
    const flow = await decodedFlow(agent, isNew);
    expect(told(await messagesOf(agent, flow))).toEqual([
      {
        type: 'command',
        text: 'connect as spike to postgres (psql)',
        summary: 'SCRAM-SHA-256',
        error: 'FATAL 28P01: password authentication failed for user "spike"',
      },
    ]);
  });

  it.each(['simple', 'extended', 'prepared'])('pgbench -M %s', async (mode) => {
    const isNew = openedFromNowOn('postgresql');
    const { exitCode, stdout, stderr } = await server.run('pgbench', port, [
      '-n',
      '-c',
      '4',
      '-t',
      '40',
      '-M',
      mode,
    ]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('number of transactions actually processed: 160/160');
    const flow = await decodedFlow(agent, (one) => isNew(one) && (one.messages?.count ?? 0) > 250);
    const messages = await messagesOf(agent, flow);
    // 40 transactions of seven statements each.
    const selects = messages.filter(({ text }) => text.startsWith('SELECT abalance'));
    const run = selects.filter(({ summary }) => summary.startsWith('1 row, in a transaction'));
    expect(run).toHaveLength(40);
    expect(
      messages.filter(({ text, summary }) => text === 'END;' && summary.startsWith('COMMIT')),
    ).toHaveLength(40);
    expect(messages.filter(({ error }) => error !== null)).toEqual([]);
    expect(messages.filter(({ summary }) => summary.includes('no answer'))).toEqual([]);
    if (mode === 'simple') return;
    expect(run[0]?.text).toContain('aid = $1');
    expect(run[0]?.summary).toContain('1 parameter');
    expect(selects.filter(({ summary }) => summary.startsWith('prepared'))).toHaveLength(
      mode === 'prepared' ? 1 : 0,
    );
  });

  it('a connection that goes over to TLS is said to be unreadable', async () => {
    const issuer = createLeafIssuer({ ca: await testAuthority(), now: Date.now });
    await server.secure(issuer.privateKeyPem, issuer.issue('localhost')?.chainPem ?? '');
    const end = await psql('-c', 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    expect(end.stdout).toBe('t\n');
    expect(told(end.messages)[0]).toEqual({
      type: 'notice',
      text: 'Not read from here on: what follows is encrypted.',
      summary: '',
      error: null,
    });
    expect(end.messages.some(({ type }) => type === 'command')).toBe(false);
  });
});
