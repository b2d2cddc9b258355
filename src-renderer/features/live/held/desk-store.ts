import { useEffect } from 'react';
import { create } from 'zustand';
import type { HeldMessage } from '#shared/contract/held.ts';
import { errorMessage } from '../../../bridge/error-message.ts';
import { agent } from '../../../stores/connection-store.ts';
import { answerHeld, markEdited, releaseHeld, useHeld } from '../../../stores/held-store.ts';
import { firstAnswer, rememberAnswer } from './answer-templates.ts';
import { readHeldBody } from './held-body.ts';
import type { HeldBody } from './held-body.ts';
import {
  answerOf,
  answerProblems,
  changedParts,
  draftProblems,
  editOf,
  refusedProblems,
  untouched,
  withPart,
} from './held-draft.ts';
import type { AnswerDraft, HeldDraft, HeldPart, HeldProblems } from './held-draft.ts';

/** What lies open of one held call: its message, what was changed in it, the answer that is being written. */
export interface Desk {
  readonly message: HeldMessage | null;
  readonly body: HeldBody | null;
  /** Why there is no message to show. */
  readonly failure: string | null;
  readonly draft: HeldDraft;
  /** null: nobody writes an answer. */
  readonly answer: AnswerDraft | null;
  /** What the agent refused, until it is changed. */
  readonly refused: HeldProblems;
}

const emptyDesk: Desk = {
  message: null,
  body: null,
  failure: null,
  draft: untouched,
  answer: null,
  refused: {},
};

const useDesks = create<{ desks: ReadonlyMap<string, Desk> }>(() => ({ desks: new Map() }));

export function deskOf(id: string): Desk {
  return useDesks.getState().desks.get(id) ?? emptyDesk;
}

function put(id: string, change: Partial<Desk>): void {
  if (!useHeld.getState().calls.some((call) => call.id === id)) return; // gone in the meantime
  const desk = { ...deskOf(id), ...change };
  useDesks.setState(({ desks }) => ({ desks: new Map(desks).set(id, desk) }));
  markEdited(id, deskChanges(desk).length > 0 || isWritten(desk.answer));
}

/** An answer that was only begun is nothing that could be lost. */
function isWritten(answer: AnswerDraft | null): boolean {
  return answer !== null && answer !== firstAnswer();
}

/** What is not as it came. */
export function deskChanges({ message, draft }: Desk): readonly HeldPart[] {
  return message === null ? [] : changedParts(message.message, draft);
}

// A call that is gone leaves nothing behind.
useHeld.subscribe(({ calls }) => {
  const { desks } = useDesks.getState();
  const ids = new Set(calls.map(({ id }) => id));
  const kept = [...desks].filter(([id]) => ids.has(id));
  if (kept.length < desks.size) useDesks.setState({ desks: new Map(kept) });
});

/** The desk of a call; its message is asked for, and again while more of it comes. */
export function useDesk(id: string): Desk {
  const size = useHeld(({ calls }) => calls.find((call) => call.id === id)?.sizeBytes);
  const ended = useHeld((store) => store.ended.has(id));
  useEffect(() => {
    if (ended) return;
    const stop = new AbortController();
    void load(id, stop.signal);
    return () => stop.abort();
  }, [id, size, ended]);
  return useDesks(({ desks }) => desks.get(id)) ?? emptyDesk;
}

async function load(id: string, signal: AbortSignal): Promise<void> {
  try {
    const message = await agent().held.get({ id }, { signal });
    const body = await readHeldBody(message.message, signal);
    if (!signal.aborted) put(id, { message, body, failure: null });
  } catch (error) {
    // What is shown already stays: that the call has ended is told by the list.
    if (!signal.aborted && deskOf(id).message === null) put(id, { failure: errorMessage(error) });
  }
}

export function changePart<P extends HeldPart>(id: string, part: P, value: HeldDraft[P]): void {
  const { message, draft } = deskOf(id);
  if (message === null) return;
  put(id, { draft: withPart(message.message, draft, part, value), refused: {} });
}

export function undoChanges(id: string): void {
  put(id, { draft: untouched, refused: {} });
}

export function beginAnswer(id: string): void {
  put(id, { answer: firstAnswer(), refused: {} });
}

export function changeAnswer(id: string, change: Partial<AnswerDraft>): void {
  const { answer } = deskOf(id);
  if (answer !== null) put(id, { answer: { ...answer, ...change }, refused: {} });
}

export function leaveAnswer(id: string): void {
  put(id, { answer: null, refused: {} });
}

/** Goes back from the answer to the call. @returns whether there was an answer. */
export function leaveAnswerOf(id: string | null): boolean {
  if (id === null || deskOf(id).answer === null) return false;
  leaveAnswer(id);
  return true;
}

/** What is wrong with what would be sent now: as the schema says it, and as the agent said it. */
export function deskProblems({ message, draft, answer, refused }: Desk): HeldProblems {
  if (answer !== null) return { ...refused, ...answerProblems(answer) };
  return message === null ? refused : { ...refused, ...draftProblems(message.message, draft) };
}

/** Sends what the desk says: the call as it came, as it was edited, or the answer. Nothing while a field is wrong. */
export async function sendDesk(id: string): Promise<void> {
  const desk = deskOf(id);
  const { message, draft, answer } = desk;
  if (useHeld.getState().ended.has(id) || Object.keys(deskProblems(desk)).length > 0) return;
  if (answer !== null) return sendAnswer(id, answer);
  // A call whose message cannot be read can still go on as it came.
  const refused = await releaseHeld(id, message === null ? {} : editOf(message.message, draft));
  if (refused.length > 0) put(id, { refused: refusedProblems(refused, draft.headers) });
}

async function sendAnswer(id: string, draft: AnswerDraft): Promise<void> {
  const refused = await answerHeld(id, answerOf(draft));
  if (refused.length > 0) put(id, { refused: refusedProblems(refused, draft.headers) });
  else rememberAnswer(draft);
}
