import { http2ErrorCodes } from '#shared/rules/faults/http2.ts';

/** The error codes of RST_STREAM and GOAWAY that Spike itself sends or looks for (RFC 9113, section 7). */
export const http2Code = { noError: 0, internalError: 2, refusedStream: 7, cancel: 8 } as const;

/** As the RFC calls it; an unknown code (they may be used) as its number. */
export function http2CodeName(code: number): string {
  return http2ErrorCodes[code] ?? `0x${code.toString(16)}`;
}
