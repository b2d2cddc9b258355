import { memo } from 'react';
import { historyAt } from '../../stores/hit-history.ts';
import type { HitHistory } from '../../stores/hit-history.ts';
import { counted } from '../../ui/words.ts';

const height = 20;
const pitch = 3;

/** Hits over the last minutes; a base line where there were none. */
export const HitSparkline = memo(function HitSparkline({
  history,
  now,
}: {
  history: HitHistory | undefined;
  now: number;
}) {
  const { counts } = historyAt(history, now);
  const most = Math.max(1, ...counts);
  const sum = counts.reduce((all, count) => all + count, 0);
  return (
    <svg
      className="sparkline"
      width={counts.length * pitch}
      height={height}
      role="img"
      aria-label={`${counted(sum, 'hit')} in the last minutes`}
    >
      {counts.map((count, at) => {
        const tall = count === 0 ? 1 : Math.max(2, (count / most) * (height - 4));
        return (
          <rect
            key={at}
            x={at * pitch}
            y={height - tall}
            width={2}
            height={tall}
            fill={count === 0 ? 'var(--line-strong)' : 'var(--fault)'}
          />
        );
      })}
    </svg>
  );
});
