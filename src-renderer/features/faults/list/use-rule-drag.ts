import { useState } from 'react';
import type { DragEvent } from 'react';
import type { Rule } from '#shared/rules/rule.ts';
import { moveRule, useRules } from '../../../stores/rules-store.ts';
import { dropPlace } from './list-rows.ts';

/** Where the dragged rule would go: a line at an edge of another one shows it. */
interface DropMark {
  readonly id: string;
  readonly edge: 'above' | 'below';
}

export interface RuleDrag {
  readonly draggedId: string | null;
  readonly mark: DropMark | null;
  /** For the element of a rule; nothing for one whose order is not the users'. */
  handlers(rule: Rule, group: readonly Rule[]): Partial<DragHandlers>;
}

interface DragHandlers {
  readonly draggable: true;
  onDragStart(event: DragEvent): void;
  onDragOver(event: DragEvent): void;
  onDrop(event: DragEvent): void;
  onDragEnd(): void;
}

/** Drags a rule within its group: between groups no order can be seen. */
export function useRuleDrag(): RuleDrag {
  const [draggedId, setDragged] = useState<string | null>(null);
  const [mark, setMark] = useState<DropMark | null>(null);
  const end = () => {
    setDragged(null);
    setMark(null);
  };
  const handlers = (rule: Rule, group: readonly Rule[]): Partial<DragHandlers> => {
    if (rule.origin !== undefined) return {};
    const takes = draggedId !== null && group.some(({ id }) => id === draggedId);
    return {
      draggable: true,
      onDragStart(event) {
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', rule.name);
        // The browser takes its picture of the element first: what changes now would be in it.
        requestAnimationFrame(() => setDragged(rule.id));
      },
      onDragOver(event) {
        if (!takes) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'move';
        const edge = edgeOf(event);
        if (mark?.id !== rule.id || mark.edge !== edge) setMark({ id: rule.id, edge });
      },
      onDrop(event) {
        event.preventDefault();
        end();
        const rules = useRules.getState().rules ?? [];
        if (draggedId === null || draggedId === rule.id) return;
        void moveRule(draggedId, dropPlace(rules, draggedId, rule.id, edgeOf(event)));
      },
      onDragEnd: end,
    };
  };
  return { draggedId, mark: mark?.id === draggedId ? null : mark, handlers };
}

function edgeOf({ currentTarget, clientY }: DragEvent): 'above' | 'below' {
  const { top, height } = currentTarget.getBoundingClientRect();
  return clientY < top + height / 2 ? 'above' : 'below';
}
