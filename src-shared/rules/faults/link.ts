import { z } from 'zod';
import { delay, direction, share } from './parts.ts';

/**
 * Faults on a link: the bytes of one direction of one connection, or of one exchange. They chain in the order in which the
 * rule has them, keep the order of bytes, and can be put on and taken off while bytes pass.
 */

export const LatencyFaultSchema = z
  .strictObject({
    type: z.literal('latency'),
    direction,
    latencyMs: delay('Delay', 2000),
    jitterMs: delay(
      'Spread',
      0,
      'Uniform: plus or minus. Normal: the standard deviation. Lognormal: the standard deviation of what comes on top of the median.',
    ).default(0),
    distribution: z.enum(['uniform', 'normal', 'lognormal', 'percentiles']).default('uniform').meta({
      title: 'Distribution',
      description: 'How delays are spread around the delay; percentiles: drawn from those below instead.',
    }),
    percentiles: z
      .record(
        z.string().regex(/^p(0|[1-9]\d?(\.\d{1,3})?|100)$/, 'Expected a percentile such as p50 or p99.9.'),
        z.number().min(0).max(3_600_000),
      )
      .default({})
      .meta({
        title: 'Percentiles',
        description:
          'Recorded latencies to draw from: p50: 120, p99: 900 in ms; between them the line is straight.',
      }),
  })
  .meta({ title: 'Latency', scope: 'link', icon: 'timer' });

export const BandwidthFaultSchema = z
  .strictObject({
    type: z.literal('bandwidth'),
    direction,
    bytesPerSecond: z.int().min(0).max(10_000_000_000).meta({
      title: 'Rate',
      unit: 'B/s',
      default: 100_000,
      description: '0 lets nothing through.',
    }),
    pieceMs: z.int().min(1).max(60_000).optional().meta({
      title: 'Pieces',
      unit: 'ms',
      description:
        "Bytes are sent in pieces of so much time's worth, each when its time is over, as Toxiproxy does it. Absent: evenly, in small ones.",
    }),
  })
  .meta({ title: 'Bandwidth', scope: 'link', icon: 'gauge' });

export const HangFaultSchema = z
  .strictObject({ type: z.literal('hang'), direction })
  .meta({ title: 'Hang', scope: 'link', icon: 'hourglass' });

export const SlicerFaultSchema = z
  .strictObject({
    type: z.literal('slicer'),
    direction,
    averageBytes: z
      .int()
      .min(1)
      .max(1_048_576)
      .meta({ title: 'Piece', unit: 'B', default: 64, description: 'The size of a piece on average.' }),
    variationBytes: z.int().min(0).max(1_048_576).default(0).meta({
      title: 'Spread',
      unit: 'B',
      description: 'Plus or minus; at most half of what is cut at once.',
    }),
    delayUs: z
      .int()
      .min(0)
      .max(3_600_000_000)
      .default(0)
      .meta({ title: 'Pause', unit: 'µs', description: 'Between two pieces.' }),
  })
  .meta({ title: 'Slicer', scope: 'link', icon: 'scissors' });

export const StallFaultSchema = z
  .strictObject({
    type: z.literal('stall'),
    direction,
    share: share(
      'Share',
      0.05,
      'Of the pieces that pass, 0 to 1. What packet loss looks like above TCP: now and then a piece, and all behind it, is late by a retransmission.',
    ),
    stallMs: delay('Stall', 300),
  })
  .meta({ title: 'Stall', scope: 'link', icon: 'pause' });

export const LimitDataFaultSchema = z
  .strictObject({
    type: z.literal('limit-data'),
    direction,
    bytes: z.int().min(0).max(1_000_000_000_000).meta({
      title: 'After',
      unit: 'B',
      default: 4096,
      description: 'What passes before the connection is closed.',
    }),
  })
  .meta({ title: 'Limit data', scope: 'link', icon: 'ruler' });

export const SlowCloseFaultSchema = z
  .strictObject({ type: z.literal('slow-close'), direction, delayMs: delay('Delay', 2000) })
  .meta({ title: 'Slow close', scope: 'link', icon: 'door-closed' });

export const TimeoutFaultSchema = z
  .strictObject({
    type: z.literal('timeout'),
    direction,
    timeoutMs: delay(
      'Time-out',
      5000,
      'All data is dropped, and the connection closed this long after the last of it. 0: it stays open until the rule is turned off.',
    ),
    closesWhenOff: z.boolean().optional().meta({
      title: 'Close when turned off',
      description:
        'Turning the rule off closes all its connections, as Toxiproxy does it. Absent: those of which something was dropped.',
    }),
  })
  .meta({ title: 'Timeout', scope: 'link', icon: 'timer-off' });

export const ResetPeerFaultSchema = z
  .strictObject({
    type: z.literal('reset-peer'),
    direction,
    timeoutMs: delay(
      'After',
      0,
      'How long after the first bytes came, which are held. Connections that are older than the rule are closed in an orderly way.',
    ),
  })
  .meta({ title: 'Reset peer', scope: 'link', icon: 'zap-off' });

export const CorruptFaultSchema = z
  .strictObject({
    type: z.literal('corrupt'),
    direction,
    share: share('Share', 0.001, 'Of the bytes, 0 to 1.'),
    skipBytes: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(0)
      .meta({ title: 'Spare', unit: 'B', description: 'So many bytes at the beginning stay whole.' }),
    how: z.enum(['flip-bit', 'random', 'zero']).default('flip-bit').meta({ title: 'How' }),
  })
  .meta({ title: 'Corrupt bytes', scope: 'link', icon: 'binary' });

export const DuplicateFaultSchema = z
  .strictObject({
    type: z.literal('duplicate'),
    direction,
    share: share('Share', 0.05, 'Of the pieces that pass, 0 to 1: each of them is sent twice.'),
  })
  .meta({ title: 'Duplicate bytes', scope: 'link', icon: 'copy' });
