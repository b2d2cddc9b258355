import { connect } from 'node:net';
import { dirname } from 'node:path';
import { proxyName } from '#shared/workspace/upstream-proxy.ts';
import type { ProxyAddress } from '#shared/workspace/upstream-proxy.ts';
import { silentLog } from '../engine/log.ts';
import { UpstreamSettings } from '../engine/upstream-settings.ts';
import type { Environment } from '../workspace/environment.ts';
import { upstreamProxiesOf } from '../workspace/upstream-proxies.ts';
import { readWorkspace } from '../workspace/workspace-sync.ts';
import type { Examined } from './doctor.ts';

const connectTimeoutMs = 3000;

/** What the workspace says of upstreams: files that are read, a proxy that answers. None, where the file itself is wrong. */
export async function upstreamLines(workspacePath: string, environment: Environment): Promise<Examined[]> {
  const parsed = await readWorkspace(workspacePath, environment).catch(() => null);
  if (parsed === null) return [];
  const { tls, upstreamProxy } = parsed.workspace;
  try {
    const upstreamProxies = upstreamProxiesOf(upstreamProxy, environment);
    const settings = { tls, upstreamProxies, baseDirectory: dirname(workspacePath) };
    const read = await UpstreamSettings.read(settings, [], Date.now(), silentLog);
    return [
      ...certificateLines(read),
      ...(await proxyLines([upstreamProxies?.http, upstreamProxies?.https])),
    ];
  } catch (error) {
    const mend = (error as Error).message;
    return [{ state: 'problem', what: 'The upstream settings of the workspace cannot be used', mend }];
  }
}

function certificateLines(read: UpstreamSettings): Examined[] {
  return read.status(Date.now()).clientCertificates.map(({ host, notAfter, expired }) => {
    const what = `Client certificate for ${host}, until ${notAfter.slice(0, 10)}`;
    return expired
      ? {
          state: 'problem',
          what: `${what}: it has expired`,
          mend: 'Have a new one made, and put it in its place.',
        }
      : { state: 'ok', what };
  });
}

async function proxyLines(proxies: readonly (ProxyAddress | null | undefined)[]): Promise<Examined[]> {
  const byName = new Map(proxies.flatMap((proxy) => (proxy ? [[proxyName(proxy), proxy] as const] : [])));
  return await Promise.all([...byName].map(([name, proxy]) => proxyLine(name, proxy)));
}

/** Only whether something accepts: what it lets through, and whom, is known when a call is made. */
async function proxyLine(name: string, { host, port }: ProxyAddress): Promise<Examined> {
  const failure = await new Promise<string | null>((settle) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    const end = (reason: string | null): void => {
      socket.destroy();
      settle(reason);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end('ETIMEDOUT'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
  if (failure === null) return { state: 'ok', what: `Upstream proxy ${name} accepts connections` };
  return {
    state: 'problem',
    what: `Upstream proxy ${name} cannot be reached (${failure})`,
    mend: 'Start it, or correct upstreamProxy in spike.yaml.',
  };
}
