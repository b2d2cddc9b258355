// What is asked of whom. `form` is how a proxy is used: reverse (a route), forward, mitm (CONNECT and TLS opened), tcp, h2.
import { fileURLToPath } from 'node:url';

const at = (file) => fileURLToPath(new URL(`load/${file}`, import.meta.url));

const wrk =
  (connections, path) =>
  ({ form, port, origin, seconds }) => ({
    command: 'wrk',
    args: [
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--timeout',
      '20s',
      '-s',
      at('wrk.lua'),
      `http://127.0.0.1:${port ?? origin.http}`,
    ],
    env: {
      TARGET: form === 'forward' && port !== null ? `http://127.0.0.1:${origin.http}${path}` : path,
      HOST_FIELD: `127.0.0.1:${origin.http}`,
    },
  });

const script = (file, ...args) => ({
  command: process.execPath,
  args: [at(file), ...args.map(String)],
  env: {},
});
const tunnel =
  (connections) =>
  ({ port, origin, seconds }) =>
    script('tunnel.mjs', port ?? 'direct', origin.tls, connections, seconds);
const cold =
  (names, atOnce) =>
  ({ port, origin, tag }) =>
    script('cold.mjs', port ?? 'direct', origin.tls, tag, names, atOnce);
const paced =
  (rate) =>
  ({ port, origin, seconds }) =>
    script('paced.mjs', port ?? origin.http, '/1k', rate, seconds);
const steady =
  (connections, rate) =>
  ({ port, origin, seconds }) =>
    script('steady.mjs', port ?? origin.http, '/1k', connections, rate, seconds);
const h2load =
  (connections, streams) =>
  ({ port, origin, seconds }) => ({
    command: 'h2load',
    args: [
      '-c',
      String(connections),
      '-m',
      String(streams),
      '-D',
      String(seconds),
      '--npn-list=h2',
      `https://localhost:${port ?? origin.http2}/1k`,
    ],
    env: {},
  });

/**
 * unit: what the first column counts (calls, bytes, names, added latency). peers: in the order of the table; `direct` goes
 * before them. warmSeconds: before the first round, 2 when absent; code is compiled meanwhile, in each process. Names of `fresh` scenarios are new in each run, and nothing is warmed up.
 */
export const scenarios = {
  reverse: {
    title: 'Plain HTTP, reverse, 1 KiB, 64 connections',
    form: 'reverse',
    unit: 'calls',
    load: wrk(64, '/1k'),
    peers: ['spike', 'spike, capture off', 'haproxy', 'nginx', 'httpxy', 'mockttp', 'mitmproxy'],
  },
  forward: {
    title: 'Plain HTTP, forward, 1 KiB, 64 connections',
    form: 'forward',
    unit: 'calls',
    load: wrk(64, '/1k'),
    peers: ['spike', 'squid', 'anyproxy', 'http-mitm-proxy', 'mockttp'],
  },
  tls: {
    title: 'TLS intercepted, keep-alive, 1 KiB, 32 connections',
    form: 'mitm',
    unit: 'calls',
    load: tunnel(32),
    peers: ['spike', 'squid', 'anyproxy', 'mockttp', 'mitmproxy'],
  },
  cold: {
    title: 'TLS intercepted, 200 new names, 8 at a time',
    form: 'mitm',
    unit: 'names',
    fresh: true,
    names: 200,
    load: cold(200, 8),
    peers: ['spike', 'squid', 'mitmproxy', 'mockttp'],
  },
  h2: {
    title: 'HTTP/2 intercepted, 1 KiB, 4 connections of 25 streams',
    form: 'h2',
    unit: 'calls',
    load: h2load(4, 25),
    peers: ['spike', 'mitmproxy', 'mockttp'],
  },
  bodies: {
    title: '10 MiB bodies, 16 at a time, forward',
    form: 'forward',
    unit: 'bytes',
    load: wrk(16, '/10m'),
    peers: ['spike', 'http-mitm-proxy', 'mockttp', 'squid'],
  },
  tcp: {
    title: 'Raw TCP, 1 KiB, 64 connections',
    form: 'tcp',
    unit: 'calls',
    load: wrk(64, '/1k'),
    peers: ['spike', 'haproxy', 'nginx stream', 'toxiproxy'],
  },
  latency: {
    title: 'Added latency, plain, reverse, 1 connection, 200 requests a second',
    form: 'reverse',
    unit: 'added',
    load: paced(200),
    peers: ['spike', 'haproxy', 'httpxy', 'mockttp'],
  },
  workers: {
    title: 'Two workers: CPU per request, plain HTTP, reverse, 1 KiB, 64 connections, as fast as they can',
    form: 'reverse',
    unit: 'calls',
    warmSeconds: 10,
    load: wrk(64, '/1k'),
    peers: ['spike', 'spike, 2 workers', 'haproxy', 'haproxy, 2 threads'],
  },
  steady: {
    title:
      'Two workers: CPU per request, plain HTTP, reverse, 1 KiB, 64 connections, 2,000 requests a second',
    form: 'reverse',
    unit: 'calls',
    warmSeconds: 10,
    load: steady(64, 2000),
    peers: ['spike', 'spike, 2 workers', 'haproxy', 'haproxy, 2 threads'],
  },
  rules: {
    title: 'Rules that no call matches, plain HTTP, reverse, 1 KiB, 64 connections',
    form: 'reverse',
    unit: 'rules',
    load: wrk(64, '/1k'),
    peers: ['spike'],
  },
  idle: {
    title: '10,000 idle keep-alive connections, reverse',
    form: 'reverse',
    unit: 'idle',
    connections: 10_000,
    load: wrk(64, '/1k'),
    peers: ['spike'],
  },
};
