import { Suspense } from 'react';
import { stopAllFaults } from '../stores/rules-store.ts';
import { toggleRecording } from '../stores/status-store.ts';
import { openView, useView, viewNames } from '../stores/view-store.ts';
import { useKeys } from '../ui/keys.ts';
import { FaultBanner } from './fault-banner.tsx';
import './frame.css';
import { Notices } from './notices.tsx';
import { Rail } from './rail.tsx';
import { StatusBar } from './status-bar.tsx';
import { TitleBar } from './title-bar.tsx';
import { Toasts } from './toasts.tsx';
import { views } from './views.tsx';

/** The window: what stays the same whichever view is open. */
export function Frame() {
  const view = useView((store) => store.view);
  useKeys({
    ...Object.fromEntries(viewNames.map((name, index) => [String(index + 1), () => openView(name)])),
    'mod+shift+x': () => void stopAllFaults(),
    'mod+shift+r': () => void toggleRecording(),
  });
  const { label, Content } = views[view];
  return (
    <div className="app">
      <TitleBar />
      <FaultBanner />
      <Rail current={view} />
      <main className="main" aria-label={label}>
        <Notices />
        <Suspense>
          <Content />
        </Suspense>
      </main>
      <StatusBar />
      <Toasts />
    </div>
  );
}
