import { create } from 'zustand';
import { CodeEditor } from '../../../ui/code-editor.tsx';
import { CodeView } from '../../../ui/code-view.tsx';
import { formatBytes } from '../../../ui/words.ts';
import { changePart } from './desk-store.ts';
import type { Desk } from './desk-store.ts';
import type { HeldBody } from './held-body.ts';

/** Whether bodies are shown indented: stays from call to call. */
const useIndented = create<{ indented: boolean }>(() => ({ indented: true }));

interface BodyPartProps {
  id: string;
  desk: Desk;
  /** It is no longer held: nothing of it will be sent. */
  isOver: boolean;
  problem: string | undefined;
}

/** The body of a held message: an editor where it can be changed, else what it is and why not. */
export function BodyPart({ id, desk, isOver, problem }: BodyPartProps) {
  const { body, message, draft } = desk;
  const indented = useIndented((store) => store.indented);
  if (body === null || message === null) return <p className="bd sm t3">Reading the body…</p>;
  if (body.why !== null) return <FixedBody body={body} />;
  const canIndent = body.pretty !== null;
  const isIndented = canIndent && indented;
  const asItCame = (isIndented ? body.pretty : body.text) ?? '';
  return (
    <div className="body-view">
      <div className="row body-bar">
        <label className="row sm indent">
          <input
            type="checkbox"
            checked={isIndented}
            disabled={!canIndent || draft.body !== null}
            onChange={(event) => useIndented.setState({ indented: event.target.checked })}
          />
          Indented
        </label>
        <span className="xs t3 clip grow">
          {bodyWords(body, message.message.bodyEncoding, draft.body, isOver)}
        </span>
      </div>
      <CodeEditor
        key={`${id} ${isIndented}`}
        label="Body"
        text={draft.body ?? asItCame}
        language={body.language}
        onChange={(text) => changePart(id, 'body', text === asItCame ? null : text)}
      />
      {problem !== undefined && <p className="xs error body-note">{problem}</p>}
      {body.language === 'json' && draft.body !== null && !isOver && !isJson(draft.body) && (
        <p className="xs warn body-note">Not valid JSON; it is sent as it stands here.</p>
      )}
    </div>
  );
}

function bodyWords(body: HeldBody, coding: string, edited: string | null, isOver: boolean): string {
  const coded = coding === 'identity' || isOver ? '' : `, ${coding} is put on again`;
  if (edited === null) {
    const form = body.pretty === null || isOver ? '' : ' · sent as it came unless you edit it';
    return `${body.name} ${formatBytes(body.sizeBytes)}${coded}${form}`;
  }
  const size = new TextEncoder().encode(edited).length;
  return `${formatBytes(body.sizeBytes)} became ${formatBytes(size)}${coded}${isOver ? '' : ' · sent as it stands here'}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // that is the answer
  }
}

function FixedBody({ body }: { body: HeldBody }) {
  return (
    <div className="body-view">
      <p className="sm t2 body-why">{body.why}</p>
      {body.sizeBytes > 0 && <CodeView text={body.text ?? body.hex} language={body.language} />}
      {body.text === null && body.hexCutAt !== null && (
        <p className="xs t3 body-note">The first {formatBytes(body.hexCutAt)} are shown.</p>
      )}
    </div>
  );
}
