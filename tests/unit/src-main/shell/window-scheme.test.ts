import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { answer, belongsTo, builtPage, developmentPage } from '../../../../src-main/shell/window-scheme.ts';
import { temporaryHome } from './shell-harness.ts';

let root: string;
beforeAll(async () => {
  const home = temporaryHome();
  root = join(home, 'renderer');
  await mkdir(join(root, 'assets'), { recursive: true });
  await writeFile(join(home, 'secret.json'), '{}');
  await mkdir(join(home, 'renderer-old'));
  await writeFile(join(home, 'renderer-old', 'index.html'), 'old');
  await writeFile(join(root, 'index.html'), '<title>Spike</title>');
  await writeFile(join(root, 'assets', 'a.js'), 'export {}');
  await writeFile(join(root, 'assets', 'a.woff2'), 'font');
  await writeFile(join(root, 'assets', 'a.sh'), 'echo');
});

describe('a file of the window', () => {
  const kinds = {
    'spike://window/': 'text/html; charset=utf-8',
    'spike://window/index.html': 'text/html; charset=utf-8',
    'spike://window/index.html#/map': 'text/html; charset=utf-8',
    'spike://window/assets/a.js?v=1': 'text/javascript; charset=utf-8',
    'spike://window/assets/a.woff2': 'font/woff2',
  };
  test.each(Object.entries(kinds))('%s is %s, under the policy', async (url, type) => {
    const response = await answer(url, root);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

describe('nothing else', () => {
  test.each([
    'spike://window/../secret.json',
    'spike://window/%2e%2e/secret.json',
    'spike://window/..%2fsecret.json',
    'spike://window/assets/..%2f..%2fsecret.json',
    'spike://window/..%2frenderer-old/index.html',
    'spike://window/%2fetc/hosts.json',
    'spike://window/index.html%00.js',
    'spike://window/%ff',
    'spike://window/assets',
    'spike://window/assets/a.sh',
    'spike://window/no.js',
    'spike://elsewhere/index.html',
  ])('%s is not found', async (url) => {
    expect((await answer(url, root)).status).toBe(404);
  });
});

test('a page is known by its whole origin', () => {
  expect(belongsTo(builtPage, 'spike://window/index.html')).toBe(true);
  expect(belongsTo(builtPage, 'spike://windows/')).toBe(false);
  const page = developmentPage('http://localhost:5173');
  expect(belongsTo(page, 'http://localhost:5173/main.tsx')).toBe(true);
  expect(belongsTo(page, 'http://localhost:51730/')).toBe(false);
  expect(belongsTo(page, 'spike://window/')).toBe(false);
});
