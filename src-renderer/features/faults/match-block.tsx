import { Plus } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import { MatchSchema } from '#shared/rules/rule.ts';
import { useTopology } from '../../stores/topology-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { conditionTitles, Conditions } from './conditions.tsx';
import { changeDraft } from './draft-store.ts';
import { KnownField, TextField } from './field.tsx';
import { FindingLines } from './finding-lines.tsx';
import { conditionKinds, openCondition } from './match-draft.ts';
import type { MatchDraft, MatchKey } from './match-draft.ts';
import type { Problems } from './rule-draft.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const globs = '* stands for any part; /…/ is a regular expression. Empty: any.';

interface MatchBlockProps {
  match: MatchDraft;
  problems: Problems;
  findings: readonly RuleFinding[];
}

/** Which calls the rule is about. */
export function MatchBlock({ match, problems, findings }: MatchBlockProps) {
  const services = useServiceNames();
  const change = (next: MatchDraft) => changeDraft({ match: next });
  const set = (key: MatchKey) => (text: string) =>
    change({ ...match, texts: { ...match.texts, [key]: text } });
  const known = (key: 'caller' | 'callee' | 'method', options: readonly string[], any: string) => (
    <KnownField
      title={String(MatchSchema.shape[key].meta()?.title ?? key)}
      value={match.texts[key]}
      options={options}
      placeholder={any}
      hint={globs}
      problem={problems[`match.${key}`]}
      onChange={set(key)}
    />
  );
  return (
    <div className="blk">
      <h3>When a call matches</h3>
      <div className="g2">
        {known('caller', services, 'any caller')}
        {known('callee', services, 'any callee')}
        {known('method', methods, 'any method')}
        <TextField
          title="Path"
          mono
          value={match.texts.path}
          placeholder="any path"
          hint={globs}
          problem={problems['match.path']}
          onChange={set('path')}
        />
      </div>
      <Conditions match={match} problems={problems} onChange={change} />
      {problems['match'] !== undefined && <p className="problem">{problems['match']}</p>}
      <FindingLines findings={findings} />
      <AddCondition match={match} onChange={change} />
    </div>
  );
}

function AddCondition({ match, onChange }: { match: MatchDraft; onChange: (match: MatchDraft) => void }) {
  const offered = conditionKinds.filter((kind) => !match.open.includes(kind));
  if (offered.length === 0) return null;
  const words = offered.map((kind) => conditionTitles[kind].word);
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn ghost sm add" aria-label="Add a condition">
        <Icon of={Plus} />
        {sentenceCase(words.slice(0, 6).join(', '))}
        {words.length > 6 && '…'}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop menu" align="start" sideOffset={4}>
          {offered.map((kind) => (
            <DropdownMenu.Item key={kind} onSelect={() => onChange(openCondition(match, kind))}>
              {conditionTitles[kind].title}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** gRPC keeps its spelling. */
function sentenceCase(text: string): string {
  return text.startsWith('gRPC') ? text : (text[0]?.toUpperCase() ?? '') + text.slice(1);
}

function useServiceNames(): readonly string[] {
  const topology = useTopology((store) => store.topology);
  return topology?.services.map((service) => service.name).sort() ?? [];
}
