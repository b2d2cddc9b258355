import { create } from 'zustand';
import { announceTheme } from '../bridge/connect-agent.ts';

export const themeChoices = ['system', 'dark', 'light'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const storageKey = 'spike.theme';

export const useTheme = create<{ choice: ThemeChoice; shown: 'dark' | 'light' }>(() => ({
  choice: themeChoices.find((choice) => choice === localStorage.getItem(storageKey)) ?? 'system',
  shown: 'dark',
}));

export function chooseTheme(choice: ThemeChoice): void {
  localStorage.setItem(storageKey, choice);
  useTheme.setState({ choice });
  showTheme();
}

const systemIsLight = window.matchMedia('(prefers-color-scheme: light)');

function showTheme(): void {
  const { choice } = useTheme.getState();
  const shown = choice === 'system' ? (systemIsLight.matches ? 'light' : 'dark') : choice;
  document.documentElement.dataset['theme'] = shown;
  useTheme.setState({ shown });
  announceTheme(shown);
}

/** Shows the chosen theme, and follows the system's where that was chosen. */
export function followTheme(): void {
  systemIsLight.addEventListener('change', showTheme);
  showTheme();
}
