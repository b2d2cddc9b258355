// HAR 1.2 (the specification by Odvarko, Jain and Davies), written as it is read, so that a capture of any length needs the
// memory of one call. What readers insist on beyond the specification is said at the places where it is obeyed:
// har-entry (a call), har-content (bodies), har-fields (headers, cookies, parameters, URLs).
import type { Direction, Flow } from '#shared/flow/flow.ts';
import type { FlowMessage } from '#shared/flow/message.ts';
import type { HarBody } from './har-content.ts';
import { harEntry } from './har-entry.ts';
import type { Redactor } from './redaction.ts';

export type { HarBody } from './har-content.ts';

export interface HarOptions {
  /** In order of start but for neighbours: they are put in order within a window of 1,000, an array as a whole. */
  readonly flows: readonly Flow[] | AsyncIterable<Flow>;
  /** The stored body; null when there is none, or none any more. May reject: then so does the export. */
  readonly bodyOf: (flow: Flow, side: Direction) => Promise<HarBody | null>;
  /** What passed inside a WebSocket; [] when nothing of it is stored. May reject: then so does the export. */
  readonly messagesOf: (flow: Flow) => Promise<readonly FlowMessage[]>;
  /** Spike's, for `creator.version`. */
  readonly version: string;
  /** null: secrets leave, too. */
  readonly redactor: Redactor | null;
}

const PAGE_ID = 'page_1';
/** Workers number their flows apart, so that ids are in order of the millisecond alone. */
const ORDER_WINDOW = 1_000;

/** The file in pieces, one a call: join them, or write them one after the other as UTF-8. */
export async function* createHar(options: HarOptions): AsyncGenerator<string, void, undefined> {
  const omitted = { tcp: 0 };
  let separator = '';
  for await (const flow of inOrderOfStart(options.flows)) {
    // Bytes without HTTP have no form in HAR; that some were left out is said at the end.
    if (flow.kind === 'tcp') {
      omitted.tcp += 1;
      continue;
    }
    if (separator === '') yield opening(options.version, flow.startedAt);
    const entry = await harEntry(flow, options, PAGE_ID);
    yield `${separator}\n${JSON.stringify(entry)}`;
    separator = ',';
  }
  if (separator === '') yield opening(options.version, null);
  const facts = { omitted, redaction: options.redactor?.summary() ?? null };
  yield `\n],"_spike":${JSON.stringify(facts)}}}\n`;
}

/** The whole file as one text: for what is known to be small. */
export async function harText(options: HarOptions): Promise<string> {
  let text = '';
  for await (const piece of createHar(options)) text += piece;
  return text;
}

/** One page, since Safari shows nothing without; a page needs its start, hence none in an empty capture. */
function opening(version: string, startedAt: string | null): string {
  const page = {
    startedDateTime: startedAt,
    id: PAGE_ID,
    title: 'Spike',
    pageTimings: { onContentLoad: -1, onLoad: -1 },
  };
  const creator = JSON.stringify({ name: 'Spike', version });
  const pages = JSON.stringify(startedAt === null ? [] : [page]);
  return `{"log":{"version":"1.2","creator":${creator},"pages":${pages},"entries":[`;
}

async function* inOrderOfStart(flows: HarOptions['flows']): AsyncGenerator<Flow, void, undefined> {
  if (Array.isArray(flows)) {
    yield* (flows as readonly Flow[]).toSorted(byStart);
    return;
  }
  let waiting: Flow[] = [];
  for await (const flow of flows as AsyncIterable<Flow>) {
    waiting.push(flow);
    if (waiting.length < 2 * ORDER_WINDOW) continue;
    waiting.sort(byStart);
    yield* waiting.slice(0, ORDER_WINDOW);
    waiting = waiting.slice(ORDER_WINDOW);
  }
  yield* waiting.sort(byStart);
}

/** ISO 8601 in UTC with the same number of digits: order of text is order of time. */
const byStart = (a: Flow, b: Flow): number =>
  a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0;
