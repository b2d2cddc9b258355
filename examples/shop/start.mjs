import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultCertificateDirectory, ensureCertificates, writeWhole } from './certificate.mjs';
import { launch } from './platform/launch.mjs';
import { defaultPortBase, portOf, schemeOf, serviceNames, variableOf } from './platform/ports.mjs';

const usage = `Usage: node examples/shop/start.mjs [options]
  --proxy URL          calls pass through this proxy, each service under its own user name
  --ca FILE            the proxy's CA certificate, trusted by the services
  --route NAME=ADDR    calls to NAME go to ADDR instead (host:port, or a URL); may be given often
  --rate N             calls a second that the shoppers make   (default 20)
  --no-load            no shoppers
  --port-base N        web is N+1, orders N+2, …; 0: free ports  (default ${defaultPortBase})
  --certificates DIR   where the certificate of payments is kept (default examples/shop/.certificates)
  --help`;

const proxyVariable = /^(https?_proxy|no_proxy|all_proxy|node_use_env_proxy)$/i;

/**
 * Starts the shop: six services and stock-db on loopback, callees first, and the shoppers if asked for.
 * The environment alone decides how calls travel; the services do not know of Spike.
 *
 * @param {object} [options]
 * @param {string} [options.proxyUrl] `http://host:port` of a proxy. Each process calls through it as
 *   `http://NAME:x@host:port`, so the proxy can tell the callers apart. Absent: calls go direct, whatever proxy the
 *   surrounding environment names.
 * @param {string} [options.caPath] PEM file of the proxy's CA, trusted beside the shop's own. Absent: only the shop's.
 * @param {Record<string, string>} [options.routes] where peers are called instead of at their own address, by service
 *   name: `host:port` of a route's listener, called without the proxy, or a URL such as `http://orders.internal`,
 *   called through it. payments speaks HTTPS: its `host:port` is used only where there is no proxy, then with plain
 *   HTTP (the route speaks TLS to payments). Through the proxy it is always CONNECT, so that TLS is opened there.
 *   stock-db speaks TCP: a route is the only way for a proxy to see it.
 * @param {Record<string, number>} [options.ports] a port by service name, 0 for a free one; the rest follow portBase
 * @param {number} [options.portBase] web is portBase + 1 and so on; 0 means free ports; default 8100
 * @param {number} [options.loadPerSecond] calls a second that the shoppers make; absent or 0 means no shoppers
 * @param {string} [options.certificatesDir] default examples/shop/.certificates
 * @param {Record<string, string>} [options.env] more variables for the services, such as SHOP_SEED
 * @param {(line: string) => void} [options.log] given what the processes print, one line a time; default nothing
 * @returns {Promise<{ services: { name: string, port: number, pid: number }[], load: { pid: number } | null,
 *   peerCaPath: string, stop: () => Promise<void> }>} `services` callees first; `peerCaPath` is the CA that a proxy has
 *   to trust for payments; `stop` ends every process and waits for it.
 * @throws {Error} when a service cannot start, such as on a taken port; those already started are ended first
 */
