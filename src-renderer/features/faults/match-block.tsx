import { useState } from 'react';
import { Plus } from 'lucide-react';
import { MatchSchema } from '#shared/rules/rule.ts';
import { useTopology } from '../../stores/topology-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { changeDraft } from './draft-store.ts';
import { KnownField, TextField } from './field.tsx';
import type { MatchKey, Problems, RuleDraft } from './rule-draft.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const globs = '* stands for any part; /…/ is a regular expression. Empty: any.';

/** Which calls the rule is about. */
export function MatchBlock({ draft, problems }: { draft: RuleDraft; problems: Problems }) {
  const services = useServiceNames();
  const [withHost, setWithHost] = useState(draft.match.host !== '');
  const set = (key: MatchKey) => (text: string) => changeDraft({ match: { ...draft.match, [key]: text } });
  const known = (key: 'caller' | 'callee' | 'method', options: readonly string[], any: string) => (
    <KnownField
      title={titleOf(key)}
      value={draft.match[key]}
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
          value={draft.match.path}
          placeholder="any path"
          hint={globs}
          problem={problems['match.path']}
          onChange={set('path')}
        />
        {(withHost || draft.match.host !== '') && (
          <TextField
            title="Host"
            mono
            value={draft.match.host}
            placeholder="any host"
            hint={globs}
            problem={problems['match.host']}
            onChange={set('host')}
          />
        )}
      </div>
      {!withHost && draft.match.host === '' && (
        <button className="btn ghost sm add" onClick={() => setWithHost(true)}>
          <Icon of={Plus} />
          Host
        </button>
      )}
    </div>
  );
}

function titleOf(key: MatchKey): string {
  return String(MatchSchema.shape[key].meta()?.title ?? key);
}

function useServiceNames(): readonly string[] {
  const topology = useTopology((store) => store.topology);
  return topology?.services.map((service) => service.name).sort() ?? [];
}
