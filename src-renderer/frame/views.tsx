import { lazy } from 'react';
import type { ComponentType } from 'react';
import { Activity, Settings2, Waypoints, Zap } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { LiveView } from '../features/live/live-view.tsx';
import type { ViewName } from '../stores/view-store.ts';

interface View {
  label: string;
  icon: LucideIcon;
  Content: ComponentType;
}

/** Live is what the window opens with; the others are fetched when they are first opened. */
export const views: Record<ViewName, View> = {
  live: { label: 'Live', icon: Activity, Content: LiveView },
  map: {
    label: 'Map',
    icon: Waypoints,
    Content: lazy(async () => ({ default: (await import('../features/map/map-view.tsx')).MapView })),
  },
  faults: {
    label: 'Faults',
    icon: Zap,
    Content: lazy(async () => ({ default: (await import('../features/faults/faults-view.tsx')).FaultsView })),
  },
  setup: {
    label: 'Setup',
    icon: Settings2,
    Content: lazy(async () => ({ default: (await import('../features/setup/setup-view.tsx')).SetupView })),
  },
};
