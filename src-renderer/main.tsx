import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './ui/tokens.css';
import './ui/spike.css';
import './ui/controls.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Frame } from './frame/frame.tsx';
import { startSession } from './stores/session.ts';
import { followTheme } from './stores/theme-store.ts';
import { followAddress } from './stores/view-store.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

followTheme();
startSession(); // takes the token out of the address before the views read it
followAddress();
createRoot(root).render(
  <StrictMode>
    <Frame />
  </StrictMode>,
);
