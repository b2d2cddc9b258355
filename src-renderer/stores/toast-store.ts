import { create } from 'zustand';
import { AgentUnreachable } from '../bridge/agent-link.ts';
import { errorMessage } from '../bridge/error-message.ts';

export interface Toast {
  id: number;
  tone: 'ok' | 'info' | 'error';
  text: string;
  action?: { label: string; run: () => void };
}

interface ToastStore {
  toasts: readonly Toast[];
}

export const useToasts = create<ToastStore>(() => ({ toasts: [] }));

const mostAtOnce = 4;
let lastId = 0;

/** Says something that passes by itself after 10 s. @returns its id, for `dismissToast`. */
export function showToast(toast: Omit<Toast, 'id'>): number {
  lastId += 1;
  const made = { ...toast, id: lastId };
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, made].slice(-mostAtOnce) }));
  return made.id;
}

/** Says why a command failed. That the agent is away is said by the connection notice already. */
export function tellFailure(error: unknown): void {
  if (error instanceof AgentUnreachable) return;
  showToast({ tone: 'error', text: errorMessage(error) });
}

export function dismissToast(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));
}
