// The environment of `spike run`: what makes each runtime send its calls through Spike and trust its CA. Pure: the files it
// names are written elsewhere, the process is started elsewhere.
//
// Settings that *replace* a runtime's roots get the bundle (the system's roots and the CA), settings that *add* get the CA.

export interface RunEnvironmentOptions {
  /** host:port of the proxy; a wildcard address is reached on loopback. */
  readonly proxyAddress: string;
  /** The caller's name, any text that is not empty. */
  readonly service: string;
  /** The CA alone, PEM. */
  readonly caPath: string;
  /** The system's roots and the CA, PEM. */
  readonly bundlePath: string;
  /** The same as PKCS#12. */
  readonly javaTrustStorePath: string;
  readonly javaTrustStorePassword: string;
  /** A CommonJS file that older versions of Node are made to load first; null for none. */
  readonly nodeHookPath: string | null;
  /** The environment that `spike run` itself has. Not changed. */
  readonly base: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

export interface RunEnvironment {
  /** What to set on top of `base`; everything else stays. */
  readonly set: Readonly<Record<string, string>>;
  /** Sentences for the user: what of the environment was changed or is not covered. */
  readonly notes: readonly string[];
}

type Lookup = (name: string) => string | undefined;

export function runEnvironment(options: RunEnvironmentOptions): RunEnvironment {
  const notes: string[] = [];
  const read = reader(options.base, options.platform);
  const set: Record<string, string> = {
    SPIKE_SERVICE: options.service,
    ...proxyVariables(options, read, notes),
    ...bypassVariables(read, notes),
    ...trustVariables(options, read, notes),
    ...nodeVariables(options, read),
    JAVA_TOOL_OPTIONS: javaToolOptions(options, read),
  };
  notes.push('Go, Ruby and browsers never use a proxy for localhost and 127.*: give those callees a route.');
  return { set: options.platform === 'win32' ? withoutDoubles(set) : set, notes };
}

/** Windows takes names in any case, and keeps one of two that differ in case alone: which one, nobody promises. */
function withoutDoubles(set: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(set).filter(([name]) => name === name.toUpperCase()));
}

function reader(base: RunEnvironmentOptions['base'], platform: NodeJS.Platform): Lookup {
  if (platform !== 'win32') return (name) => base[name] || undefined;
  const byUpper = new Map(Object.entries(base).map(([name, value]) => [name.toUpperCase(), value]));
  return (name) => byUpper.get(name.toUpperCase()) || undefined;
}

/** curl reads http_proxy in lower case only, since HTTP_PROXY can be set by a request header under CGI (CVE-2016-5385). */
const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'] as const;

function proxyVariables(
  { proxyAddress, service }: RunEnvironmentOptions,
  read: Lookup,
  notes: string[],
): Record<string, string> {
  const url = `http://${encodeUser(service)}:x@${reachable(proxyAddress)}`;
  const set: Record<string, string> = { grpc_proxy: url };
  const replaced = new Set<string>();
  for (const name of PROXY_NAMES) {
    for (const spelled of [name, name.toLowerCase()]) {
      const own = read(spelled);
      if (own !== undefined && own !== url) replaced.add(withoutUserinfo(own));
      set[spelled] = url;
    }
  }
  if (replaced.size > 0) {
    notes.push(
      `Your proxy (${[...replaced].join(', ')}) is replaced: calls leave from Spike directly, not through it.`,
    );
  }
  return set;
}

