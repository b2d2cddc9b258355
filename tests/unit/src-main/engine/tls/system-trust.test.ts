import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateAuthority } from '../../../../../src-main/engine/tls/certificate-authority.ts';
import {
  describeCommands,
  detectTrustPlatform,
  isInstalled,
  planSystemTrust,
  runTrustPlan,
} from '../../../../../src-main/engine/tls/system-trust.ts';
import type { TrustCommand, TrustRunner } from '../../../../../src-main/engine/tls/system-trust.ts';
import { makeCa } from './fixtures.ts';

let ca: CertificateAuthority;
beforeAll(async () => {
  ca = { ...(await makeCa()), path: '/home/ann/my spike/ca.pem' };
});

function recordingRunner(exitCode = 0): { run: TrustRunner; ran: TrustCommand[] } {
  const ran: TrustCommand[] = [];
  const run: TrustRunner = (command) => {
    ran.push(command);
    return Promise.resolve({ exitCode, output: exitCode === 0 ? '' : 'no space left\n' });
  };
  return { run, ran };
}

describe('plans', () => {
  test('the platform is found by system and by program', () => {
    const none = () => false;
    expect(detectTrustPlatform('darwin', none)).toBe('macos');
    expect(detectTrustPlatform('win32', none)).toBe('windows');
    expect(detectTrustPlatform('linux', (name) => name === 'update-ca-certificates')).toBe('debian');
    expect(detectTrustPlatform('linux', (name) => name === 'trust')).toBe('fedora');
    expect(detectTrustPlatform('linux', none)).toBeNull();
    expect(detectTrustPlatform('freebsd', () => true)).toBeNull();
  });

  test('Debian: what install puts there, uninstall takes away', () => {
    const install = planSystemTrust('install', 'debian', ca);
    const uninstall = planSystemTrust('uninstall', 'debian', ca);
    const target = install.commands[0]?.args.at(-1);
    expect(target).toMatch(/^\/usr\/local\/share\/ca-certificates\/spike-[0-9a-f]{12}\.crt$/);
    expect(uninstall.commands[0]).toEqual({ program: 'rm', args: ['-f', target] });
    expect(install.needsRoot).toBe(true);
  });

  test('commands can be pasted into a shell, whatever the path', () => {
    const plan = planSystemTrust('install', 'macos', { ...ca, path: "/home/o'neil/ca.pem" });
    expect(describeCommands(plan)).toBe(
      `  security add-trusted-cert -r trustRoot -p ssl '/home/o'\\''neil/ca.pem'`,
    );
    const windows = planSystemTrust('install', 'windows', { ...ca, path: 'C:\\Users\\An Na\\ca.pem' });
    expect(describeCommands(windows)).toBe('  certutil -user -addstore Root "C:\\Users\\An Na\\ca.pem"');
  });
});

describe('running a plan', () => {
  test('that needs root, without it, runs nothing and says what to run', async () => {
    const { run, ran } = recordingRunner();
    const result = await runTrustPlan(planSystemTrust('install', 'debian', ca), { run, isRoot: false });
    expect(ran).toEqual([]);
    expect(result).toMatchObject({ ok: false, reason: 'needs-root' });
    expect(result.ok ? '' : result.message).toContain("sudo install -m 0644 '/home/ann/my spike/ca.pem'");
  });

  test('runs its commands in order', async () => {
    const { run, ran } = recordingRunner();
    const plan = planSystemTrust('install', 'debian', ca);
    expect(await runTrustPlan(plan, { run, isRoot: true })).toEqual({ ok: true });
    expect(ran).toEqual(plan.commands);
  });

  test('stops at the first that fails, and repeats what it said', async () => {
    const { run, ran } = recordingRunner(1);
    const result = await runTrustPlan(planSystemTrust('install', 'debian', ca), { run, isRoot: true });
    expect(ran).toHaveLength(1);
    expect(result).toMatchObject({ ok: false, reason: 'command-failed' });
    expect(result.ok ? '' : result.message).toContain('ended with 1: no space left');
  });

  test('names a program that is not there', async () => {
    const run: TrustRunner = () => Promise.reject(new Error('spawn security ENOENT'));
    const result = await runTrustPlan(planSystemTrust('install', 'macos', ca), { run, isRoot: false });
    expect(result).toMatchObject({ ok: false, reason: 'command-missing' });
  });
});

describe('whether it is installed', () => {
  test('is read from the bundle, where there is one', async () => {
    const other = await makeCa();
    const bundle = `${other.certificatePem}${ca.certificatePem}`;
    expect(await isInstalled('debian', ca, () => Promise.resolve(bundle))).toBe(true);
    expect(await isInstalled('fedora', ca, () => Promise.resolve(other.certificatePem))).toBe(false);
    expect(await isInstalled('macos', ca)).toBeNull();
    const absent = () => Promise.reject(Object.assign(new Error('absent'), { code: 'ENOENT' }));
    expect(await isInstalled('debian', ca, absent)).toBe(false);
  });
});
