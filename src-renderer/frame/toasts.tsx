import { Check, CircleAlert, Info, X } from 'lucide-react';
import { Toast } from 'radix-ui';
import { dismissToast, useToasts } from '../stores/toast-store.ts';
import { Icon } from '../ui/icon.tsx';

const shownForMs = 10_000;
const icons = { ok: Check, info: Info, error: CircleAlert } as const;

/** What was done, with its undo, for 10 s. */
export function Toasts() {
  const toasts = useToasts((store) => store.toasts);
  return (
    <Toast.Provider duration={shownForMs} swipeDirection="right">
      {toasts.map((toast) => (
        <Toast.Root
          key={toast.id}
          className="toast"
          onOpenChange={(open) => {
            if (!open) dismissToast(toast.id);
          }}
        >
          <Icon of={icons[toast.tone]} className={toast.tone === 'info' ? 't3' : toast.tone} />
          <Toast.Title className="grow">{toast.text}</Toast.Title>
          {toast.action && (
            <Toast.Action altText={toast.action.label} className="link" onClick={toast.action.run}>
              {toast.action.label}
            </Toast.Action>
          )}
          <Toast.Close className="btn ghost sm icon" aria-label="Dismiss">
            <Icon of={X} size={12} />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="toasts" />
    </Toast.Provider>
  );
}
