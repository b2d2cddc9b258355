import { useEffect, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import type { Rule } from '#shared/rules/rule.ts';
import type { RuleGroup } from '../rule-groups.ts';
import { GroupHead } from './group-head.tsx';
import { listRows } from './list-rows.ts';
import { useList } from './list-store.ts';
import { RuleItem } from './rule-item.tsx';
import { useRuleDrag } from './use-rule-drag.ts';

interface RuleListProps {
  groups: readonly RuleGroup[];
  findings: readonly RuleFinding[];
  selectedId: string | null;
  onToggle: (rule: Rule) => void;
  onExport: (ids: readonly string[]) => void;
  /** What stands below the last rule. */
  children: ReactNode;
}

/** What is not drawn yet: a rule that is off, with two lines of its sentence. */
const estimatedHeight = 73;
const headHeight = 29;

/**
 * The rules in the order in which they are tried, in groups where they are many. Only those in sight are drawn; each group is an
 * element as high as all of its rows, so that its heading stays at the top while it is in sight.
 */
export function RuleList(props: RuleListProps) {
  const { groups, findings, selectedId, onToggle, onExport, children } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const closed = useList((store) => store.closed);
  const { rows, sections } = useMemo(() => listRows(groups, closed), [groups, closed]);
  const findingOf = useMemo(() => worstByRule(findings), [findings]);
  const drag = useRuleDrag();
  const draggedAt = rows.findIndex(({ key }) => key === drag.draggedId);
  // eslint-disable-next-line react-hooks/incompatible-library -- it warns of the React Compiler, which is not used here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index]?.kind === 'head' ? headHeight : estimatedHeight),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 6,
    // An element that is taken away while it is dragged never hears that the drag has ended.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return draggedAt < 0 || shown.includes(draggedAt) ? shown : [...shown, draggedAt].sort((a, b) => a - b);
    },
  });
  useEffect(() => {
    const at = rows.findIndex(({ key }) => key === selectedId);
    if (at >= 0) virtualizer.scrollToIndex(at, { align: 'auto' });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only another selection scrolls, and not a list that changes
  }, [selectedId]);

  const items = virtualizer.getVirtualItems();
  const { measurementsCache: places } = virtualizer;
  const [firstShown = 0, lastShown = -1] = [items[0]?.index, items.at(-1)?.index];
  return (
    <div className="list-scroll" ref={scroller}>
      <div className="rule-rows" style={{ height: virtualizer.getTotalSize() }}>
        {sections.map(({ group, first, end }) => {
          if (first > lastShown || end <= firstShown) return null;
          const top = places[first]?.start ?? 0;
          const height = (places[end - 1]?.end ?? top) - top;
          const { title } = group;
          return (
            <section key={title ?? ''} aria-label={title ?? undefined} style={{ top, height }}>
              {title !== null && (
                <GroupHead group={group} title={title} closed={closed.has(title)} onExport={onExport} />
              )}
              <ul className="rules" aria-label={title === null ? 'Fault rules' : `Fault rules, ${title}`}>
                {items.map(({ index, start }) => {
                  const row = rows[index];
                  if (row?.kind !== 'rule' || index < first || index >= end) return null;
                  const { rule } = row;
                  return (
                    <li
                      key={rule.id}
                      ref={virtualizer.measureElement}
                      data-index={index}
                      className={rule.id === selectedId ? 'rule sel' : 'rule'}
                      data-drop={drag.mark?.id === rule.id ? drag.mark.edge : undefined}
                      data-dragged={drag.draggedId === rule.id || undefined}
                      aria-posinset={group.rules.indexOf(rule) + 1}
                      aria-setsize={group.rules.length}
                      style={{ top: start - top }}
                      {...drag.handlers(rule, group.rules)}
                    >
                      <RuleItem
                        rule={rule}
                        finding={findingOf.get(rule.id)}
                        selected={rule.id === selectedId}
                        onToggle={onToggle}
                      />
                    </li>
                  );
                })}
              </ul>
            </section>
          );
        })}
      </div>
      {children}
    </div>
  );
}

/** Of each rule that can hit nothing, why. */
function worstByRule(findings: readonly RuleFinding[]): ReadonlyMap<string, RuleFinding> {
  const found = findings.filter(({ severity }) => severity === 'never');
  return new Map(found.reverse().map((finding) => [finding.ruleId, finding]));
}
