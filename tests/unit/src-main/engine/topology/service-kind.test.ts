import { describe, expect, it } from 'vitest';
import type { KnownEdge } from '../../../../../src-main/engine/metrics/edge-history.ts';
import { serviceKind } from '../../../../../src-main/engine/topology/service-kind.ts';

function inbound(different: Partial<KnownEdge>): KnownEdge {
  return {
    id: '',
    caller: 'web',
    callee: '',
    protocol: 'http',
    firstSeenMs: 0,
    lastSeenMs: 0,
    calleeAddress: '127.0.0.1:8101',
    calleeResolvedBy: 'host',
    ...different,
  };
}

describe('serviceKind', () => {
  it.each<[string, string, Partial<KnownEdge>, string]>([
    ['a name on loopback', 'orders', {}, 'service'],
    ['a private address', 'orders', { calleeAddress: '10.1.2.3:80' }, 'service'],
    ['a private IPv6 address', 'orders', { calleeAddress: '[fd00::1]:80' }, 'service'],
    ['tcp', 'ledger', { protocol: 'tcp' }, 'database'],
    ['a port that is known', 'cache', { calleeAddress: '127.0.0.1:6379' }, 'database'],
    ['a public address', 'cardnet.example.com', { calleeAddress: '203.0.113.9:443' }, 'external'],
    ['a public IPv6 address', 'cardnet.example.com', { calleeAddress: '[2606:4700::1]:443' }, 'external'],
    ['a host that was never reached', 'carrier.example.com', { calleeAddress: null }, 'external'],
    ['with its port', 'carrier.example.com:8443', { calleeAddress: null }, 'external'],
    [
      'a public address that was never reached',
      '203.0.113.9',
      { calleeAddress: null, calleeResolvedBy: 'address' },
      'external',
    ],
    ['a name without dots', 'orders', { calleeAddress: null }, 'service'],
    ['a name of the machine', 'orders.localhost', { calleeAddress: null }, 'service'],
    ['a name of the network', 'nas.local', { calleeAddress: null }, 'service'],
    [
      'public, but named by a route',
      'gateway',
      { calleeAddress: '203.0.113.9:443', calleeResolvedBy: 'route' },
      'service',
    ],
    [
      'public, but a process of ours',
      'orders',
      { calleeAddress: '203.0.113.9:443', calleeResolvedBy: 'run' },
      'service',
    ],
  ])('%s: %s', (_, name, edge, kind) => {
    expect(serviceKind(name, [inbound(edge)], new Set())).toBe(kind);
  });

  it('is a client that nobody calls', () => {
    expect(serviceKind('browser', [], new Set())).toBe('client');
  });

  it('is ours when a route has its name', () => {
    const edge = inbound({ calleeAddress: '203.0.113.9:443' });
    expect(serviceKind('api.example.com', [edge], new Set(['api.example.com']))).toBe('service');
  });
});
