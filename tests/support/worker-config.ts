import type { WorkerConfig, WorkerIdentity } from '../../src-main/engine/cluster/messages.ts';

/** A configuration without rules and routes, for workers that look at its version and its listener only. */
export function workerConfig(version: number, proxyListen = '127.0.0.1:0'): WorkerConfig {
  return {
    version,
    proxyListen,
    routes: [],
    rules: [],
    capture: { recording: true } as WorkerConfig['capture'],
    tls: {
      passthrough: [],
      autoPassthrough: true,
      distrust: [],
      extraRootsPem: [],
      clientCertificates: [],
    } as unknown as WorkerConfig['tls'],
    http: { stripAltSvc: true },
    limits: { maxRuleHoldBytes: 128 * 1024 ** 2 },
    upstreamProxies: null,
    forbiddenUpstreams: [],
  };
}

/** An identity of which the fixture worker reads the number alone. */
export function workerIdentity(number: number): WorkerIdentity {
  return { number, agentId: 'abc123' } as WorkerIdentity;
}
