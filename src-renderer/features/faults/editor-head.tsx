import { useRef } from 'react';
import { Copy, Terminal, Trash2, Zap } from 'lucide-react';
import { DropdownMenu, Switch } from 'radix-ui';
import type { Rule } from '#shared/rules/rule.ts';
import { useStatus } from '../../stores/status-store.ts';
import { showToast } from '../../stores/toast-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { counted } from '../../ui/words.ts';
import { changeDraft, saveNewRule, startNewRule } from './draft-store.ts';
import type { SaveState } from './draft-store.ts';
import { homeOfCa, ruleCommands } from './rule-commands.ts';
import type { EditedRule, RuleDraft } from './rule-draft.ts';

interface EditorHeadProps {
  /** null: a rule that does not exist yet. */
  rule: Rule | null;
  draft: RuleDraft;
  /** The rule as it stands in the form; null while there is no valid one. */
  shown: EditedRule | null;
  save: SaveState;
  valid: boolean;
  nameProblem: string | undefined;
  onToggle: (rule: Rule) => void;
  onRemove: (rule: Rule) => void;
  onCancel: () => void;
  onHits: () => void;
}

/** Above the form: the rule's name, whether it is on, and what is done with it as a whole. */
export function EditorHead(props: EditorHeadProps) {
  const { rule, save, shown } = props;
  if (rule === null) return <NewHead {...props} />;
  return (
    <div className="toolbar">
      <Switch.Root
        className="sw"
        aria-label={`Turn ${rule.name} on`}
        checked={rule.enabled}
        onCheckedChange={() => props.onToggle(rule)}
      />
      <NameField {...props} />
      {rule.hits > 0 && (
        <button className="tag fault" title="The calls that it hit" onClick={props.onHits}>
          <Icon of={Zap} />
          {counted(rule.hits, 'hit')}
        </button>
      )}
      <span className="grow" />
      <span className={`sm nowrap ${saveTone(save)}`} role="status">
        {saveWords(save)}
      </span>
      {shown !== null && <CopyAsCommand rule={shown} id={rule.id} />}
      <button
        className="btn ghost icon"
        aria-label="Duplicate rule"
        title="Duplicate (D)"
        onClick={() => startNewRule(rule)}
      >
        <Icon of={Copy} />
      </button>
      <button
        className="btn ghost icon"
        aria-label="Delete rule"
        title="Delete"
        onClick={() => props.onRemove(rule)}
      >
        <Icon of={Trash2} />
      </button>
    </div>
  );
}

function NewHead(props: EditorHeadProps) {
  const { save, valid, onCancel } = props;
  const busy = useRef(false);
  const saveNew = async (enabled: boolean) => {
    if (busy.current) return;
    busy.current = true;
    await saveNewRule(enabled);
    busy.current = false;
  };
  const disabled = !valid || save.kind === 'saving';
  return (
    <div className="toolbar">
      <NameField {...props} />
      <span className="grow" />
      <button className="btn ghost" onClick={onCancel}>
        Cancel
      </button>
      <button className="btn" disabled={disabled} onClick={() => void saveNew(false)}>
        Save
      </button>
      <button className="btn faulty" disabled={disabled} onClick={() => void saveNew(true)}>
        Save and turn on
      </button>
    </div>
  );
}

/** The name is the heading, and is changed in its place. */
function NameField({ rule, draft, nameProblem }: EditorHeadProps) {
  return (
    <>
      <h1 className="sr-only">{draft.name || 'A rule without a name'}</h1>
      <input
        id="rule-name"
        className="name-field"
        aria-label="Name"
        title={nameProblem ?? draft.name}
        placeholder="Name"
        value={draft.name}
        disabled={rule?.origin !== undefined}
        aria-invalid={nameProblem !== undefined}
        aria-describedby={nameProblem === undefined ? undefined : 'rule-name-problem'}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => changeDraft({ name: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur();
        }}
      />
    </>
  );
}

function CopyAsCommand({ rule, id }: { rule: EditedRule; id: string }) {
  const status = useStatus((store) => store.status);
  if (status === null) return null;
  const target = { control: status.control, home: homeOfCa(status.ca.path) };
  const copy = (text: string) =>
    void navigator.clipboard.writeText(text).then(
      () => showToast({ tone: 'ok', text: 'The command is copied' }),
      () => showToast({ tone: 'error', text: 'The browser does not allow to copy here' }),
    );
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger
        className="btn ghost as-command"
        aria-label="Copy as command"
        title="Copy as command"
      >
        <Icon of={Terminal} />
        <span className="wide-only">Copy as command</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="end" sideOffset={4}>
          {ruleCommands(rule, id, target).map(({ label, text }) => (
            <DropdownMenu.Item key={label} title={text} onSelect={() => copy(text)}>
              {label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function saveWords(save: SaveState): string {
  switch (save.kind) {
    case 'clean':
      return '';
    case 'invalid':
    case 'refused':
      return 'Not saved';
    case 'waiting':
    case 'saving':
      return 'Saving…';
    case 'saved':
      return 'Saved';
  }
}

function saveTone({ kind }: SaveState): string {
  return kind === 'invalid' || kind === 'refused' ? 'warn' : 't3';
}
