import { useState } from 'react';
import type { ReactElement } from 'react';
import { ContextMenu } from 'radix-ui';
import { callLog } from '../../stores/calls-store.ts';
import { agent } from '../../stores/connection-store.ts';
import { tellFailure } from '../../stores/toast-store.ts';
import { breakLikeThis, breakings } from './detail/break-like-this.ts';
import type { Breaking } from './detail/break-like-this.ts';

/** The menu of a call, by its second button: what can be done with calls like it. */
export function CallMenu({ children }: { children: ReactElement }) {
  const [id, setId] = useState<string | null>(null);
  const flow = id === null ? undefined : callLog.at(callLog.indexOf(id))?.flow;
  const hasHttp = flow?.path !== null && flow?.path !== undefined;
  return (
    <ContextMenu.Root>
      <ContextMenu.Trigger
        asChild
        onContextMenu={(event) => {
          const row = (event.target as HTMLElement).closest<HTMLElement>('[data-id]');
          setId(row?.dataset['id'] ?? null);
          if (row === null) event.preventDefault(); // between the rows there is nothing to break
        }}
      >
        {children}
      </ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content className="pop menu" collisionPadding={8}>
          <ContextMenu.Label>Break calls like this one</ContextMenu.Label>
          {breakings.map(({ name, label, needsHttp }) => (
            <ContextMenu.Item
              key={name}
              disabled={id === null || (needsHttp && !hasHttp)}
              onSelect={() => id !== null && void breakLike(id, name)}
            >
              {label}
            </ContextMenu.Item>
          ))}
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}

async function breakLike(id: string, breaking: Breaking): Promise<void> {
  try {
    await breakLikeThis(await agent().flows.get({ id }), breaking);
  } catch (error) {
    tellFailure(error);
  }
}
