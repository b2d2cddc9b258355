import type { ReactNode } from 'react';
import type { LucideIcon } from 'lucide-react';
import { Icon } from './icon.tsx';

interface NoticeProps {
  tone: 'warn' | 'error' | 'info' | 'fault';
  icon: LucideIcon;
  children: ReactNode;
  action?: { label: string; run: () => void } | undefined;
}

/** A line at the top of what it is about: what happened, what holds now, the next step. */
export function Notice({ tone, icon, children, action }: NoticeProps) {
  return (
    <div className={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon of={icon} />
      <span className="grow">{children}</span>
      {action && (
        <button className="link" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
