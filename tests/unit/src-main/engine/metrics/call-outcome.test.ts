import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../../../../src-main/engine/metrics/call-outcome.ts';
import { appliedFault, flowError, flowRecord } from '../../../../support/flow-record.ts';

const quiet = {
  failed: false,
  unreachable: false,
  clientError: false,
  injected: false,
  injectedFailed: false,
  injectedStatus: 0,
};
const slowed = [appliedFault({ delayedMs: 2000 })];

describe('outcomeOf', () => {
  it.each([
    ['a success', {}, { ...quiet, outcome: '2xx' }],
    ['a redirect', { status: 302 }, { ...quiet, outcome: '3xx' }],
    ['not found', { status: 404 }, { ...quiet, outcome: '4xx', clientError: true }],
    ['a server error', { status: 500 }, { ...quiet, outcome: '5xx', failed: true }],
    ['gRPC, well', { grpcStatus: 0 }, { ...quiet, outcome: '2xx' }],
    ['gRPC, failed in a 200', { grpcStatus: 14 }, { ...quiet, outcome: '2xx', failed: true }],
    ['a connection that ended', { kind: 'tcp', status: 0 }, { ...quiet, outcome: 'closed' }],
    [
      'an upstream that is not there',
      { status: 502, error: flowError('upstream-refused') },
      { ...quiet, outcome: 'error', failed: true, unreachable: true },
    ],
    [
      'an upstream that hung up',
      { status: 200, error: flowError('upstream-reset') },
      { ...quiet, outcome: 'error', failed: true },
    ],
    ['slowed, then well', { faults: slowed }, { ...quiet, outcome: '2xx', injected: true }],
    [
      'slowed, then failed by itself',
      { faults: slowed, status: 500 },
      { ...quiet, outcome: '5xx', injected: true, failed: true },
    ],
    [
      'slowed until the caller gave up',
      { faults: slowed, status: 0, error: flowError('client-timeout') },
      { ...quiet, outcome: 'error', injected: true, injectedFailed: true },
    ],
    [
      'slowed, and the upstream reset it',
      { faults: slowed, status: 0, error: flowError('upstream-reset') },
      { ...quiet, outcome: 'error', injected: true, failed: true },
    ],
    [
      'answered 503 by a fault',
      { faults: [appliedFault({ type: 'status', status: 503 })], status: 503 },
      { ...quiet, outcome: '5xx', injected: true, injectedFailed: true, injectedStatus: 503 },
    ],
    [
      'answered 429 by a fault',
      { faults: [appliedFault({ type: 'status', status: 429 })], status: 429 },
      { ...quiet, outcome: '4xx', injected: true, injectedFailed: true, injectedStatus: 429 },
    ],
    [
      'answered 200 by a fault',
      { faults: [appliedFault({ type: 'status', status: 200 })], status: 200 },
      { ...quiet, outcome: '2xx', injected: true, injectedStatus: 200 },
    ],
    [
      'reset by a fault',
      { faults: [appliedFault({ type: 'reset' })], status: 0, error: flowError('fault-reset') },
      { ...quiet, outcome: 'error', injected: true, injectedFailed: true },
    ],
  ] as const)('%s', (_, different, outcome) => {
    expect(outcomeOf(flowRecord(different))).toEqual(outcome);
  });
});
