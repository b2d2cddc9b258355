import { useEffect, useRef } from 'react';

/** Single letters are commands only while nobody types (design: keys). */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

const workedBySpace = 'button,summary,[role="switch"],[role="radio"],[role="checkbox"],[role="tab"]';

/** Enter and Space belong to a control that has the focus and is worked by them. A link is not worked by Space. */
function isForControl(event: KeyboardEvent): boolean {
  const worked = { ' ': workedBySpace, Enter: `${workedBySpace},a[href]` }[event.key];
  return worked !== undefined && event.target instanceof Element && event.target.closest(worked) !== null;
}

/** A dialog or a menu is open: keys belong to it. */
export function isLayered(): boolean {
  return document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null;
}

/**
 * Commands by key, while the component is mounted. A plain key is off while typing, in dialogs and menus; a combination
 * (`mod+shift+x`; mod is Ctrl, or Cmd on a Mac) always works.
 */
export function useKeys(commands: Readonly<Record<string, (event: KeyboardEvent) => void>>): void {
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const name = keyName(event);
      const plain = !name.startsWith('mod+');
      if (plain && (isTyping(event.target) || isForControl(event) || isLayered())) return;
      const command = latest.current[name];
      if (command === undefined) return;
      event.preventDefault();
      command(event);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}

function keyName(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? 'mod+' : '';
  const shift = event.shiftKey && mod !== '' ? 'shift+' : '';
  return mod + shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}
