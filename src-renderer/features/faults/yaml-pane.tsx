import { useRef } from 'react';
import { Check, CircleAlert } from 'lucide-react';
import type { Rule } from '#shared/rules/rule.ts';
import { useStatus } from '../../stores/status-store.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Segments } from '../../ui/segments.tsx';
import { changeText, dropText, dropTextWithWord, leaveText, useDraft } from './draft-store.ts';
import { RuleCode } from './rule-code.tsx';
import type { RuleCodeHandle } from './rule-code.tsx';
import type { EditedRule } from './rule-draft.ts';
import type { TextProblem } from './rule-text.ts';
import { writeRule } from './rule-yaml.ts';
import type { TextLanguage } from './rule-yaml.ts';
import { chooseTextLanguage, useTextLanguage } from './text-language-store.ts';
import { useSettled } from './use-settled.ts';

interface YamlPaneProps {
  /** null: a rule that does not exist yet. */
  rule: Rule | null;
  /** The rule as it stands in the form, or as it last did; null: it never was valid. */
  shown: EditedRule | null;
  /** The form is invalid: `shown` is the rule as it was before. */
  stale: boolean;
}

const words: Readonly<Record<TextLanguage, string>> = { yaml: 'YAML', json: 'JSON' };
const languages = [
  { value: 'yaml', label: words.yaml },
  { value: 'json', label: words.json },
] as const;
const footId = 'rule-text-foot';

/** The rule as it stands in the workspace file, or as the API takes it. What is written here is in the form, and the other way. */
export function YamlPane({ rule, shown, stale }: YamlPaneProps) {
  const { language } = useTextLanguage();
  const code = useRef<RuleCodeHandle>(null);
  const written = useDraft((store) => store.written);
  const wish = useDraft((store) => store.enabled);
  const enabled = wish ?? rule?.enabled ?? false;
  const ofForm = shown === null ? '' : writeRule({ ...shown, enabled }, language);
  const text = written?.text ?? ofForm;
  const problem = useSettled(written?.problem ?? null);
  const isForeign = rule?.origin !== undefined;
  return (
    <section className="yaml" aria-label="Rule as YAML">
      <div className="row yaml-head">
        <FileWords language={language} isNew={rule === null} isForeign={isForeign} />
        <Segments label="Written as" value={language} options={languages} onChange={changeLanguage} />
        <CopyButton text={text} what={`the ${words[language]}`} iconOnly />
      </div>
      <RuleCode
        key={language}
        ref={code}
        text={text}
        language={language}
        readOnly={isForeign}
        problem={problem}
        describedBy={footId}
        onChange={(next) => changeText(next, language)}
        onLeave={leaveText}
      />
      <div className="row xs t3 yaml-foot">
        {problem === null ? (
          <ValidFoot stale={stale} isForeign={isForeign} commented={written?.commented ?? false} />
        ) : (
          <ProblemFoot problem={problem} onShow={() => code.current?.goTo(problem)} />
        )}
      </div>
    </section>
  );
}

function changeLanguage(language: TextLanguage): void {
  dropTextWithWord();
  chooseTextLanguage(language);
}

interface FileWordsProps {
  language: TextLanguage;
  isNew: boolean;
  isForeign: boolean;
}

function FileWords({ language, isNew, isForeign }: FileWordsProps) {
  const path = useStatus((store) => store.status?.workspace.path ?? null);
  const file = path?.split(/[\\/]/).at(-1) ?? 'spike.yaml';
  const where = path === null ? 'no file, kept in memory' : '';
  return (
    <>
      {language === 'yaml' && <span className="mono sm t2">{file}</span>}
      <span className="xs t3 grow">
        {language === 'json'
          ? 'as the API takes it'
          : isForeign
            ? 'not in the file'
            : isNew
              ? 'not saved yet'
              : where}
      </span>
    </>
  );
}

function ValidFoot(props: { stale: boolean; isForeign: boolean; commented: boolean }) {
  const { stale, isForeign, commented } = props;
  return (
    <>
      <Icon of={stale ? CircleAlert : Check} size={12} className={stale ? 'warn' : 'ok'} />
      {stale
        ? 'The form is not valid; this is the last rule that was.'
        : isForeign
          ? 'As it would stand in a file.'
          : commented
            ? 'Valid. Comments are kept in the file, not here.'
            : 'Valid. Form and file change together.'}
    </>
  );
}

function ProblemFoot({ problem, onShow }: { problem: TextProblem; onShow: () => void }) {
  return (
    <>
      <Icon of={CircleAlert} size={12} className="error" />
      <span id={footId} className="grow error" role="alert">
        <button className="problem-place" onClick={onShow}>
          Line {problem.line}, column {problem.column}
        </button>
        : {problem.sentence}
      </span>
      <button className="btn sm" onClick={dropText}>
        Back to the form’s
      </button>
    </>
  );
}
