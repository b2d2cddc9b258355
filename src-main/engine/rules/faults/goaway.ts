import { http2ErrorCodes } from '#shared/rules/faults/http2.ts';
import type { FaultImplementation } from './stage.ts';

/**
 * Tells the client to leave its HTTP/2 connection (RFC 9113, section 6.8). With NO_ERROR the calls at hand end well and the next
 * one needs a new connection; any other code ends all of them.
 */
export const goaway: FaultImplementation<'goaway'> = {
  needsCall: 'isHttp2',
  directions: () => [],
  createStage: null,
  answer: null,
  goaway: ({ code }) => http2ErrorCodes.indexOf(code),
};
