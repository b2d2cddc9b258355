import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src-shared/rules/fault.ts';
import type { RuleText } from '../support/data-plane-harness.ts';
import { curlArgs, useScene } from '../support/data-plane-test.ts';
import { useTrust } from '../support/test-trust.ts';
import { runProgram, startProgram } from '../support/run-program.ts';

const trust = useTrust();
const scene = useScene();

async function serve(fault: FaultInput, more: Partial<RuleText> = {}) {
  const server = await scene.peers.https(trust.site, (_asked, response) => response.end('secret'));
  await scene.spike.configure({
    tls: { extraRootsPem: [trust.siteCaPem] },
    rules: [{ name: fault.type, faults: [fault], ...more }],
  });
  const url = `https://localhost:${server.port}/`;
  const args = (more: string[]) => curlArgs(scene.spike, '--cacert', trust.caFile, ...more, url);
  return {
    curl: (...more: string[]) => runProgram('curl', args(more)),
    startCurl: () => startProgram('curl', args([])),
    openssl: (...args: string[]) =>
      runProgram('openssl', [
        's_client',
        '-connect',
        `localhost:${server.port}`,
        '-proxy',
        scene.spike.proxy,
        '-servername',
        'localhost',
        '-CAfile',
        trust.caFile,
        '-verify_return_error',
        ...args,
      ]),
  };
}

describe('a bad certificate', () => {
  it.each([
    ['expired', 'certificate has expired', 10],
    ['not-yet-valid', 'certificate is not yet valid', 9],
    ['self-signed', 'self-signed certificate', 18],
    ['untrusted-ca', 'self-signed certificate in certificate chain', 19],
  ] as const)('%s: curl and OpenSSL refuse it for that', async (problem, words, verifyCode) => {
    const service = await serve({ type: 'tls-certificate', problem });
    const curl = await service.curl();
    expect(curl.exitCode).toBe(60);
    expect(curl.stderr.replaceAll('self signed', 'self-signed')).toContain(words);
    const openssl = await service.openssl();
    expect(`${openssl.stdout}${openssl.stderr}`).toContain(`error:num=${verifyCode}:`);
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'tls-failure', error: { cause: 'fault-handshake' } });
    expect(flow.faults).toMatchObject([{ ruleId: 'tls-certificate', outcome: 'done' }]);
  });

  it('wrong name: curl names both', async () => {
    const service = await serve({ type: 'tls-certificate', problem: 'wrong-name' });
    const curl = await service.curl();
    expect(curl.exitCode).toBe(60);
    expect(curl.stderr).toMatch(/no alternative certificate subject name matches|does not match/);
  });

  it('is told by the calls of a client that does not look, and never makes it pass through', async () => {
    const service = await serve({ type: 'tls-certificate', problem: 'expired' });
    expect((await service.curl()).exitCode).toBe(60);
    const careless = await service.curl('-k');
    expect([careless.exitCode, careless.stdout]).toEqual([0, 'secret']);
    const { flow } = await scene.spike.flow(({ kind }) => kind === 'http');
    expect(flow.tls?.intercepted).toBe(true);
    expect(flow.faults).toMatchObject([{ type: 'tls-certificate', note: 'showed an expired certificate' }]);
    await scene.spike.configure({ rules: [] });
    expect((await service.curl()).stdout).toBe('secret');
    expect(scene.spike.hits.get('tls-certificate')).toBe(2);
  });
});

describe('an aborted handshake', () => {
  it.each([
    ['handshake_failure', /handshake failure/],
    ['unrecognized_name', /unrecognized name/],
    ['access_denied', /access denied/],
  ] as const)('%s is the alert that OpenSSL sees', async (alert, words) => {
    const service = await serve({ type: 'tls-abort', alert });
    const openssl = await service.openssl();
    expect(`${openssl.stdout}${openssl.stderr}`).toMatch(words);
    expect((await service.curl()).exitCode).toBe(35);
    expect((await scene.spike.flow()).flow).toMatchObject({
      kind: 'tls-failure',
      error: { cause: 'fault-handshake', code: alert },
    });
  });

  it('close: just the end', async () => {
    const service = await serve({ type: 'tls-abort', alert: 'close' });
    expect((await service.curl()).exitCode).toBe(35);
  });
});

describe('a stalled handshake', () => {
  it('goes on after its time', async () => {
    const service = await serve({ type: 'tls-stall', stallMs: 300 });
    expect((await service.curl()).stdout).toBe('secret');
    const { flow } = await scene.spike.flow();
    expect(flow.faults[0]).toMatchObject({ type: 'tls-stall', outcome: 'done' });
    expect(flow.faults[0]?.delayedMs).toBeGreaterThanOrEqual(299);
  });

  it('of 0 lasts until the rule is turned off, then at once', async () => {
    const service = await serve({ type: 'tls-stall', stallMs: 0 });
    const call = service.curl();
    // Counted when it hits, which is told in time.
    await expect.poll(() => scene.spike.hits.get('tls-stall')).toBe(1);
    expect(await scene.spike.configure({ rules: [] })).toBe(1);
    expect((await call).stdout).toBe('secret');
    expect((await scene.spike.flow()).flow.faults[0]?.outcome).toBe('released');
  });

  it('of which the client has had enough is told as such', async () => {
    const service = await serve({ type: 'tls-stall', stallMs: 0 });
    const curl = service.startCurl();
    await scene.spike.until(() => scene.spike.hits.get('tls-stall') === 1);
    await curl.giveUp();
    const { flow } = await scene.spike.flow();
    expect(flow).toMatchObject({ kind: 'tls-failure', error: { cause: 'fault-handshake' } });
    expect(flow.faults).toHaveLength(1);
  });
});

describe('an old version', () => {
  it('is refused by a client that wants a newer one', async () => {
    const service = await serve({ type: 'tls-version', only: 'TLSv1.1' });
    const curl = await service.curl('--tlsv1.2');
    expect(curl.exitCode).toBe(35);
    expect(curl.stderr).toMatch(/alert protocol version|unsupported protocol/);
  });

  it('is spoken with one that takes it', async () => {
    const service = await serve({ type: 'tls-version', only: 'TLSv1.2' });
    expect((await service.curl()).stdout).toBe('secret');
    expect((await scene.spike.flow()).flow.tls?.version).toBe('TLSv1.2');
    await scene.spike.configure({
      rules: [{ name: 'old', faults: [{ type: 'tls-version', only: 'TLSv1.1' }] }],
    });
    const old = await service.openssl('-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0');
    expect(old.stdout).toMatch(/Protocol\s*: TLSv1\.1/);
  });
});

describe('only those that match', () => {
  it('by the name that the client asks for', async () => {
    const service = await serve(
      { type: 'tls-certificate', problem: 'expired' },
      { match: { host: 'elsewhere.example' } },
    );
    expect((await service.curl()).stdout).toBe('secret');
    expect((await scene.spike.flow()).flow.faults).toEqual([]);
  });
});
