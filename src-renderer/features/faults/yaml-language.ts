import { StreamLanguage, indentService } from '@codemirror/language';
import { yamlTokens } from './rule-yaml.ts';
import type { YamlToken } from './rule-yaml.ts';

const tagNames: Readonly<Record<YamlToken['look'], string>> = {
  ck: 'propertyName',
  cs: 'string',
  cn: 'number',
  ca: 'atom',
  cp: 'punctuation',
  cc: 'comment',
};

/** YAML as it is coloured elsewhere in the window: line by line. */
export const yamlLanguage = StreamLanguage.define<{ rest: YamlToken[] }>({
  name: 'yaml',
  startState: () => ({ rest: [] }),
  copyState: ({ rest }) => ({ rest: [...rest] }),
  token: (stream, state) => {
    if (stream.sol()) state.rest = yamlTokens(stream.string);
    const token = state.rest.shift();
    if (token === undefined) {
      stream.skipToEnd();
      return null;
    }
    stream.pos += token.text.length;
    return token.text.trim() === '' ? null : tagNames[token.look];
  },
  languageData: { commentTokens: { line: '#' } },
});

/** A new line goes on where the fields of the one before are: behind its dashes, and further in below a key that has no value yet. */
export const yamlIndent = indentService.of((context, at) => {
  if (context.simulatedBreak !== at) return null;
  const [, lead = '', said = ''] = /^(\s*(?:- +)*)(.*)$/.exec(context.lineAt(at, -1).text) ?? [];
  return lead.length + (/:\s*$/.test(said) ? context.unit : 0);
});
