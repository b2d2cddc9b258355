// What is measured, and how each is started. A peer that is not installed is left out and named.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './origin.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = process.env['SPIKE_BENCH_PEERS'];
/** Another checkout of Spike, measured beside this one. */
const before = process.env['SPIKE_BENCH_BEFORE'];
const require = createRequire(folder === undefined ? import.meta.url : join(folder, 'index.js'));

export function installed(command) {
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

/** Where a route of Spike or a reverse proxy leads in that form. */
function upstreamOf(form, origin) {
  if (form === 'tcp') return `tcp://127.0.0.1:${origin.http}`;
  if (form === 'h2') return `https://localhost:${origin.http2}`;
  return `http://127.0.0.1:${origin.http}`;
}

const spike =
  ({ recording = true, workers = 1, checkout = root } = {}) =>
  (directory, { port, form, origin, otherPort }) => {
    const isProxy = form === 'forward' || form === 'mitm';
    const workspace = join(directory, `spike-${port}.yaml`);
    const route = `{ name: origin, listen: 127.0.0.1:${port}, upstream: ${upstreamOf(form, origin)} }`;
    const routes = isProxy ? '' : `routes:\n  - ${route}\n`;
    const tls = `tls: { trust: [${origin.caPath}] }\n`;
    writeFileSync(workspace, `version: 1\n${routes}${tls}capture: { enabled: ${recording} }\n`);
    const proxy = ['--proxy', `127.0.0.1:${isProxy ? port : otherPort}`];
    const flags = ['--headless', '--workers', String(workers), ...proxy, '--control', '127.0.0.1:0'];
    const files = ['--home', join(directory, `home-${port}`), '--workspace', workspace];
    return [process.execPath, join(checkout, 'src-main/cli/main.ts'), 'start', ...flags, ...files];
  };

const haproxy =
  (threads = 1) =>
  (directory, { port, form, origin }) => {
    const file = join(directory, `haproxy-${form}-${threads}.cfg`);
    const timeouts = 'timeout connect 5s\n  timeout client 300s\n  timeout server 300s';
    const mode = form === 'tcp' ? 'tcp' : 'http';
    const reuse = mode === 'http' ? '  http-reuse always\n' : '';
    writeFileSync(
      file,
      `global\n  nbthread ${threads}\n  maxconn 4096\ndefaults\n  mode ${mode}\n  ${timeouts}\n${reuse}` +
        `frontend f\n  bind 127.0.0.1:${port}\n  default_backend b\nbackend b\n  server s 127.0.0.1:${origin.http}\n`,
    );
    return ['haproxy', '-db', '-f', file];
  };

function nginx(directory, { port, form, origin }) {
  const own = join(directory, `nginx-${form}`);
  mkdirSync(own, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (part) => `${part}_temp_path ${part};`,
  );
  const http = `http { access_log off; ${temporary.join(' ')}
  upstream o { server 127.0.0.1:${origin.http}; keepalive 64; }
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000000;
    location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`;
  const stream = `stream { server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${origin.http}; } }`;
  const module = form === 'tcp' ? `load_module ${streamModule};\n` : '';
  const text = `${module}daemon off; worker_processes 1; pid p.pid; error_log p.err;\nevents { worker_connections 4096; }\n`;
  writeFileSync(join(own, 'nginx.conf'), text + (form === 'tcp' ? stream : http));
  return ['nginx', '-p', own, '-c', join(own, 'nginx.conf')];
}
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Debian's squid-openssl. It gives up its rights and then writes as another user. */
function squid(directory, { port, form, origin, hostsPath }) {
  const own = join(directory, `squid-${form}`);
  mkdirSync(own, { recursive: true });
  const opens = `ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=16MB cert=${own}/ca.crt key=${own}/ca.key
sslcrtd_program ${squidCertificates} -s ${own}/certificates -M 16MB
sslcrtd_children 8 startup=2
ssl_bump bump all
tls_outgoing_options cafile=${origin.caPath}`;
  if (form === 'mitm') {
    makeCertificate('squid', [], join(own, 'ca.key'), join(own, 'ca.crt'));
    // The scenario before has left its certificates: names are to be new.
    rmSync(join(own, 'certificates'), { recursive: true, force: true });
    execFileSync(squidCertificates, ['-c', '-s', join(own, 'certificates'), '-M', '16MB'], {
      stdio: 'ignore',
    });
  }
  const lines = [
    `http_port 127.0.0.1:${port} ${form === 'mitm' ? opens : ''}`,
    ...(hostsPath === undefined ? [] : [`hosts_file ${hostsPath}`]),
    'http_access allow all',
    'access_log none',
    'cache_store_log none',
    `cache_log ${own}/cache.log`,
    `pid_filename ${own}/squid.pid`,
    `coredump_dir ${own}`,
    'shutdown_lifetime 0 seconds',
    'pinger_enable off',
  ];
  writeFileSync(join(own, 'squid.conf'), `${lines.join('\n')}\n`);
  execFileSync('chmod', ['-R', 'a+rwX', own]);
  return ['squid', '-N', '-f', join(own, 'squid.conf')];
}
const squidCertificates = '/usr/lib/squid/security_file_certgen';

function mitmdump(directory, { port, form, origin }) {
  const own = ['-q', '--set', `confdir=${join(directory, 'mitmproxy')}`, '--listen-host', '127.0.0.1'];
  const isProxy = form === 'forward' || form === 'mitm';
  const mode = isProxy ? [] : ['--mode', `reverse:${upstreamOf(form, origin)}`];
  const trust = ['--set', `ssl_verify_upstream_trusted_ca=${origin.caPath}`];
  // By itself it connects to the upstream before it knows what the client speaks, and then offers no HTTP/2 to either.
  const lazy = form === 'h2' ? ['--set', 'connection_strategy=lazy'] : [];
  return ['mitmdump', ...own, '-p', String(port), ...mode, ...trust, ...lazy];
}

function toxiproxy(directory, { port, origin, otherPort }) {
  const file = join(directory, 'toxiproxy.json');
  const proxy = {
    name: 'origin',
    listen: `127.0.0.1:${port}`,
    upstream: `127.0.0.1:${origin.http}`,
    enabled: true,
  };
  writeFileSync(file, JSON.stringify([proxy]));
  return ['toxiproxy-server', '-config', file, '-port', String(otherPort)];
}

const ofNpm =
  (name) =>
  (directory, { port, form, origin }) => {
    const originPort = form === 'h2' ? origin.http2 : origin.http;
    const script = [join(here, 'js-peers.cjs'), name, port, form, originPort, directory];
    return ['env', `HOME=${directory}`, process.execPath, ...script.map(String)];
  };

const fromNpm = (name) => ({ name, isHere: () => resolvable(name), command: ofNpm(name) });

/** Name, whether it is here, and its command line. Which of them a scenario compares is in scenarios.mjs. */
export const peers = [
  { name: 'spike', isHere: () => true, command: spike() },
  { name: 'spike, capture off', isHere: () => true, command: spike({ recording: false }) },
  { name: 'spike, 2 workers', isHere: () => true, command: spike({ workers: 2 }) },
  {
    name: 'spike, before',
    isHere: () => before !== undefined,
    command: (directory, at) => spike({ checkout: before })(directory, at),
  },
  { name: 'haproxy', isHere: () => installed('haproxy'), command: haproxy() },
  { name: 'haproxy, 2 threads', isHere: () => installed('haproxy'), command: haproxy(2) },
  { name: 'nginx', isHere: () => installed('nginx'), command: nginx },
  { name: 'nginx stream', isHere: () => existsSync(streamModule), command: nginx },
  { name: 'squid', isHere: () => existsSync(squidCertificates), command: squid },
  { name: 'mitmproxy', isHere: () => installed('mitmdump'), command: mitmdump },
  { name: 'toxiproxy', isHere: () => installed('toxiproxy-server'), command: toxiproxy },
  fromNpm('mockttp'),
  fromNpm('anyproxy'),
  fromNpm('http-mitm-proxy'),
  fromNpm('httpxy'),
];
