import { CircleAlert, Hand, Unplug } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { HeldCall } from '#shared/contract/held.ts';
import { useHeld } from '../../../stores/held-store.ts';
import { openView } from '../../../stores/view-store.ts';
import { Icon } from '../../../ui/icon.tsx';
import { Notice } from '../../../ui/notice.tsx';
import { AnswerForm } from './answer-form.tsx';
import { BodyPart } from './body-part.tsx';
import { changePart, deskChanges, deskProblems, useDesk } from './desk-store.ts';
import type { Desk } from './desk-store.ts';
import { HeadersTable } from './headers-table.tsx';
import { HeldActions } from './held-actions.tsx';
import { headersOf } from './held-draft.ts';
import type { HeldProblems } from './held-draft.ts';
import { heldTabs, openHeldTab, tabLabels, useHeldTab } from './held-tab-store.ts';
import type { HeldTab } from './held-tab-store.ts';
import { answerTitle, endSentence, goneWords, heldTitle, waitingWords } from './held-words.ts';
import { LineFields } from './line-fields.tsx';
import { TimeBar, TimeLeft } from './time-left.tsx';

/** One held call: what it is, its message to edit, what can be done with it. */
export function HeldDesk({ call }: { call: HeldCall }) {
  const desk = useDesk(call.id);
  const end = useHeld(({ ended }) => ended.get(call.id));
  const isOver = end !== undefined || call.state === 'caller-gone';
  const problems = deskProblems(desk);
  const isEdited = useHeld(({ edited }) => edited.has(call.id));
  return (
    <section className="held-desk" aria-label={`Held: ${heldTitle(call)}`}>
      {isOver ? (
        <Notice tone="warn" icon={end === undefined || end === 'caller-gone' ? Unplug : CircleAlert}>
          {end === undefined ? goneWords(call) : endSentence(call, end, isEdited)}
        </Notice>
      ) : (
        <HeldHead call={call} />
      )}
      {desk.failure !== null && !isOver && <p className="bd sm error">{desk.failure}</p>}
      {desk.failure === null && desk.message === null && !isOver && (
        <p className="bd sm t3">Reading the call…</p>
      )}
      {desk.message !== null &&
        (desk.answer === null ? (
          <MessageParts id={call.id} desk={desk} isOver={isOver} problems={problems} />
        ) : (
          <AnswerForm id={call.id} answer={desk.answer} title={answerTitle(call)} problems={problems} />
        ))}
      <HeldActions call={call} desk={desk} isOver={isOver} hasProblems={Object.keys(problems).length > 0} />
    </section>
  );
}

function HeldHead({ call }: { call: HeldCall }) {
  return (
    <div className="held-head">
      <div className="row">
        <Icon of={Hand} className="fault" />
        <span className="clip grow">
          <b className="mono m">{heldTitle(call)}</b> is held{call.at === 'response' && ' with its answer'}
        </span>
        <TimeLeft call={call} />
      </div>
      <p className="xs t2">
        {waitingWords(call)} Held by{' '}
        <button className="link xs" onClick={() => openView('faults', call.ruleId)}>
          {call.ruleName}
        </button>
      </p>
      <TimeBar call={call} />
    </div>
  );
}

interface PartsProps {
  id: string;
  desk: Desk;
  isOver: boolean;
  problems: HeldProblems;
}

/** The message by its parts, each marked where it was changed. */
function MessageParts({ id, desk, isOver, problems }: PartsProps) {
  const chosen = useHeldTab((store) => store.tab);
  if (desk.message === null) return null;
  const { message, request } = desk.message;
  const offered = heldTabs.filter((name) => name !== 'request' || request !== null);
  const tab = offered.includes(chosen) ? chosen : 'body';
  const changed = deskChanges(desk);
  const isMarked: Record<HeldTab, boolean> = {
    body: changed.includes('body'),
    headers: changed.includes('headers'),
    request: false,
  };
  const isBad = (name: HeldTab) =>
    Object.keys(problems).some((field) => field === name || field.startsWith(`${name}.`));
  return (
    <>
      <LineFields id={id} message={message} draft={desk.draft} problems={problems} />
      <Tabs.Root
        className="detail-tabs"
        value={tab}
        onValueChange={(value) => openHeldTab(value as HeldTab)}
        activationMode="manual"
      >
        <Tabs.List className="tabs">
          {offered.map((name) => (
            <Tabs.Trigger key={name} value={name}>
              {tabLabels[name]}
              {name === 'headers' && (
                <span className="xs t3" aria-hidden>
                  {headersOf(message, desk.draft).length}
                </span>
              )}
              {isBad(name) && <Icon of={CircleAlert} size={12} className="error" />}
              {isMarked[name] && <span className="xs fault">changed</span>}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value={tab} className="detail-body" tabIndex={-1}>
          {tab === 'body' && <BodyPart id={id} desk={desk} isOver={isOver} problem={problems['body']} />}
          {tab === 'headers' && (
            <HeadersTable
              headers={headersOf(message, desk.draft)}
              fixed={message.fixedHeaders}
              problems={problems}
              onChange={(headers) => changePart(id, 'headers', headers)}
            />
          )}
          {tab === 'headers' && message.trailers !== '' && <Trailers lines={message.trailers} />}
          {tab === 'request' && request !== null && <RequestHead request={request} />}
        </Tabs.Content>
      </Tabs.Root>
    </>
  );
}

function Trailers({ lines }: { lines: string }) {
  return (
    <div className="bd">
      <p className="xs t3">Trailers, which pass as they came:</p>
      <pre className="mono xs t2">{lines}</pre>
    </div>
  );
}

type Request = NonNullable<NonNullable<Desk['message']>['request']>;

/** What was asked, beside the answer that is held. */
function RequestHead({ request }: { request: Request }) {
  return (
    <div className="bd headers">
      <p className="mono sm">
        {request.method} {request.target}
      </p>
      <dl className="kv mono">
        {request.headers.map(([name, value], index) => (
          <div key={index} className="fact" title={value}>
            <dt className="clip">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
