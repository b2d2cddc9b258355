import { useEffect, useState } from 'react';
import { agent } from '../../stores/connection-store.ts';
import { formatCount } from '../../ui/words.ts';
import { isCountable } from './search-completions.ts';
import type { Completion } from './search-completions.ts';

const countAfterMs = 150;

interface CompletionListProps {
  options: readonly Completion[];
  selected: number;
  /** Distance from the left edge of the search box, in px. */
  left: number;
  onAccept: (option: Completion) => void;
}

/** What could stand at the caret, each with how many calls would remain. */
export function CompletionList({ options, selected, left, onAccept }: CompletionListProps) {
  const counts = useCounts(options);
  return (
    <div className="pop completions" style={{ left }} role="listbox" aria-label="Completions">
      {options.map((option, index) => (
        <div
          key={`${option.search}:${option.detail}`}
          className="row option"
          role="option"
          aria-selected={index === selected}
          onPointerDown={(event) => {
            event.preventDefault(); // the editor keeps the focus
            onAccept(option);
          }}
        >
          <span className="mono nowrap">
            <span className="q-k">{option.key}</span>
            {option.value}
          </span>
          <span className="t3 grow clip">{option.detail}</span>
          <span className="t3 xs">
            {isCountable(option) ? formatCount(counts.get(option.search) ?? null) : ''}
          </span>
        </div>
      ))}
      <div className="row xs t3 legend">
        <span>
          <kbd>Tab</kbd> accept
        </span>
        <span>
          <kbd>Enter</kbd> search
        </span>
        <span>
          <kbd>-</kbd> not
        </span>
        <span>
          <kbd>or</kbd> either
        </span>
      </div>
    </div>
  );
}

/** How many calls would remain, by search; asked once the typing rests. */
function useCounts(options: readonly Completion[]): ReadonlyMap<string, number> {
  const [counts, setCounts] = useState<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      for (const { search } of options.filter(isCountable)) {
        agent()
          .flows.count({ filter: search })
          .then(
            ({ matching }) => current && setCounts((before) => new Map(before).set(search, matching)),
            () => undefined, // a completion without its number is still a completion
          );
      }
    }, countAfterMs);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [options]);
  return counts;
}
