import { create } from 'zustand';
import { textLanguages } from './rule-yaml.ts';
import type { TextLanguage } from './rule-yaml.ts';

const storageKey = 'spike.rule-text';

/** How rules are shown beside their form; the browser remembers it. */
export const useTextLanguage = create<{ language: TextLanguage }>(() => ({
  language: textLanguages.find((language) => language === localStorage.getItem(storageKey)) ?? 'yaml',
}));

export function chooseTextLanguage(language: TextLanguage): void {
  localStorage.setItem(storageKey, language);
  useTextLanguage.setState({ language });
}
