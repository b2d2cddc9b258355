// What is measured, and how each is started. A peer that is not installed is left out and named.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

function installed(command) {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function resolvable(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function spike(directory, { port, origin, recording }) {
  const workspace = join(directory, `spike-${port.rev}.yaml`);
  const routes = `routes:\n  - { name: origin, listen: 127.0.0.1:${port.rev}, upstream: http://127.0.0.1:${origin.http} }\n`;
  const text = `version: 1\n${routes}tls: { trust: [${origin.caPath}] }\ncapture: { enabled: ${recording} }\n`;
  writeFileSync(workspace, text);
  const flags = [
    '--headless',
    '--workers',
    '1',
    '--proxy',
    `127.0.0.1:${port.fwd}`,
    '--control',
    '127.0.0.1:0',
  ];
  const home = join(directory, `home-${port.fwd}`);
  return [
    process.execPath,
    join(root, 'src-main/cli/main.ts'),
    'start',
    ...flags,
    '--home',
    home,
    '--workspace',
    workspace,
  ];
}

function haproxy(directory, { port, origin }) {
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  http-reuse always\nfrontend f\n  bind 127.0.0.1:${port.rev}\n  default_backend b\nbackend b\n  server s 127.0.0.1:${origin.http}\n`,
  );
  return ['haproxy', '-db', '-f', file];
}

/** name, the forms it speaks, whether it is here, and its command line. */
export const peers = [
  {
    name: 'spike',
    forms: ['rev', 'fwd', 'mitm'],
    isHere: () => true,
    command: (directory, at) => spike(directory, { ...at, recording: true }),
  },
  {
    name: 'spike, capture off',
    forms: ['rev'],
    isHere: () => true,
    command: (directory, at) => spike(directory, { ...at, recording: false }),
  },
  { name: 'haproxy', forms: ['rev'], isHere: () => installed('haproxy'), command: haproxy },
  {
    name: 'mockttp',
    forms: ['rev', 'fwd', 'mitm'],
    isHere: () => resolvable('mockttp'),
    command: (_directory, { port, origin, form }) => [
      process.execPath,
      join(here, 'mockttp-peer.cjs'),
      String(form === 'rev' ? port.rev : port.fwd),
      form,
      String(origin.http),
      origin.caPath,
    ],
  },
];