/** encodeURIComponent leaves some characters alone that URL parsers and shells do not agree on. */
function encodeUser(service: string): string {
  return encodeURIComponent(service.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Nobody can connect to a wildcard address, though some systems let them try. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

/** For a sentence that may end in a log. */
const withoutUserinfo = (url: string): string => url.replace(/^([a-z0-9+.-]+:\/\/)?[^@/]*@/i, '$1');

/** These would send calls past Spike, and nobody who starts `spike run` wants that. */
const bypassesSpike =
  /^(?:\*|\.?localhost|.*\.localhost|127(?:\.\d+){0,3}(?:\/\d+)?|\[?::1\]?|0\.0\.0\.0)(?::\d+)?$/i;

function bypassVariables(read: Lookup, notes: string[]): Record<string, string> {
  const set: Record<string, string> = {};
  const kept = new Set<string>();
  const removed = new Set<string>();
  for (const name of ['NO_PROXY', 'no_proxy', 'no_grpc_proxy']) {
    const own = read(name);
    if (own === undefined) continue;
    const entries = own.split(/[\s,]+/).filter((entry) => entry !== '');
    const keeping = entries.filter((entry) => !bypassesSpike.test(entry));
    for (const entry of entries) (keeping.includes(entry) ? kept : removed).add(entry);
    set[name] = keeping.join(',');
  }
  if (removed.size > 0)
    notes.push(
      `NO_PROXY: ${[...removed].join(', ')} taken out, so that calls within this machine pass Spike.`,
    );
  if (kept.size > 0) notes.push(`NO_PROXY: calls to ${[...kept].join(', ')} still go past Spike.`);
  return set;
}

/** Replace the roots: OpenSSL, Python, Ruby, .NET and Go on Linux; requests; curl; git; gRPC core; the AWS CLI; Cargo; pip. */
const BUNDLE_NAMES = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'AWS_CA_BUNDLE',
  'CARGO_HTTP_CAINFO',
  'PIP_CERT',
] as const;

function trustVariables(
  options: RunEnvironmentOptions,
  read: Lookup,
  notes: string[],
): Record<string, string> {
  const { bundlePath, caPath } = options;
  const replaced = BUNDLE_NAMES.filter((name) => (read(name) ?? bundlePath) !== bundlePath);
  if (replaced.length > 0) {
    notes.push(
      `${replaced.join(', ')} replaced by Spike's bundle: roots of your own belong into tls.trust in spike.yaml.`,
    );
  }
  return {
    ...Object.fromEntries(BUNDLE_NAMES.map((name) => [name, bundlePath])),
    // Both add to the roots. One file only: if there is one already, the bundle has what it adds, and the system's roots.
    NODE_EXTRA_CA_CERTS: read('NODE_EXTRA_CA_CERTS') === undefined ? caPath : bundlePath,
    DENO_CERT: caPath,
  };
}

function nodeVariables({ nodeHookPath }: RunEnvironmentOptions, read: Lookup): Record<string, string> {
  // Node 22.21 and 24; older ones do not know it, and need the hook.
  const set = { NODE_USE_ENV_PROXY: '1' };
  if (nodeHookPath === null) return set;
  return { ...set, NODE_OPTIONS: joined(read('NODE_OPTIONS'), `--require=${quotedForNode(nodeHookPath)}`) };
}

/** NODE_OPTIONS: words are parted by spaces; in double quotes a backslash escapes (Node's CLI documentation). */
function quotedForNode(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path;
}

/**
 * Java takes no user name for its proxy from options: its calls are named by SPIKE_SERVICE of the process instead. The empty
 * list of hosts without a proxy takes out Java's own, which holds localhost. What stands last wins.
 */
function javaToolOptions(options: RunEnvironmentOptions, read: Lookup): string {
  const address = reachable(options.proxyAddress);
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = address.slice(colon + 1);
  const words = [
    ...['http', 'https'].flatMap((scheme) => [
      `-D${scheme}.proxyHost=${host}`,
      `-D${scheme}.proxyPort=${port}`,
    ]),
    '-Dhttp.nonProxyHosts=',
    `-Djavax.net.ssl.trustStore=${options.javaTrustStorePath}`,
    // The default of Java 8 is JKS.
    '-Djavax.net.ssl.trustStoreType=PKCS12',
    `-Djavax.net.ssl.trustStorePassword=${options.javaTrustStorePassword}`,
  ];
  return joined(read('JAVA_TOOL_OPTIONS'), words.map(quotedForJava).join(' '));
}

/** HotSpot parts words at white space and knows both quotes, without an escape. */
function quotedForJava(word: string): string {
  if (!/\s/.test(word)) return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}

const joined = (before: string | undefined, after: string): string =>
  before === undefined ? after : `${before} ${after}`;
