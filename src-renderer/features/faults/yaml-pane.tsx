import { Check, CircleAlert } from 'lucide-react';
import { useStatus } from '../../stores/status-store.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Icon } from '../../ui/icon.tsx';
import { yamlTokens } from './rule-yaml.ts';

interface YamlPaneProps {
  yaml: string;
  /** The form is invalid: this is the rule as it was before. */
  stale: boolean;
  isNew: boolean;
  /** Made by an API or a scenario, which keeps it: this is how it would be written. */
  isForeign: boolean;
}

/** The rule as it stands in the workspace file. Read only. */
export function YamlPane({ yaml, stale, isNew, isForeign }: YamlPaneProps) {
  const path = useStatus((store) => store.status?.workspace.path ?? null);
  const file = path?.split(/[\\/]/).at(-1) ?? 'spike.yaml';
  return (
    <section className="yaml" aria-label="Rule as YAML">
      <div className="row yaml-head">
        <span className="mono sm t2">{file}</span>
        <span className="xs t3 grow">
          {isForeign
            ? 'not in the file'
            : isNew
              ? 'not saved yet'
              : path === null
                ? 'no file, kept in memory'
                : ''}
        </span>
        <CopyButton text={yaml} what="the YAML" iconOnly />
      </div>
      <div className="code yaml-lines" tabIndex={0}>
        {yaml.split('\n').map((line, index) => (
          <div key={index}>
            <span className="ln">{index + 1}</span>
            {yamlTokens(line).map((token, at) => (
              <span key={at} className={token.look}>
                {token.text}
              </span>
            ))}
          </div>
        ))}
      </div>
      <div className="row xs t3 yaml-foot">
        <Icon of={stale ? CircleAlert : Check} size={12} className={stale ? 'warn' : 'ok'} />
        {stale
          ? 'The form is not valid; this is the last rule that was.'
          : isForeign
            ? 'As it would stand in a file.'
            : 'Valid. Form and file change together.'}
      </div>
    </section>
  );
}
