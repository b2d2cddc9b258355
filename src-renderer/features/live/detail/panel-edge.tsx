import { useState } from 'react';

const narrowest = 360;
const widest = 640;
const storageKey = 'spike.panel-width';

function setWidth(px: number): void {
  document.documentElement.style.setProperty('--panel', `${px}px`);
}

const kept = Number(localStorage.getItem(storageKey));
if (kept >= narrowest && kept <= widest) setWidth(kept);

/** The edge by which the panel is made wider, from 360 to 640 px; arrows do it for the keyboard. */
export function PanelEdge() {
  const [dragging, setDragging] = useState(false);
  const resize = (px: number) => {
    const width = Math.round(Math.min(widest, Math.max(narrowest, px)));
    setWidth(width);
    localStorage.setItem(storageKey, String(width));
  };
  const width = (edge: Element) => edge.parentElement?.getBoundingClientRect().width ?? narrowest;
  return (
    <div
      className={dragging ? 'panel-edge on' : 'panel-edge'}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragging(true);
      }}
      onPointerMove={(event) => dragging && resize(window.innerWidth - event.clientX)}
      onPointerUp={() => setDragging(false)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') resize(width(event.currentTarget) + 16);
        else if (event.key === 'ArrowRight') resize(width(event.currentTarget) - 16);
      }}
    />
  );
}
