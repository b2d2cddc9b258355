import type { Edge, Health, Service } from '#shared/contract/topology.ts';
import { formatBytes, formatDuration, formatRate, unknown } from '../../ui/words.ts';

/** What the second line of the labels shows. */
export const edgeFigures = ['latency', 'errors', 'bytes'] as const;
export type EdgeFigure = (typeof edgeFigures)[number];

export type Tone = 'quiet' | 'warn' | 'error' | 'fault' | 'play';

export interface EdgeLabel {
  readonly rate: string;
  readonly figure: string;
  readonly tone: Tone;
}

const tones: Record<Health, Tone> = {
  fine: 'quiet',
  idle: 'quiet',
  slow: 'warn',
  failing: 'error',
  faulted: 'fault',
  played: 'play',
};

/** How the line is drawn: it says how the edge is, whichever figure its label shows. */
export function edgeTone({ health }: Pick<Edge, 'health'>): Tone {
  return tones[health];
}

/** From this share on, that calls fail is more important than how long they take. */
const failingShare = 0.05;

/** The share of the calls that failed, whoever made them fail; null without a call. */
export function failedShare({ stats }: Pick<Edge, 'stats'>): number | null {
  return stats.calls === 0 ? null : (stats.failed + stats.injectedFailed) / stats.calls;
}

/** The two lines on an edge. */
export function edgeLabel(edge: Edge, shows: EdgeFigure): EdgeLabel {
  const share = failedShare(edge);
  const fails = share !== null && share >= failingShare;
  const tone = tones[edge.health];
  const rate = formatRate(edge.stats.perSecond);
  if (shows === 'bytes') {
    const bytes = edge.stats.requestBytesPerSecond + edge.stats.responseBytesPerSecond;
    return { rate, figure: `${formatBytes(Math.round(bytes))}/s`, tone: 'quiet' };
  }
  if (shows === 'errors' || fails)
    return { rate, figure: `${formatShare(share)} failed`, tone: fails ? tone : 'quiet' };
  return { rate, figure: formatDuration(edge.stats.p95), tone };
}

/** `0 %`, `0.4 %`, `51 %`. */
export function formatShare(share: number | null): string {
  if (share === null) return unknown;
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.1) return '< 0.1 %';
  return `${percent < 9.95 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** `checkout to payments, 12 calls per second, faulted`: how an edge is called where it is not seen. */
export function edgeName(edge: Edge): string {
  const rate = formatRate(edge.stats.perSecond).slice(0, -2).replace('< ', 'less than ');
  return `${edgeTitle(edge)}, ${rate} calls per second, ${edge.health}`;
}

/** `checkout to payments`: how the panel of an edge is called. */
export function edgeTitle({ caller, callee }: Pick<Edge, 'caller' | 'callee'>): string {
  return `${caller} to ${callee}`;
}

/** `payments, p95 2.31 s`. */
export function serviceName({ name, note }: Pick<Service, 'name' | 'note'>): string {
  return note === '' ? name : `${name}, ${note}`;
}

/** How wide the line is, px: 1.2 for a call now and then, 4 at the most; log(rate), so that tenfold is a step. */
export function edgeWidth(perSecond: number): number {
  return Math.min(4, Number((1.2 + 0.9 * Math.log10(1 + perSecond)).toFixed(1)));
}