export async function startShop(options = {}) {
  const certificates = ensureCertificates(options.certificatesDir);
  const log = options.log ?? (() => {});
  const environmentOf = environments(options, certificates);
  const started = [];
  const stop = async () => void (await Promise.all(started.toReversed().map(({ end }) => end())));
  const start = async (name, script, args = []) => {
    const running = await launch({
      name,
      script: pathOf(script),
      args,
      env: environmentOf(name, started),
      log,
    });
    started.push(running);
    return running;
  };
  try {
    for (const name of serviceNames) await start(name, `services/${name}.mjs`);
    const services = started.map(({ name, port, pid }) => ({ name, port, pid }));
    const load = options.loadPerSecond
      ? await start('browser', 'load.mjs', loadArguments(options, services))
      : null;
    return { services, load: load && { pid: load.pid }, peerCaPath: certificates.caPath, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const pathOf = (script) => fileURLToPath(new URL(script, import.meta.url));

function loadArguments({ loadPerSecond, ...options }, services) {
  return ['--rate', String(loadPerSecond), '--url', peerUrl('web', services, options)];
}

/** What each process gets: its port, its peers, its certificate and, through a proxy, its name there. */
function environments(options, certificates) {
  const { proxyUrl, routes = {}, ports = {}, portBase, env = {} } = options;
  const clean = Object.entries(process.env).filter(([name]) => !proxyVariable.test(name));
  const trustPath = trustedRoots(certificates, options.caPath);
  const direct = Object.values(routes).filter((route) => !route.includes('://'));
  return (name, started) => ({
    ...Object.fromEntries(clean),
    SPIKE_SERVICE: name,
    SHOP_CERTIFICATES: certificates.directory,
    NODE_EXTRA_CA_CERTS: trustPath,
    [`${variableOf(name)}_PORT`]: String(ports[name] ?? portOf(name, portBase)),
    ...Object.fromEntries(
      started.map((peer) => [`${variableOf(peer.name)}_URL`, peerUrl(peer.name, started, options)]),
    ),
    ...(proxyUrl === undefined ? {} : proxyEnvironment(named(proxyUrl, name), direct)),
    ...env,
  });
}

function peerUrl(name, started, { proxyUrl, routes = {} }) {
  const route = routes[name];
  const own = `${schemeOf(name)}://127.0.0.1:${started.find((peer) => peer.name === name).port}`;
  if (route === undefined) return own;
  if (route.includes('://')) return route;
  if (schemeOf(name) === 'https') return proxyUrl === undefined ? `http://${route}` : own;
  return `${schemeOf(name)}://${route}`;
}

function named(proxyUrl, name) {
  const url = new URL(proxyUrl);
  url.username = name;
  url.password = 'x';
  return url.href;
}

/** A route's listener is reached without the proxy, else the call would pass Spike twice. */
function proxyEnvironment(proxy, direct) {
  return { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: direct.join(',') };
}

/** NODE_EXTRA_CA_CERTS takes one file: the shop's CA and, where given, the proxy's. */
function trustedRoots({ directory, caPath }, proxyCaPath) {
  if (proxyCaPath === undefined) return caPath;
  const bundlePath = join(directory, 'trust.pem');
  writeWhole(bundlePath, `${readFileSync(caPath, 'utf8')}\n${readFileSync(proxyCaPath, 'utf8')}`, 0o644);
  return bundlePath;
}

class UsageError extends Error {}

function readCommandLine() {
  const options = {
    proxy: { type: 'string' },
    ca: { type: 'string' },
    route: { type: 'string', multiple: true, default: [] },
    rate: { type: 'string', default: '20' },
    'no-load': { type: 'boolean', default: false },
    'port-base': { type: 'string', default: String(defaultPortBase) },
    certificates: { type: 'string', default: defaultCertificateDirectory },
    help: { type: 'boolean', default: false },
  };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function optionsFrom(values) {
  if (values.proxy !== undefined && !URL.canParse(values.proxy)) {
    throw new UsageError(`--proxy is no URL: ${values.proxy}`);
  }
  const rate = numberIn(values.rate, 1, 2000, '--rate');
  return {
    proxyUrl: values.proxy,
    caPath: values.ca,
    routes: Object.fromEntries(values.route.map(routeFrom)),
    portBase: numberIn(values['port-base'], 0, 65_500, '--port-base'),
    loadPerSecond: values['no-load'] ? 0 : rate,
    certificatesDir: values.certificates,
    log: console.log,
  };
}

function routeFrom(text) {
  const [, name, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!serviceNames.includes(name)) throw new UsageError(`--route wants NAME=ADDR, got ${text}`);
  return [name, address];
}

function numberIn(text, least, most, option) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${option} is ${least} to ${most}, got ${text}`);
}

async function main() {
  const values = readCommandLine();
  if (values.help) return console.log(usage);
  const shop = await startShop(optionsFrom(values));
  for (const { name, port, pid } of shop.services) {
    console.log(`${name.padEnd(10)} ${schemeOf(name)}://127.0.0.1:${port}  pid ${pid}`);
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void shop.stop());
}

if (import.meta.main) {
  main().catch((error) => {
    console.error(error instanceof UsageError ? `${error.message}\n${usage}` : error.message);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
}
