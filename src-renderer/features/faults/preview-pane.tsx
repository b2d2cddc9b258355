import { CircleAlert } from 'lucide-react';
import type { RulePreview } from '#shared/contract/rule-preview.ts';
import { Icon } from '../../ui/icon.tsx';
import { previewHead, previewNotes } from './preview-words.ts';
import type { EditedRule } from './rule-draft.ts';
import { showHits } from './show-hits.ts';
import { usePreview } from './use-preview.ts';

/** What the rule would have hit of the calls that were captured. */
export function PreviewPane({ rule }: { rule: EditedRule | null }) {
  const { preview, problem, asking } = usePreview(rule);
  if (rule === null && preview === null) return null;
  return (
    <section className="dry" aria-label="Would have hit" aria-busy={asking}>
      {problem !== null && (
        <p className="sm error row" role="alert">
          <Icon of={CircleAlert} />
          Not looked up: {problem}
        </p>
      )}
      {preview === null && problem === null && <p className="sm t3">Looking through the captured calls…</p>}
      {preview !== null && (
        <>
          <p className="m dry-head" role="status">
            {previewHead(preview)}
          </p>
          {preview.considered > 0 && <Bars preview={preview} />}
          <p className="xs t3 dry-notes">
            {previewNotes(preview).join(' ')}{' '}
            {rule !== null && preview.hits > 0 && (
              <button
                className="link xs"
                title="Opens Live with exactly these calls"
                onClick={() => void showHits(rule)}
              >
                Show them
              </button>
            )}
          </p>
        </>
      )}
    </section>
  );
}

const height = 30;
const barWidth = 4;
const pitch = 5;

/** Calls over the window, the hits in the colour of faults. */
function Bars({ preview }: { preview: RulePreview }) {
  const { bars, share } = preview;
  const most = Math.max(1, ...bars.map((bar) => bar.considered));
  const scale = (count: number) => (count === 0 ? 0 : Math.max(1, (count / most) * height));
  return (
    <svg
      className="dry-bars"
      viewBox={`0 0 ${bars.length * pitch} ${height}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      {bars.map((bar, at) => {
        const all = scale(bar.considered);
        const hit = scale(bar.hits * share);
        return (
          <g key={at}>
            <rect x={at * pitch} y={height - all} width={barWidth} height={all} fill="var(--line-strong)" />
            <rect x={at * pitch} y={height - hit} width={barWidth} height={hit} fill="var(--fault)" />
          </g>
        );
      })}
    </svg>
  );
}
