import { describe, expect, it } from 'vitest';
import { incidentWords } from '../../../../../src-renderer/features/map/incident-words.ts';

const incident = { worker: 3, at: '2026-01-01T00:00:00.000Z', replacedAfterMs: 412, lostFlows: 7 };
const worker = {
  number: 3,
  pid: 1,
  state: 'ready' as const,
  startedAt: null,
  restarts: 1,
  openConnections: 0,
  lastExit: { at: incident.at, reason: 'signal SIGKILL', replacedAfterMs: 412, lostFlows: 7 },
};

describe('incidentWords', () => {
  it('says what happened, to whom, and what it cost', () => {
    expect(incidentWords(incident, worker)).toBe('Worker 3 was killed, replaced in 0.4 s. 7 calls were cut.');
  });

  it('does not guess why a worker went', () => {
    expect(incidentWords({ ...incident, lostFlows: 1 }, undefined)).toBe(
      'Worker 3 was lost, replaced in 0.4 s. 1 call was cut.',
    );
    const other = { ...worker, lastExit: { ...worker.lastExit, at: '2026-01-01T00:05:00.000Z' } };
    expect(incidentWords(incident, other)).toContain('was lost');
  });

  it('says when there is no replacement yet, and that nothing was cut', () => {
    expect(incidentWords({ ...incident, replacedAfterMs: null, lostFlows: 0 }, worker)).toBe(
      'Worker 3 was killed and has no replacement yet. No call was cut.',
    );
  });
});
