import { ORPCError } from '@orpc/contract';
import { describe, expect, it } from 'vitest';
import { errorCodes, SpikeError } from '#shared/contract/errors.ts';
import type { ErrorCode } from '#shared/contract/errors.ts';
import { spikeErrorOf } from '#shared/contract/wire-error.ts';
import { toErrorBody, toWireError } from '../../../../src-main/control/error-mapping.ts';
import { silentLog } from '../../../../src-main/engine/log.ts';

describe('errors on the wire', () => {
  it.each(Object.entries(errorCodes))('keep their code, status and details: %s', (code, status) => {
    const error = new SpikeError(code as ErrorCode, 'What happened.', { at: 3 });
    const wire = toWireError(error, silentLog);
    expect(wire).toMatchObject({ code, status, message: 'What happened.', data: { at: 3 } });
    expect(toErrorBody(wire)).toEqual({ error: { code, message: 'What happened.', details: { at: 3 } } });
    expect(spikeErrorOf(wire)).toMatchObject({ name: 'SpikeError', code, status, details: { at: 3 } });
  });

  it('have no details where there are none', () => {
    const wire = toWireError(new SpikeError('not-found', 'Gone.'), silentLog);
    expect(toErrorBody(wire)).toEqual({ error: { code: 'not-found', message: 'Gone.' } });
    expect(spikeErrorOf(wire)?.details).toBeUndefined();
  });

  it("translate the library's own codes", () => {
    expect(toErrorBody(new ORPCError('BAD_REQUEST')).error.code).toBe('bad-request');
    expect(spikeErrorOf(new ORPCError('NOT_FOUND'))?.code).toBe('not-found');
    expect(spikeErrorOf(new ORPCError('SOMETHING_NEW', { status: 418 }))?.code).toBe('internal-error');
  });

  it('hide what a bug says, whatever is thrown', () => {
    for (const thrown of [new Error('secret'), 'secret', { secret: true }, null]) {
      const logged: object[] = [];
      const wire = toWireError(thrown, { ...silentLog, error: (fields) => logged.push(fields) });
      expect(wire).toMatchObject({ code: 'internal-error', status: 500 });
      expect(JSON.stringify(wire)).not.toContain('secret');
      expect(logged).toEqual([{ err: thrown, errorId: (wire.data as { id: string }).id }]);
    }
  });

  it('are no errors of the agent when they come from elsewhere', () => {
    expect(spikeErrorOf(new TypeError('fetch failed'))).toBeNull();
    expect(spikeErrorOf(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBeNull();
    expect(spikeErrorOf(undefined)).toBeNull();
  });
});
